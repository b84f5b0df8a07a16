"""Spans of OTLP as rows."""

import json

from cqrs_local.emulation import Emulation
from cqrs_local.otlp_traces import span_rows
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

TRACE, ROOT, CHILD = b"\x0a" * 16, b"\x0b" * 8, b"\x0c" * 8


def attribute(key: str, value: object) -> KeyValue:
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    return KeyValue(key=key, value=AnyValue(string_value=str(value)))


def rows(*spans: Span, emulation: Emulation = Emulation.NEWEST) -> list[dict[str, object]]:
    resources = [
        ResourceSpans(
            resource=Resource(
                attributes=[attribute("service.name", "orders"), attribute("service.version", "2")]
            ),
            scope_spans=[ScopeSpans(spans=spans)],
        ),
        ResourceSpans(scope_spans=[ScopeSpans(spans=spans[:1])]),
    ]
    return list(span_rows(ExportTraceServiceRequest(resource_spans=resources), 77, emulation))


def test_the_columns_are_those_of_the_server() -> None:
    """Times in ns, duration in µs, the kind as a digit, attributes as texts, other resource attributes prefixed."""
    span = Span(
        trace_id=TRACE, span_id=CHILD, parent_span_id=ROOT, name="handle", kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=1_000_000, end_time_unix_nano=2_500_000,
        attributes=[attribute("cqrs.duration_ms", 1.5)],
        status=Status(code=Status.STATUS_CODE_ERROR, message="boom"),
    )  # fmt: skip

    assert rows(span)[0] == {
        "_timestamp": 1000, "start_time": 1_000_000, "end_time": 2_500_000, "duration": 1500,
        "trace_id": TRACE.hex(), "span_id": CHILD.hex(), "flags": 1,
        "reference_parent_span_id": ROOT.hex(), "reference_parent_trace_id": TRACE.hex(),
        "reference_ref_type": "ChildOf", "operation_name": "handle", "span_kind": "1", "span_status": "ERROR",
        "status_code": 2, "status_message": "boom", "events": "[]", "links": "[]", "cqrs_duration_ms": "1.5",
        "service_name": "orders", "service_service_version": "2", "_o2_ingest_ts": 77,
    }  # fmt: skip


def test_a_resource_without_a_service_name_gets_that_of_the_one_before() -> None:
    """As on the server: an exporter has to set it."""
    assert [row["service_name"] for row in rows(Span(name="a"))] == ["orders", "orders"]


def test_a_root_span_without_status_has_neither_columns() -> None:
    """And is UNSET."""
    row = rows(Span(name="a"))[0]

    assert row["span_status"] == "UNSET"
    assert not {"status_code", "reference_parent_span_id", "reference_ref_type"} & set(row)


def test_events_and_links_are_json() -> None:
    """With their attributes beside their own fields."""
    span = Span(
        events=[
            Span.Event(name="exception", time_unix_nano=9, attributes=[attribute("exception.type", "E")])
        ],
        links=[Span.Link(trace_id=TRACE, span_id=ROOT)],
    )
    row = rows(span)[0]

    assert json.loads(str(row["events"])) == [{"name": "exception", "_timestamp": 9, "exception_type": "E"}]
    assert json.loads(str(row["links"]))[0]["context"]["spanId"] == ROOT.hex()


def test_an_attribute_named_like_a_column_gives_way() -> None:
    """Every column on the newest version, the times alone on 0.16, where it is overwritten."""
    span = Span(name="real", attributes=[attribute("operation_name", "mine"), attribute("duration", "long")])
    newest, old = rows(span)[0], rows(span, emulation=Emulation.V0_16)[0]

    assert (newest["operation_name"], newest["attr_operation_name"], newest["attr_duration"]) == (
        "real",
        "mine",
        "long",
    )
    assert (old["operation_name"], old["attr_duration"]) == ("real", "long")
    assert not {"attr_operation_name", "_o2_ingest_ts"} & set(old)


def test_a_span_that_ends_before_it_starts_lasts_nothing() -> None:
    """Never a negative number."""
    assert rows(Span(start_time_unix_nano=5000, end_time_unix_nano=1))[0]["duration"] == 0
