"""Reference §4: OTLP over HTTP, its columns, its answers."""

import gzip
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


def test_what_is_no_protobuf_is_refused(server: Any) -> None:
    """With what the decoder says."""
    answer = post(server, "v1/traces", b"\xff\xff\xff")
    assert (answer.status_code, answer.json()["message"].startswith("Invalid proto")) == (400, True)


def test_the_path_without_api_does_not_exist(server: Any) -> None:
    """In no version."""
    answer = server.http.post("/otlp/v1/logs", content=b"", headers={"content-type": PROTOBUF})
    assert answer.status_code == 404
