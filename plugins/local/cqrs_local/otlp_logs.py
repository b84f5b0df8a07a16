"""Log records of OTLP as rows (pure)."""

from collections.abc import Iterator, Mapping

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from cqrs_local.column_types import TIMESTAMP
from cqrs_local.otlp_values import attributes_of, microseconds, scope_columns, text_of_value, value_of


def log_records(request: ExportLogsServiceRequest) -> Iterator[dict[str, object]]:
    """Each record with the attributes of its resource and its own, which win, at the top level."""
    for resource in request.resource_logs:
        shared = attributes_of(resource.resource.attributes)
        for scope in resource.scope_logs:
            around = {**shared, **scope_columns(scope.scope)}
            for record in scope.log_records:
                yield _record(record, around)


def _record(record: LogRecord, around: Mapping[str, object]) -> dict[str, object]:
    body = value_of(record.body)
    own: dict[str, object] = {
        **around,
        **attributes_of(record.attributes),
        "body": body if isinstance(body, dict) else text_of_value(body),
        "severity": record.severity_text or record.severity_number or None,
        "dropped_attributes_count": record.dropped_attributes_count,
        TIMESTAMP: microseconds(record.time_unix_nano or record.observed_time_unix_nano) or None,
    }
    if record.trace_id:
        own["trace_id"] = record.trace_id.hex()
    if record.span_id:
        own["span_id"] = record.span_id.hex()
    return {name: value for name, value in own.items() if value is not None}
