"""Log records of OTLP as rows."""

from cqrs_local.otlp_logs import log_records
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource


def attribute(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def rows(record: LogRecord) -> list[dict[str, object]]:
    resource = Resource(attributes=[attribute("service.name", "orders"), attribute("zone", "a")])
    scope = ScopeLogs(scope=InstrumentationScope(name="lib"), log_records=[record])
    return list(
        log_records(
            ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource, scope_logs=[scope])])
        )
    )


def test_the_columns_are_those_of_the_server() -> None:
    """Attributes at the top level without a prefix, those of the record win; ids in hexadecimal digits."""
    record = LogRecord(
        time_unix_nano=5_000,
        observed_time_unix_nano=9_000,
        severity_text="WARN",
        body=AnyValue(string_value="hello"),
        attributes=[attribute("zone", "b")],
        trace_id=b"\x01" * 16,
        span_id=b"\x02" * 8,
    )

    assert rows(record) == [
        {
            "service_name": "orders",
            "zone": "b",
            "instrumentation_library_name": "lib",
            "body": "hello",
            "severity": "WARN",
            "dropped_attributes_count": 0,
            "_timestamp": 5,
            "trace_id": "01" * 16,
            "span_id": "02" * 8,
        }
    ]


def test_what_is_not_set_is_no_column() -> None:
    """The observed time stands in for the time, the number for the text of the severity."""
    (row,) = rows(LogRecord(observed_time_unix_nano=9_000, severity_number=9))

    assert (row["_timestamp"], row["severity"]) == (9, 9)
    assert not {"body", "trace_id", "span_id"} & set(row)


def test_a_body_with_fields_stays_an_object_to_be_flattened() -> None:
    """It becomes columns `body_…`; a number becomes a text."""
    fields = KeyValueList(values=[attribute("k", "v")])

    assert rows(LogRecord(body=AnyValue(kvlist_value=fields)))[0]["body"] == {"k": "v"}
    assert rows(LogRecord(body=AnyValue(int_value=7)))[0]["body"] == "7"
