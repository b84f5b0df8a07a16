"""The one table of columns: what every record has, of which type, in which streams.

The encoder, ``init``, ``verify`` and the tests read it. A column has one type for ever: one stray value of
another type would make it text on the server for good and break every percentile over it.
"""

from typing import Final, Literal, final

import attrs

from cqrs.middleware import Kind

ColumnType = Literal["Utf8", "Int64", "Float64", "Boolean"]
_ALL: Final[tuple[Kind, ...]] = ("command", "query", "event")


@final
@attrs.frozen
class Column:
    """One column.

    Attributes:
        name: as the server stores it.
        type: the server's name of its type.
        doc: what it holds.
        kinds: the kinds of message whose stream has it.
    """

    name: str
    type: ColumnType
    doc: str
    kinds: tuple[Kind, ...] = _ALL


COLUMNS: Final[tuple[Column, ...]] = (
    Column("_timestamp", "Int64", "When the record's fact was complete, in µs since the Unix epoch."),
    Column("level", "Utf8", "DEBUG, INFO, WARN or ERROR."),
    Column("message", "Utf8", "The record in one short sentence."),
    Column("record", "Utf8", "start, handled, published, dead_letter or probe."),
    Column("kind", "Utf8", "command, query or event."),
    Column("message_type", "Utf8", "Name of the message's class."),
    Column("handler", "Utf8", "Dotted name of the handler."),
    Column("outcome", "Utf8", "success, rejected, error or cancelled."),
    Column("duration_ms", "Float64", "How long it took, in ms."),
    Column("retry_count", "Int64", "Attempts after the first."),
    Column("error_type", "Utf8", "Class of the error."),
    Column("error_code", "Utf8", "The error's own code; of a crash the exception's class."),
    Column("error_message", "Utf8", "The error's text, redacted; only with CQRS_LOG_ERROR_MESSAGES."),
    Column("cache_status", "Utf8", "How the cache answered.", ("query",)),
    Column("cache_hit", "Boolean", "Whether the cache answered.", ("query",)),
    Column("cache_age_ms", "Float64", "Age of the cached answer, in ms.", ("query",)),
    Column("subscriber", "Utf8", "Stable name of the subscriber.", ("event",)),
    Column("subscribers", "Int64", "How many subscribers the event reached.", ("event",)),
    Column("message_id", "Utf8", "Identity of the message."),
    Column("correlation_id", "Utf8", "Identity shared by all messages of one cause."),
    Column("causation_id", "Utf8", "Identity of the message that caused this one."),
    Column("trace_id", "Utf8", "Identity of the trace."),
    Column("span_id", "Utf8", "Identity of this dispatch in the trace."),
    Column("parent_span_id", "Utf8", "Identity of the dispatch that caused it."),
    Column(
        "sampled",
        "Boolean",
        "Whether its trace was sampled; failed and slow dispatches of others get a span too.",
    ),
    Column("tenant", "Utf8", "Tenant, if the program said so with cqrs_context(); redacted."),
    Column("principal", "Utf8", "Who asked, if the program said so with cqrs_context(); redacted."),
    Column("service_name", "Utf8", "Name of the service."),
    Column("service_version", "Utf8", "Version of the service."),
    Column("service_instance_id", "Utf8", "Identity of the process."),
    Column("deployment_environment", "Utf8", "Environment, such as production."),
    Column("host_name", "Utf8", "Name of the host."),
    Column("record_id", "Utf8", "Identity of the record: a record stored twice has it twice."),
)


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """Give the columns of one stream.

    Args:
        kind: the kind of message that the stream holds.
    """
    return tuple(column for column in COLUMNS if kind in column.kinds)


_SERVICE: Final = (
    "service_name",
    "service_version",
    "service_instance_id",
    "deployment_environment",
    "host_name",
)
_OF_SERVICE: Final = tuple(column for column in COLUMNS if column.name in _SERVICE)

METRIC_COLUMNS: Final[tuple[Column, ...]] = (
    Column("_timestamp", "Int64", "When the metric was read, in µs since the Unix epoch."),
    Column("record", "Utf8", "snapshot or probe."),
    Column("metric_name", "Utf8", "Name of the metric; of a histogram with .count, .sum or .max."),
    Column("metric_value", "Float64", "Its value."),
    Column("metric_type", "Utf8", "counter, up_down_counter or gauge."),
    Column("metric_unit", "Utf8", "Its unit."),
    Column("labels", "Utf8", "Further attributes, as key=value with commas."),
    Column("message_type", "Utf8", "Name of the message's class."),
    Column("outcome", "Utf8", "How the dispatches ended."),
    *(column for column in _OF_SERVICE if column.name in {"service_name", "service_instance_id"}),
    Column("correlation_id", "Utf8", "Of a probe: which one."),
    Column("record_id", "Utf8", "Identity of the row."),
)

LOG_COLUMNS: Final[tuple[Column, ...]] = (
    Column("_timestamp", "Int64", "When the line was written, in µs since the Unix epoch."),
    Column("level", "Utf8", "DEBUG, INFO, WARN or ERROR."),
    Column("message", "Utf8", "The line, redacted."),
    Column("logger", "Utf8", "Name of its logger."),
    Column("code_function", "Utf8", "What wrote it."),
    Column("code_file", "Utf8", "Path of its file."),
    Column("code_line", "Int64", "Number in the file."),
    Column("thread_name", "Utf8", "Name of the thread."),
    Column("exception_type", "Utf8", "Class of the exception logged with it."),
    Column("exception_stacktrace", "Utf8", "That exception's traceback, redacted."),
    Column("message_id", "Utf8", "Identity of the message it was written under."),
    Column("correlation_id", "Utf8", "Identity shared by all messages of one cause."),
    Column("trace_id", "Utf8", "Identity of the trace."),
    Column("span_id", "Utf8", "Identity of the span it was written in."),
    *_OF_SERVICE,
    Column("record_id", "Utf8", "Identity of the line."),
)
