"""Spans of OTLP as rows (pure)."""

from collections.abc import Iterator, Mapping
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from cqrs_local.column_types import TIMESTAMP
from cqrs_local.emulation import Emulation
from cqrs_local.otlp_values import attributes_of, json_text, microseconds, texts_of

INGESTED: Final = "_o2_ingest_ts"
_STATUS: Final = {
    Status.STATUS_CODE_UNSET: "UNSET",
    Status.STATUS_CODE_OK: "OK",
    Status.STATUS_CODE_ERROR: "ERROR",
}
_TIMES: Final = frozenset([TIMESTAMP, "duration", "start_time", "end_time"])
_RESERVED: Final = _TIMES | {
    "trace_id",
    "span_id",
    "flags",
    "span_status",
    "span_kind",
    "operation_name",
    "status_code",
    "status_message",
    "reference_parent_trace_id",
    "reference_parent_span_id",
    "reference_ref_type",
    "service_name",
    "events",
    "links",
    INGESTED,
}


def span_rows(
    request: ExportTraceServiceRequest, now: int, emulation: Emulation
) -> Iterator[dict[str, object]]:
    """Each span with the columns of the server.

    Args:
        request: what an exporter sent.
        now: the server's time in microseconds.
        emulation: which attributes give way to a column of the same name.
    """
    service: object = ""
    for resource in request.resource_spans:
        attributes = attributes_of(resource.resource.attributes)
        service = attributes.pop("service_name", service)  # a resource without one gets that of the last
        around: dict[str, object] = {f"service_{name}": value for name, value in attributes.items()}
        around["service_name"] = service
        if emulation is Emulation.NEWEST:
            around[INGESTED] = now
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _row(span, around, _RESERVED if emulation is Emulation.NEWEST else _TIMES)


def _row(span: Span, around: Mapping[str, object], reserved: frozenset[str]) -> dict[str, object]:
    attributes = texts_of(attributes_of(span.attributes))
    row: dict[str, object] = {
        f"attr_{name}" if name in reserved else name: text for name, text in attributes.items()
    }
    return (
        row
        | dict(around)
        | {
            TIMESTAMP: microseconds(span.start_time_unix_nano),
            "trace_id": span.trace_id.hex(),
            "span_id": span.span_id.hex(),
            "flags": 1,
            "operation_name": span.name,
            "span_kind": str(int(span.kind)),
            "span_status": _STATUS.get(span.status.code, "UNSET"),
            "start_time": span.start_time_unix_nano,
            "end_time": span.end_time_unix_nano,
            "duration": max(span.end_time_unix_nano - span.start_time_unix_nano, 0) // 1_000,
            "events": json_text([_event(event) for event in span.events]),
            "links": json_text([_link(link) for link in span.links]),
        }
        | _parent(span)
        | _status(span)
    )


def _parent(span: Span) -> dict[str, object]:
    if not span.parent_span_id:
        return {}
    return {
        "reference_parent_span_id": span.parent_span_id.hex(),
        "reference_parent_trace_id": span.trace_id.hex(),
        "reference_ref_type": "ChildOf",
    }


def _status(span: Span) -> dict[str, object]:
    if not span.HasField("status"):
        return {}
    return {"status_code": int(span.status.code), "status_message": span.status.message}


def _event(event: Span.Event) -> dict[str, object]:
    return {"name": event.name, TIMESTAMP: event.time_unix_nano, **attributes_of(event.attributes)}


def _link(link: Span.Link) -> dict[str, object]:
    context = {
        "traceId": link.trace_id.hex(),
        "spanId": link.span_id.hex(),
        "traceFlags": link.flags,
        "traceState": link.trace_state,
    }
    return {
        "context": context,
        "droppedAttributesCount": link.dropped_attributes_count,
        **attributes_of(link.attributes),
    }
