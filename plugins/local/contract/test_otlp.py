"""Reference §4: OTLP over HTTP, its columns, its answers."""

import gzip
import json
import time
import uuid
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PROTOBUF = "application/x-protobuf"


def post(server: Any, path: str, body: bytes, stream: str = "", **headers: str) -> Any:
    named = {"stream-name": stream} if stream else {}
    return server.api("POST", path, content=body, headers={"content-type": PROTOBUF, **named, **headers})


def spans(age_seconds: float = 0) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    resource.resource.attributes.add(key="service.version").value.string_value = "2"
    start = time.time_ns() - int(age_seconds * 1e9)
    span = resource.scope_spans.add().spans.add(
        trace_id=b"\x0a" * 16, span_id=b"\x0b" * 8, parent_span_id=b"\x0c" * 8, name="op", kind=3,
        start_time_unix_nano=start, end_time_unix_nano=start + 1_500_000,
    )  # fmt: skip
    span.status.code, span.status.message = 2, "boom"
    span.attributes.add(key="cqrs.duration_ms").value.double_value = 1.5
    return request.SerializeToString()


@pytest.mark.parametrize("packed", [False, True])
def test_spans(server: Any, stream: str, packed: bool) -> None:  # noqa: FBT001 - a table
    """§4.3: times in ns, duration in µs, kind as a digit, attributes as texts, prefixed resource."""
    body, encoding = (gzip.compress(spans()), {"content-encoding": "gzip"}) if packed else (spans(), {})
    assert post(server, "v1/traces", body, stream, **encoding).status_code == 200
    (hit,) = server.hits(f'SELECT * FROM "{stream}"', kind="traces")

    assert (hit["trace_id"], hit["span_id"], hit["reference_parent_span_id"]) == (
        "0a" * 16,
        "0b" * 8,
        "0c" * 8,
    )
    assert (hit["duration"], hit["end_time"] - hit["start_time"]) == (1500, 1_500_000)
    assert (hit["span_kind"], hit["span_status"], hit["status_code"], hit["status_message"]) == (
        "3",
        "ERROR",
        2,
        "boom",
    )
    assert (hit["operation_name"], hit["service_name"], hit["service_service_version"]) == (
        "op",
        "orders",
        "2",
    )
    assert (hit["cqrs_duration_ms"], hit["events"], hit["links"]) == ("1.5", "[]", "[]")


def test_old_spans_are_told_in_a_200(server: Any, stream: str) -> None:
    """§4.2: partial_success."""
    answer = post(server, "v1/traces", spans(6 * 3600), stream)
    told = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, told.rejected_spans, "retention" in told.error_message) == (200, 1, True)


