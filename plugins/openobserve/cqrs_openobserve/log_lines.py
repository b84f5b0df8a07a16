"""Lines of the app's own log as rows: redacted, bounded, every column of one type for ever."""

from collections.abc import Iterator, Mapping
from typing import Final, final

import attrs
import orjson

from cqrs_openobserve.feeds import Batch
from cqrs_openobserve.field_columns import column_name
from cqrs_openobserve.payloads import Payload, json_payloads
from cqrs_openobserve.redaction import HIDDEN, is_denied, redact
from cqrs_openobserve.service import Service
from cqrs_openobserve.wire_forms import text_of

LONGEST_TRACEBACK: Final = 16 * 1024
LONGEST_NAME: Final = 200
MOST_EXTRAS: Final = 100
MOST_BYTES: Final = 32 * 1024


@final
@attrs.frozen(eq=False)
class LogLine:
    """One line, as it was when it was written.

    Attributes:
        moment_ns: when, on the monotonic clock.
        level: DEBUG, INFO, WARN or ERROR.
        logger: name of its logger.
        text: the formatted message.
        function: what wrote it.
        file: path of its file.
        line: number in the file.
        thread: name of the thread.
        extra: what was given as ``extra=``.
        exception_type: class of the exception logged with it, or empty.
        traceback: that exception's, formatted, or empty.
        trace_number: the trace it belongs to; 0 for none.
        span_number: the span, likewise.
        message_number: the dispatch it was written in; 0 for none.
        correlation_id: of that dispatch, or empty.
    """

    moment_ns: int
    level: str
    logger: str
    text: str = attrs.field(repr=False)
    function: str = ""
    file: str = ""
    line: int = 0
    thread: str = ""
    extra: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)
    exception_type: str = ""
    traceback: str = attrs.field(default="", repr=False)
    trace_number: int = 0
    span_number: int = 0
    message_number: int = 0
    correlation_id: str = ""


@final
class LogRows:
    """Makes rows of one process's log lines; numbers them.

    Args:
        stream: the server's name of the stream.
        service: who sends.
        instance: identity of this process's life, the first part of every ``record_id``.
    """

    def __init__(self, stream: str, service: Service, instance: str) -> None:
        self._stream = stream
        self._instance = instance
        self._sequence = 0
        constants = {
            "service_name": service.name,
            "service_version": service.version,
            "service_instance_id": service.instance or instance,
            "deployment_environment": service.environment,
            "host_name": service.host,
        }
        self._constants = {name: value for name, value in constants.items() if value}

    def __call__(self, batch: Batch[LogLine]) -> Iterator[Payload]:
        """Encode a batch.

        Args:
            batch: what was taken from the queue.
        """
        rows = [(self.row(line, batch.anchor.micros(line.moment_ns)), line.moment_ns) for line in batch.items]
        yield from json_payloads(self._stream, rows)

    def row(self, line: LogLine, micros: int) -> bytes:
        """Make one row, as JSON.

        Args:
            line: the line.
            micros: its ``_timestamp``.
        """
        self._sequence += 1
        texts = {
            "level": line.level,
            "message": redact(line.text),
            "logger": redact(line.logger, LONGEST_NAME),
            "code_function": redact(line.function, LONGEST_NAME),
            "code_file": redact(line.file, LONGEST_NAME),
            "thread_name": redact(line.thread, LONGEST_NAME),
            "exception_type": redact(line.exception_type, LONGEST_NAME),
            "exception_stacktrace": redact(line.traceback, LONGEST_TRACEBACK),
            "trace_id": f"{line.trace_number:032x}" if line.trace_number else "",
            "span_id": f"{line.span_number:016x}" if line.span_number else "",
            "message_id": f"{line.message_number:032x}" if line.message_number else "",
            "correlation_id": redact(line.correlation_id, LONGEST_NAME),
        }
        known: dict[str, str | int] = {name: text for name, text in texts.items() if text}
        row = {"_timestamp": micros, **known, "code_line": line.line, **self._constants}
        return orjson.dumps(
            {**row, **_extras(line.extra), "record_id": f"{self._instance}-l{self._sequence}"}
        )


def _extras(extra: Mapping[str, object]) -> dict[str, str]:
    # Nothing declares their types, so that every one is a text: numbers are read with TRY_CAST.
    found: dict[str, str] = {}
    room = MOST_BYTES
    for name, value in list(extra.items())[:MOST_EXTRAS]:
        column = column_name(redact(name, LONGEST_NAME))
        text = HIDDEN if is_denied(name) else text_of(value)
        if text is not None and len(text) <= room and column not in found:
            room -= len(text)
            found[column] = text
    return found
