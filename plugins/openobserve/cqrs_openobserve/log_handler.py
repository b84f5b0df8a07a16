"""The app's own log lines, with the ids of the dispatch and the span that they were written in, on the same way."""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final, cast, final

from cqrs import current_context
from cqrs_openobserve.log_lines import LogLine

Sink = Callable[[LogLine], None]

# What speaks about the sending of telemetry would be telemetry about telemetry, without end.
_NEVER: Final = ("cqrs.openobserve", "httpx", "httpcore", "hpack", "opentelemetry")
_OWN_THREADS: Final = "cqrs-openobserve-"
_STANDARD: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message",
    "asctime",
    "taskName",
}
_LEVELS: Final = ((logging.ERROR, "ERROR"), (logging.WARNING, "WARN"), (logging.INFO, "INFO"))

_sinks: tuple[Sink, ...] = ()
_lock: Final = threading.Lock()


@final
class OpenObserveHandler(logging.Handler):
    """Sends log lines to the stream ``CQRS_STREAM_LOGS`` of the app that runs; of several to the one started first.

    With that variable set the plugin adds one to the root logger while the app runs, if there is none. Name it
    yourself to choose the loggers, as ``cqrs_openobserve.OpenObserveHandler`` in ``logging.config.dictConfig``:
    it takes nothing but a level. Lines that are written while no app runs go nowhere.
    """

    def createLock(self) -> None:  # noqa: N802  # the name is logging's
        """Need no lock: a line is one append, and a lock of a fork's parent could stay locked for ever."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a line that passes the filters, without the lock that Python 3.13 asks for.

        Args:
            record: the line; from 3.12 on a filter may give another in its place.
        """
        passed = cast("object", self.filter(record))
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line; never raises.

        Args:
            record: the line.
        """
        sinks = _sinks
        if (
            sinks
            and not record.name.startswith(_NEVER)
            and not (record.threadName or "").startswith(_OWN_THREADS)
        ):
            sinks[0](line_of(record))


def line_of(record: logging.LogRecord) -> LogLine:
    """Take from a record what is sent of it, with the ids of what runs now.

    Args:
        record: the record; its values are looked at later, on another thread, without running their code.
    """
    context, (trace, span) = current_context(), _current_span()
    if context is not None and not trace:
        trace, span = context.trace_number, context.span_number
    return LogLine(
        time.monotonic_ns(),
        next((name for least, name in _LEVELS if record.levelno >= least), "DEBUG"),
        record.name,
        _text(record),
        record.funcName or "",
        record.pathname,
        record.lineno,
        record.threadName or "",
        {name: value for name, value in vars(record).items() if name not in _STANDARD},
        *_exception(record),
        trace,
        span,
        context.message_number if context is not None else 0,
        context.correlation_id if context is not None else "",
    )


def start(sink: Sink) -> OpenObserveHandler | None:
    """Send lines somewhere from now on.

    Args:
        sink: takes lines; never blocks and never raises.

    Returns:
        A handler that was added to the root logger, because there was none.
    """
    global _sinks  # noqa: PLW0603  # handlers are made by logging's configuration, which knows no app
    with _lock:
        _sinks = (*_sinks, sink)
    root = logging.getLogger()
    if any(type(handler) is OpenObserveHandler for handler in root.handlers):
        return None
    handler = OpenObserveHandler()
    root.addHandler(handler)
    return handler


def stop(sink: Sink, handler: OpenObserveHandler | None) -> None:
    """Send no more lines there.

    Args:
        sink: what ``start`` was given.
        handler: what it gave.
    """
    global _sinks  # noqa: PLW0603  # as above
    with _lock:
        _sinks = tuple(each for each in _sinks if each != sink)
    if handler is not None:
        logging.getLogger().removeHandler(handler)


def _text(record: logging.LogRecord) -> str:
    try:
        return str(record.getMessage())
    except Exception as error:  # noqa: BLE001  # an argument that does not fit, or that raises when it is written
        return f"{record.msg if type(record.msg) is str else type(record.msg).__name__} (not formatted: {type(error).__name__})"


def _exception(record: logging.LogRecord) -> tuple[str, str]:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return "", ""
    try:
        return type(error).__qualname__, "".join(traceback.format_exception(error))
    except Exception as second:  # noqa: BLE001  # an exception that raises when it is written
        return type(error).__qualname__, f"(not formatted: {type(second).__name__})"


def _current_span() -> tuple[int, int]:
    api = sys.modules.get("opentelemetry.trace")  # loaded if anything in this process makes spans
    if api is None:
        return 0, 0
    context = api.get_current_span().get_span_context()
    return context.trace_id, context.span_id
