"""OTLP requests and answers."""

import gzip

import pytest
from cqrs_openobserve.otlp_bodies import PartialSuccess, halves_of, partial_success
from cqrs_openobserve.payloads import OTLP, Payload, compressed, halves
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span


def traces(*sizes: int) -> ExportTraceServiceRequest:
    """A request with a resource for each size."""
    names = iter(range(1_000))
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                scope_spans=[ScopeSpans(spans=[Span(name=str(next(names))) for _ in range(size)])],
                schema_url="kept",
            )
            for size in sizes
        ]
    )


def names(raw: bytes) -> list[int]:
    request = ExportTraceServiceRequest.FromString(raw)
    return [int(span.name) for r in request.resource_spans for scope in r.scope_spans for span in scope.spans]


@pytest.mark.parametrize("sizes", [(5,), (1, 1), (1, 4), (4, 1), (2, 0, 3)])
def test_spans_come_apart_in_order(sizes: tuple[int, ...]) -> None:
    """Wherever the middle lies; resources stay with their spans."""
    (first, count), (second, rest) = halves_of("traces", traces(*sizes).SerializeToString())
    assert (count, rest) == (sum(sizes) // 2, sum(sizes) - sum(sizes) // 2)
    assert names(first) + names(second) == list(range(sum(sizes)))
    assert len(names(first)) == count
    assert ExportTraceServiceRequest.FromString(first).resource_spans[0].schema_url == "kept"


def test_data_points_come_apart_also_within_a_metric() -> None:
    """Of every kind; a metric without a point is left out."""
    metrics = [
        Metric(name="g", gauge=Gauge(data_points=[NumberDataPoint(as_int=n) for n in range(3)])),
        Metric(name="h", histogram=Histogram(data_points=[HistogramDataPoint(count=n) for n in range(2)])),
    ]
    scopes = [ScopeMetrics(metrics=metrics)]
    raw = ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(scope_metrics=scopes)]
    ).SerializeToString()
    (first, two), (second, three) = halves_of("metrics", raw)
    a, b = (
        ExportMetricsServiceRequest.FromString(part).resource_metrics[0].scope_metrics[0].metrics
        for part in (first, second)
    )

    assert (two, three) == (2, 3)
    assert [metric.name for metric in a] == ["g"]
    assert [point.as_int for point in a[0].gauge.data_points] == [0, 1]
    assert [metric.name for metric in b] == ["g", "h"]
    assert [point.as_int for point in b[0].gauge.data_points] == [2]
    assert len(b[1].histogram.data_points) == 2


def test_a_payload_of_spans_comes_apart() -> None:
    """As one of rows does."""
    body = compressed(traces(3).SerializeToString())
    first, second = halves(Payload("traces", "/v1/traces", {**OTLP, "stream-name": "traces"}, body, 3, 9))
    assert (first.records, second.records, second.oldest_ns) == (1, 2, 9)
    assert names(gzip.decompress(second.body)) == [1, 2]
    assert second.headers["stream-name"] == "traces"


def test_what_is_no_request_is_refused() -> None:
    """With an error that says so, whatever the library raises."""
    with pytest.raises(ValueError, match=r"."):
        halves_of("traces", b"<html>")


def test_an_answer_tells_what_was_refused() -> None:
    """Of any signal; an empty one refuses nothing; anything else is no answer."""
    refused = ExportMetricsServiceResponse(
        partial_success=ExportMetricsPartialSuccess(rejected_data_points=3, error_message="too old")
    )
    assert partial_success(refused.SerializeToString()) == PartialSuccess(3, "too old")
    assert partial_success(b"") == PartialSuccess(0, "")
    assert partial_success(b"<html>") is None
    refused.partial_success.rejected_data_points = -1
    assert partial_success(refused.SerializeToString()) is None
