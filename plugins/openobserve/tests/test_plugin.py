"""The plugin in a real app."""

import asyncio
import logging
import subprocess
import sys
from collections import Counter
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest
from cqrs_openobserve import OpenObserve, Telemetry
from cqrs_openobserve.plugin import plugin
from cqrs_openobserve.testing import FaultServer, Hang, Reply
from returns.result import Failure, Result, Success

from cqrs import Command, CommandBus, CqrsModule, Event, EventBus, Feature, MessageContext, Query, Rejection
from cqrs.instrumentation import PublishDetails
from cqrs.plugins import PluginBuilder
from cqrs.secret import MASK
from cqrs.settings import report


class Denied(Rejection):
    """A correct no."""


@attrs.frozen
class Do(Command[int, Denied | str]):
    """Does what its number says."""

    number: int


@attrs.frozen
class Ask(Query[int, str]):
    """Asks."""


@attrs.frozen
class Done(Event):
    """Was done."""


feature = Feature("doing")


@feature.handles(Do)
async def do(command: Do, *, events: EventBus) -> Result[int, Denied | str]:
    match command.number:
        case 1:
            return Failure(Denied())
        case 2:
            return Failure("broken")
        case 3:
            raise ValueError("hunter2")
        case 4:
            await asyncio.sleep(30)
        case 5:
            await events.publish(Done())
    return Success(command.number)


@feature.handles(Ask)
async def ask(query: Ask, *, commands: CommandBus) -> Result[int, str]:
    del query
    await commands.execute(Do(0))
    return Success(1)


@feature.subscribes(Done, name="one")
async def one(event: Done) -> Result[None, str]:
    del event
    return Success(None)


@feature.subscribes(Done, name="two")
async def two(event: Done) -> Result[None, str]:
    del event
    return Failure("full")


LOGS_ONLY = {"metrics_enabled": False, "tracing_enabled": False, "spool_dir": "none"}


def app(server: FaultServer, **given: Any) -> Any:
    settings = (
        {"url": server.url, "token": "user:s3cret-canary", "flush_interval": "20ms"} | LOGS_ONLY | given
    )
    return CqrsModule.for_root(feature, plugins=(OpenObserve(**settings),), env={})


