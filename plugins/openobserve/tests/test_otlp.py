"""OTLP export requests."""

import math
from typing import Any

import pytest
from cqrs_openobserve.late_spans import NAME, SCOPE
from cqrs_openobserve.metric_catalogue import CPU_TIME, DURATIONS, INFLIGHT
from cqrs_openobserve.metric_cells import MetricCells
from cqrs_openobserve.otlp import encoded_metrics, encoded_spans, metrics_of, redacted, redacted_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import StatusCode

RESOURCE = Resource({"service.name": "s"})
HOSTILE = [
    math.nan, math.inf, 2**63, -(2**63) - 1, 10**5_000, b"\xff", "a\ud800b\x00", "x" * 10**6, None, object(),
    {"a": {1: 2}}, [[1], "x"], ValueError("x"),
]  # fmt: skip


def span(name: str = "s", scope: str = "user", **attributes: Any) -> ReadableSpan:
    made = TracerProvider(shutdown_on_exit=False).get_tracer(scope).start_span(name)
    made.end()
    assert isinstance(made, ReadableSpan)
    return ReadableSpan(
        name,
        made.context,
        attributes=attributes,
        resource=RESOURCE,
        status=made.status,
        start_time=1,
        end_time=2,
        instrumentation_scope=made.instrumentation_scope,
    )


def test_the_users_names_texts_and_values_are_redacted() -> None:
    """Name, status, attributes, events and what an exception said; numbers stay numbers."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("user")
    made = tracer.start_span(
        "GET /bob@example.com", attributes={"to": "bob@example.com", "password": "x", "n": 5}
    )
    made.add_event("to bob@example.com", {"tel": "+49 171 1234567"})
    made.record_exception(ValueError("card 4111 1111 1111 1111"))
    made.set_status(StatusCode.ERROR, "bob@example.com failed")
    made.end()
    assert isinstance(made, ReadableSpan)
    clean = redacted(made, NAME, RESOURCE)
    wire = encoded_spans([clean])[0]

    assert (clean.name, clean.status.description) == ("GET /<email>", "<email> failed")
    assert dict(clean.attributes or {}) == {"to": "<email>", "password": "<redacted>", "n": 5}
    assert clean.resource is RESOURCE
    for secret in (b"bob@", b"1234567", b"4111"):
        assert secret not in wire


def test_our_own_names_need_no_scan_but_what_users_add_does() -> None:
    """A user may set attributes on the span of a dispatch."""
    made = span("command user@example.com", NAME, **{"cqrs.message": "m@example.com", "to": "m@example.com"})
    clean = redacted(made, NAME, RESOURCE)

    assert clean.name == "command user@example.com"
    assert dict(clean.attributes or {}) == {"cqrs.message": "m@example.com", "to": "<email>"}


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
def test_no_attribute_costs_a_span(value: object) -> None:
    """Each has a wire form."""
    clean = redacted(span("a\ud800", **{"hostile": value, "k\ud800": value}), NAME, RESOURCE)
    body, encoded = encoded_spans([clean])

    (sent,) = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
    assert len(encoded) == 1
    assert {attribute.key for attribute in sent.attributes} == {"hostile", "k?"}


def test_a_span_that_cannot_be_encoded_costs_no_other() -> None:
    """The others are in the request."""
    good, bad = span(), span()
    bad._start_time = "yesterday"  # type: ignore[assignment]  # what no provider makes
    body, encoded = encoded_spans([good, bad, good])

    assert encoded == [good, good]
    assert len(ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans) == 2


def test_our_series_are_cumulative_and_have_explicit_buckets() -> None:
    """As the server needs them."""
    cells = MetricCells()
    for seconds in (0.3, 0.4, 99):
        cells.cell(DURATIONS["command"], "Place", "success", "").add(seconds)
    cells.read(INFLIGHT, 2, "command", "Place")
    cells.read(CPU_TIME, 1.5, "user")
    ((body, points),) = encoded_metrics(metrics_of(cells.series(), RESOURCE, SCOPE, 5, 9))

    assert points == 3
    (resource,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    duration, inflight, cpu = resource.scope_metrics[0].metrics
    (point,) = duration.histogram.data_points
    assert (duration.name, duration.unit) == ("cqrs.command.duration", "s")
    assert (
        duration.histogram.aggregation_temporality
        == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    assert (point.count, point.sum, point.min, point.max) == (3, 99.7, 0.3, 99)
    assert list(point.explicit_bounds) == list(DURATIONS["command"].bounds)
    assert sum(point.bucket_counts) == 3
    assert (point.start_time_unix_nano, point.time_unix_nano) == (5, 9)
    assert {a.key: a.value.string_value for a in point.attributes} == {
        "cqrs.message": "Place",
        "cqrs.outcome": "success",
    }
    assert inflight.gauge.data_points[0].as_double == 2
    assert (cpu.sum.data_points[0].as_double, cpu.sum.is_monotonic) == (1.5, True)


def test_what_the_app_measures_is_redacted_and_what_is_no_number_is_left_out() -> None:
    """Of every kind of instrument."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    meter = provider.get_meter("user")
    meter.create_counter("sold").add(3, {"to": "bob@example.com"})
    gauge = meter.create_gauge("level")
    gauge.set(math.nan, {"x": "1"})
    gauge.set(2.5, {"x": "2"})
    meter.create_histogram("took").record(math.inf)
    meter.create_histogram("took2").record(1.0)
    data = reader.get_metrics_data()
    assert data is not None
    other = Resource({"service.name": "other"})
    ((body, points),) = encoded_metrics(redacted_metrics(data, lambda _: other))
    provider.shutdown()

    assert points == 3
    assert b"bob@" not in body
    (resource,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    assert resource.resource.attributes[0].value.string_value == "other"
    assert [point.as_double for point in resource.scope_metrics[0].metrics[1].gauge.data_points] == [2.5]


def test_no_points_make_no_request() -> None:
    """An empty one would say nothing."""
    assert list(encoded_metrics(metrics_of([], RESOURCE, SCOPE, 5, 9))) == []
