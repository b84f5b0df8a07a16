"""Everything that sees what happens in one app, end to end."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest
from cqrs_openobserve import OpenObserve, OpenObserveHandler, Telemetry
from cqrs_openobserve.observers import thresholds_of
from cqrs_openobserve.settings import Settings
from cqrs_openobserve.testing import FaultServer
from opentelemetry import metrics, trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Event, EventBus, Feature
from cqrs.settings import load

LOGGER = logging.getLogger("test_observers.shop")
feature = Feature("observed")


@attrs.frozen
class Place(Command[int, str]):
    """A command whose fields are recorded."""

    sku: str
    quantity: int


@attrs.frozen
class Placed(Event):
    """An event."""


@feature.handles(Place, log_fields=("sku", "quantity"))
async def place(command: Place, *, events: EventBus) -> Result[int, str]:
    with trace.get_tracer("test_observers").start_as_current_span("db"):
        LOGGER.warning("placing", extra={"sku": command.sku})
    metrics.get_meter("test_observers").create_counter("test_observers.placed").add(1)
    await events.publish(Placed())
    return Success(1) if command.quantity else Failure("nothing to place")


@feature.subscribes(Placed, name="mail")
async def mail(event: Placed) -> Result[None, str]:
    del event
    return Success(None)


def app(server: FaultServer, **given: object) -> Any:
    settings = {"url": server.url, "token": "user:x", "spool_dir": "none", "flush_interval": "20ms", **given}
    return CqrsModule.for_root(feature, plugins=(OpenObserve(**settings),), env={})


def rows(server: FaultServer, stream: str) -> list[dict[str, Any]]:
    return [
        row
        for each in server.received
        if each.path.endswith(f"/{stream}/_json")
        for row in json.loads(each.body)
    ]


def spans(server: FaultServer) -> list[tuple[str, Any]]:
    """Every span that arrived, with the name of its scope."""
    requests = [
        ExportTraceServiceRequest.FromString(r.body) for r in server.received if r.path.endswith("/v1/traces")
    ]
    return [
        (of_scope.scope.name, span)
        for request in requests
        for of_resource in request.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def series(server: FaultServer) -> Iterator[str]:
    for received in server.received:
        if received.path.endswith("/v1/metrics"):
            for of_resource in ExportMetricsServiceRequest.FromString(received.body).resource_metrics:
                for of_scope in of_resource.scope_metrics:
                    yield from (metric.name for metric in of_scope.metrics)


async def dispatched(server: FaultServer, count: int, **given: object) -> Telemetry:
    async with app(server, **given) as bus:
        for number in range(count):
            await bus.commands.execute(Place("apple", number % 4))
        telemetry: Telemetry = bus.container.resolve(Telemetry)
    return telemetry


async def test_all_three_signals_arrive_and_their_books_balance(server: FaultServer) -> None:
    """Records, log lines, metrics and spans: what was accepted is what the server has."""
    telemetry = await dispatched(server, 8, tracing_sampling_rate="1", stream_logs="app-logs")

    logs, points, traces = (telemetry.ledger(signal) for signal in ("logs", "metrics", "traces"))  # type: ignore[arg-type]  # all
    assert len(rows(server, "cqrs_commands")) == 8
    assert len(rows(server, "cqrs_events")) == 16
    assert logs.accepted == logs.delivered == 8 + 16 + len(rows(server, "app_logs"))
    assert points.accepted == points.delivered > len(rows(server, "cqrs_metrics")) > 0
    assert traces.accepted == traces.delivered == len(spans(server))
    assert {
        "cqrs.command.duration",
        "cqrs.event.publishes",
        "process.cpu.time",
        "cqrs.telemetry.accepted",
    } <= set(series(server))
    assert "test_observers.placed" in set(series(server))
    lines = [row for row in rows(server, "app_logs") if row["logger"] == LOGGER.name]
    assert [line["field_sku"] for line in lines] == ["apple"] * 8


async def test_ids_in_records_are_those_of_spans(server: FaultServer) -> None:
    """A command, what it did, its event and its log line are one trace."""
    await dispatched(server, 1, tracing_sampling_rate="1", stream_logs="app-logs")

    (command,) = rows(server, "cqrs_commands")
    found = {(scope, span.name): span for scope, span in spans(server)}
    own = found["cqrs_openobserve", "command Place"]
    assert (own.trace_id.hex(), own.span_id.hex()) == (command["trace_id"], command["span_id"])
    event = found["cqrs_openobserve", "event Placed"]
    delivery = next(row for row in rows(server, "cqrs_events") if row["record"] == "handled")
    assert (event.span_id.hex(), event.parent_span_id.hex()) == (delivery["span_id"], command["span_id"])
    (line,) = [row for row in rows(server, "app_logs") if row["logger"] == LOGGER.name]
    assert (line["trace_id"], line["message_id"]) == (command["trace_id"], command["message_id"])
    assert command["sampled"] is True


async def test_spans_are_sampled_and_what_fails_gets_one_late(server: FaultServer) -> None:
    """No others: a quarter of these dispatches fails, none is sampled."""
    await dispatched(server, 8, tracing_sampling_rate="0")

    failed = [row for row in rows(server, "cqrs_commands") if row["outcome"] == "error"]
    late = [span for scope, span in spans(server) if scope == "cqrs_openobserve"]
    assert len(failed) == 2
    assert {span.span_id.hex() for span in late} == {row["span_id"] for row in failed}
    assert all(
        ("cqrs.sampling", "late") in [(a.key, a.value.string_value) for a in span.attributes] for span in late
    )


async def test_fields_of_the_message_are_recorded(server: FaultServer) -> None:
    """Those the handler asked for, in columns of their type."""
    await dispatched(server, 2)

    assert [(row["field_sku"], row["field_quantity"]) for row in rows(server, "cqrs_commands")] == [
        ("apple", 0),
        ("apple", 1),
    ]


@pytest.mark.parametrize("off", ["logs", "metrics", "tracing"])
async def test_each_signal_can_be_switched_off(server: FaultServer, off: str) -> None:
    """The others go on."""
    await dispatched(server, 4, tracing_sampling_rate="1", **{f"{off}_enabled": "false"})

    assert bool(rows(server, "cqrs_commands")) is (off != "logs")
    assert bool(list(series(server))) is (off != "metrics")
    assert bool([span for scope, span in spans(server) if scope == "cqrs_openobserve"]) is (off != "tracing")


async def test_nothing_is_left_behind_by_an_app_that_has_stopped(server: FaultServer) -> None:
    """No handler on the root logger, nothing that spans and metrics go to."""
    telemetry = await dispatched(server, 1, stream_logs="app-logs")
    requests = len(server.received)
    LOGGER.warning("after")
    trace.get_tracer("test_observers").start_span("after").end()
    metrics.get_meter("test_observers").create_counter("test_observers.after").add(1)
    await anyio.sleep(0.05)

    assert not any(isinstance(handler, OpenObserveHandler) for handler in logging.getLogger().handlers)
    assert (len(server.received), telemetry.ledger("traces").dropped) == (requests, {})


def test_what_is_measured_or_traced_is_observed_below_the_level() -> None:
    """The worker leaves it out of the records."""
    env = {"OPENOBSERVE_URL": "http://h", "OPENOBSERVE_TOKEN": "u:p", "CQRS_LOG_LEVEL": "ERROR"}
    loaded = [
        load(Settings, env | {"OPENOBSERVE_METRICS_ENABLED": on, "OPENOBSERVE_TRACING_ENABLED": on}).unwrap()
        for on in ("true", "false")
    ]
    assert [thresholds_of(settings).measured for settings in loaded] == [True, False]


async def test_in_flight_dispatches_are_a_gauge(server: FaultServer) -> None:
    """Read while one runs, and back at none after it."""
    waiting = anyio.Event()
    slow = Feature("slow")

    @slow.handles(Place)
    async def wait(command: Place) -> Result[int, str]:
        del command
        await waiting.wait()
        return Success(1)

    settings: dict[str, Any] = {"url": server.url, "token": "user:x", "spool_dir": "none"}
    async with CqrsModule.for_root(slow, plugins=(OpenObserve(**settings),), env={}) as bus:
        telemetry = bus.container.resolve(Telemetry)
        async with anyio.create_task_group() as group:
            group.start_soon(bus.commands.execute, Place("a", 1))
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            await telemetry.aflush()
            waiting.set()

    values = [
        row["metric_value"] for row in rows(server, "cqrs_metrics") if row["metric_name"] == "cqrs.inflight"
    ]
    assert (values[0], values[-1]) == (1.0, 0.0)