async def test_one_record_per_dispatch_delivery_and_publish(server: FaultServer) -> None:
    """Every outcome of every kind arrives with identity, cause and names; results are those of the handlers."""
    async with app(server) as bus:
        results = [await bus.commands.execute(Do(number)) for number in range(4)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(bus.commands.execute(Do(4)), 0.05)
        await bus.commands.execute(Do(5))
        await bus.queries.execute(Ask())
        ledger = bus.container.resolve(Telemetry)
    rows = server.delivered

    assert [type(result).__name__ for result in results] == ["Success", "Failure", "Failure", "Failure"]
    counted = Counter((row["kind"], row["record"], row["outcome"]) for row in rows)
    assert counted == {
        ("command", "handled", "success"): 3,
        ("command", "handled", "rejected"): 1,
        ("command", "handled", "error"): 2,
        ("command", "handled", "cancelled"): 1,
        ("query", "handled", "success"): 1,
        ("event", "published", "error"): 1,
        ("event", "handled", "success"): 1,
        ("event", "handled", "error"): 1,
        ("event", "dead_letter", "error"): 1,
    }
    assert ledger.ledger().delivered == ledger.ledger().accepted == len(rows) == 12
    assert "hunter2" not in str(rows)
    crashed = next(row for row in rows if row.get("error_type") == "HandlerCrashed")
    assert (crashed["error_code"], crashed["level"]) == ("builtins.ValueError", "ERROR")


async def test_causes_are_linked(server: FaultServer) -> None:
    """A child has its parent's correlation and trace, the parent's message as cause and its span as parent."""
    async with app(server) as bus:
        await bus.queries.execute(Ask())
        await bus.commands.execute(Do(5))
    by_kind = {row["kind"]: row for row in server.delivered if row["kind"] == "query"}
    asked = by_kind["query"]
    child = next(row for row in server.delivered if row.get("causation_id") == asked["message_id"])

    assert (child["correlation_id"], child["trace_id"]) == (asked["correlation_id"], asked["trace_id"])
    assert child["parent_span_id"] == asked["span_id"]
    assert child["span_id"] != asked["span_id"]
    events = [row for row in server.delivered if row["kind"] == "event"]
    assert len({row["message_id"] for row in events}) == 1
    assert {row.get("subscriber") for row in events} == {None, "one", "two"}
    assert next(row["subscribers"] for row in events if row["record"] == "published") == 2


@pytest.mark.parametrize("switches", [("enabled",), ("logs_enabled", "metrics_enabled", "tracing_enabled")])
async def test_switched_off_nothing_is_added(server: FaultServer, switches: tuple[str, ...]) -> None:
    """No instrument, no service: the app is the same as without the plugin."""
    builder = PluginBuilder({}, {})
    made = OpenObserve(url=server.url, token="user:x", **dict.fromkeys(switches, False))
    assert made.configure(builder) == Success(None)
    assert (builder.instruments, builder.services) == ([], {})
    assert all(f"OPENOBSERVE_{switch.upper()}" in builder.off for switch in switches)
    async with made.lifespan():
        pass


async def test_a_wrong_setting_leaves_the_app_running(server: FaultServer) -> None:
    """The plugin is reported as failed, with the variable; results are the same."""
    wrong = CqrsModule.for_root(feature, plugins=(OpenObserve(url=server.url, token="bare"),), env={})
    async with wrong as bus:
        assert await bus.commands.execute(Do(0)) == Success(0)
        (described,) = bus.plugins
    assert described.state == "failed"
    assert "OPENOBSERVE_TOKEN" in described.reason
    assert server.received == []


async def test_the_settings_are_there_for_the_command_line(server: FaultServer) -> None:
    """``cqrs config`` prints them with their sources, given ones read like texts, secrets masked."""
    env = {"OPENOBSERVE_TOKEN": "user:s3cret-canary"}
    builder = PluginBuilder(env, {})
    OpenObserve(url=server.url, batch_size="7").configure(builder)
    (settings,) = builder.loaded
    lines = {line.variable: (line.value, line.source) for line in report(settings, env)}
    assert lines["OPENOBSERVE_BATCH_SIZE"] == ("7", "given")
    assert lines["OPENOBSERVE_URL"] == (server.url, "given")
    assert lines["OPENOBSERVE_TOKEN"] == (MASK, "OPENOBSERVE_TOKEN")


async def test_without_settings_the_plugin_is_off() -> None:
    """Installed and not configured: nothing happens, nothing is said but one INFO line."""
    builder = PluginBuilder({}, {})
    assert isinstance(plugin().configure(builder), Failure)
    quiet = CqrsModule.for_root(feature, env={"CQRS_PLUGINS": "openobserve"})
    async with quiet as bus:
        states = {found.name: found.state for found in bus.plugins}
    assert states["openobserve"] == "off"


def test_a_plugin_that_is_off_loads_no_http_library() -> None:
    """Importing it costs a program without the variables as little as can be."""
    code = "import sys, cqrs_openobserve.plugin as p; p.plugin(); sys.exit('httpcore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_the_app_may_be_entered_again(server: FaultServer) -> None:
    """Each time with a pipeline of its own."""
    again = app(server)
    for _ in range(2):
        async with again as bus:
            await bus.commands.execute(Do(0))
    assert len(server.delivered) == 2
    assert len({row["service_instance_id"] for row in server.delivered}) == 2


@pytest.mark.parametrize("fault", [Hang(), Reply(401), Reply(200, b"<html>")], ids=str)
async def test_a_bad_server_changes_no_result_and_holds_up_no_end(server: FaultServer, fault: Any) -> None:
    """Leaving the app takes no longer than the exit timeout, also when it is cancelled."""
    server.behave = lambda _: fault
    loop = asyncio.get_running_loop()
    async with app(server, exit_timeout="300ms") as bus:
        for _ in range(200):
            assert await bus.commands.execute(Do(0)) == Success(0)
        began = loop.time()
    assert loop.time() - began < 1.2


async def test_stopping_does_not_block_the_event_loop(server: FaultServer) -> None:
    """Other tasks run on while the last records are sent."""
    server.behave = lambda _: Hang()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    async with app(server, exit_timeout="300ms") as bus:
        await bus.commands.execute(Do(0))
        before = ticks
    ticking.cancel()
    assert ticks - before > 10


async def test_warnings_are_said_at_start(caplog: pytest.LogCaptureFixture) -> None:
    """On the plugin's own logger."""
    builder = PluginBuilder({}, {})
    with caplog.at_level(logging.WARNING, "cqrs.openobserve"):
        made = OpenObserve(url="http://example.com", token="user:s3cret-canary")
        made.configure(builder)
    assert "in the clear" in caplog.text
    assert "canary" not in caplog.text + repr(made)


async def test_a_cancelled_app_still_stops_its_pipeline(server: FaultServer) -> None:
    """What waits is sent also when the app's task is being cancelled."""
    made = OpenObserve(url=server.url, token="user:x", flush_interval="60s", **LOGS_ONLY)
    builder = PluginBuilder({}, {})
    made.configure(builder)
    telemetry = builder.services[Telemetry]
    assert isinstance(telemetry, Telemetry)
    with anyio.CancelScope() as scope:
        async with made.lifespan():
            builder.instruments[0].published(PublishDetails(Done, "Done", 0, 0, 1, MessageContext().begin()))
            scope.cancel()
            await anyio.lowlevel.checkpoint()

    assert telemetry.ledger().delivered == len(server.delivered) == 1