def test_logs(server: Any, stream: str) -> None:
    """Attributes at the top level, the body as a text, ids in hexadecimal digits."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    record = resource.scope_logs.add().log_records.add(
        time_unix_nano=time.time_ns(), severity_text="WARN", trace_id=b"\x0a" * 16
    )
    record.body.string_value = "hello"
    assert post(server, "v1/logs", request.SerializeToString(), stream.replace("_", "-")).status_code == 200
    (hit,) = server.hits(f'SELECT * FROM "{stream}"')

    assert (hit["body"], hit["severity"], hit["service_name"], hit["trace_id"]) == (
        "hello",
        "WARN",
        "orders",
        "0a" * 16,
    )


def test_columns_of_logs(server: Any, stream: str) -> None:
    """§4.3: a map in the body becomes columns, types stay, a record's attribute hides its resource's."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    for key in ("where", "kept"):
        resource.resource.attributes.add(key=key).value.string_value = "resource"
    scope = resource.scope_logs.add()
    scope.scope.name, scope.scope.version = "lib", "1.2"
    record = scope.log_records.add(
        observed_time_unix_nano=time.time_ns(), severity_number=9, span_id=b"\x0b" * 8, dropped_attributes_count=3
    )  # fmt: skip
    record.attributes.add(key="where").value.string_value = "record"
    record.attributes.add(key="size.bytes").value.int_value = 7
    record.body.kvlist_value.values.add(key="a").value.double_value = 1.5
    assert post(server, "v1/logs", request.SerializeToString(), stream).status_code == 200
    (hit,) = server.hits(f'SELECT * FROM "{stream}"')

    assert (hit["body_a"], hit["where"], hit["kept"], hit["size_bytes"]) == (1.5, "record", "resource", 7)
    assert (hit["instrumentation_library_name"], hit["instrumentation_library_version"]) == ("lib", "1.2")
    assert (str(hit["severity"]), hit["span_id"], hit["dropped_attributes_count"]) == ("9", "0b" * 8, 3)
    assert abs(hit["_timestamp"] - time.time_ns() // 1000) < 60_000_000


@pytest.mark.parametrize(("code", "word"), [(0, "UNSET"), (1, "OK"), (2, "ERROR")])
def test_columns_of_spans(server: Any, stream: str, code: int, word: str) -> None:
    """§4.3: events as JSON with times in ns, the parent as a reference, `attr_` where a time would be hidden."""
    request = ExportTraceServiceRequest.FromString(spans())
    (span,) = request.resource_spans[0].scope_spans[0].spans
    span.status.code, span.kind = code, 5  # type: ignore[assignment]  # numbers of two enumerations
    span.attributes.add(key="duration").value.int_value = 1
    event = span.events.add(name="exception", time_unix_nano=span.start_time_unix_nano)
    event.attributes.add(key="exception.type").value.string_value = "ValueError"
    assert post(server, "v1/traces", request.SerializeToString(), stream).status_code == 200
    (hit,) = server.hits(f'SELECT * FROM "{stream}"', kind="traces")

    assert (hit["span_status"], hit["span_kind"], hit["attr_duration"]) == (word, "5", "1")
    assert (hit["reference_ref_type"], hit["reference_parent_trace_id"]) == ("ChildOf", "0a" * 16)
    assert hit["_timestamp"] == hit["start_time"] // 1000
    (told,) = json.loads(hit["events"])
    assert (told["name"], told["_timestamp"]) == ("exception", span.start_time_unix_nano)
    assert "ValueError" in told.values()


@pytest.mark.parametrize("path", ["traces", "v1/traces"])
def test_paths_of_traces(server: Any, stream: str, path: str) -> None:
    """§4.1: the short one is an alias."""
    assert post(server, path, spans(), stream).status_code == 200
    assert len(server.hits(f'SELECT span_id FROM "{stream}"', kind="traces")) == 1


def test_columns_of_metrics(server: Any) -> None:
    """§4.4: a stream for a sum and a summary; the `stream-name` header is not asked."""
    metric = f"contract.{uuid.uuid4().hex[:8]}"
    now = time.time_ns()
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    scope = resource.scope_metrics.add()
    summed = scope.metrics.add(name=metric).sum
    summed.is_monotonic, summed.aggregation_temporality = True, 2  # type: ignore[assignment]  # cumulative
    point = summed.data_points.add(time_unix_nano=now, start_time_unix_nano=now - 10**9, as_int=3)
    point.attributes.add(key="cqrs.message").value.string_value = "PlaceOrder"
    summary = scope.metrics.add(name=f"{metric}.summary").summary
    parts = summary.data_points.add(time_unix_nano=now, count=4, sum=9.0)
    parts.quantile_values.add(quantile=0.5, value=2.0)
    assert post(server, "v1/metrics", request.SerializeToString(), "contract_ignored").status_code == 200
    name = metric.replace(".", "_")
    (hit,) = server.hits(f'SELECT * FROM "{name}"', kind="metrics")
    (quantile,) = server.hits(f'SELECT quantile, value FROM "{name}_summary"', kind="metrics")

    assert (hit["value"], hit["cqrs_message"], hit["service_name"]) == (3.0, "PlaceOrder", "orders")
    assert (hit["__name__"], hit["is_monotonic"], hit["start_time"]) == (name, "true", str(now - 10**9))
    assert (hit["_timestamp"], "cumulative" in hit["aggregation_temporality"].lower()) == (now // 1000, True)
    assert "__hash__" in server.schema(name, "metrics")
    assert (quantile["quantile"], quantile["value"]) == ("0.5", 2.0)
    for part, value in ("sum", 9.0), ("count", 4.0):
        assert server.hits(f'SELECT value FROM "{name}_summary_{part}"', kind="metrics")[0]["value"] == value


def test_metrics_are_streams(server: Any) -> None:
    """§4.4: one for each name, a histogram in parts with cumulative buckets."""
    metric = f"contract.{uuid.uuid4().hex[:8]}"
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    histogram = scope.metrics.add(name=metric)
    histogram.histogram.aggregation_temporality = 2
    histogram.histogram.data_points.add(
        time_unix_nano=time.time_ns(), count=10, sum=3.0, bucket_counts=[2, 7, 1], explicit_bounds=[0.1, 0.5]
    )
    assert post(server, "v1/metrics", request.SerializeToString()).status_code == 200
    name = metric.replace(".", "_")
    hits = server.hits(f'SELECT le, value FROM "{name}_bucket"', rows=3, kind="metrics")

    assert {hit["le"]: hit["value"] for hit in hits} == {"0.1": 2.0, "0.5": 9.0, "inf": 10.0}
    assert server.hits(f'SELECT value FROM "{name}_count"', kind="metrics")[0]["value"] == 10.0


@pytest.mark.parametrize("kind", ["text/plain", f"{PROTOBUF}; charset=utf-8"])
def test_other_content_types_are_refused(server: Any, kind: str) -> None:
    """Exactly the two, without parameters."""
    answer = server.api("POST", "v1/traces", content=b"", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["message"]) == (400, "Bad Request")


@pytest.mark.parametrize("signal", ["logs", "metrics", "traces"])
def test_what_is_no_protobuf_is_refused(server: Any, signal: str) -> None:
    """With what the decoder says."""
    answer = post(server, f"v1/{signal}", b"\xff\xff\xff")
    assert (answer.status_code, answer.json()["message"].startswith("Invalid proto")) == (400, True)


def test_the_path_without_api_does_not_exist(server: Any) -> None:
    """In no version."""
    answer = server.http.post("/otlp/v1/logs", content=b"", headers={"content-type": PROTOBUF})
    assert answer.status_code == 404
