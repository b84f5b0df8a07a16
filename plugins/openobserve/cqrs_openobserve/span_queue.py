"""From OpenTelemetry's SDK to our queue: a processor that never drops a span without counting it."""

from threading import Lock
from typing import Protocol, final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor


class SpanSink(Protocol):
    """Takes spans that have ended; never blocks and never raises."""

    def __call__(self, span: ReadableSpan, /) -> None:
        """Take one."""
        ...


@final
class SpanRelay(SpanProcessor):
    """Hands every sampled span that ends to the app that runs; of several in one process to the one started first.

    A provider keeps its processors for good, so there is one of these per provider, and apps come and go.
    """

    def __init__(self) -> None:
        self._sinks: tuple[SpanSink, ...] = ()
        self._lock = Lock()

    def add(self, sink: SpanSink) -> None:
        """Hand spans to somebody from now on.

        Args:
            sink: who.
        """
        with self._lock:
            self._sinks = (*self._sinks, sink)

    def remove(self, sink: SpanSink) -> None:
        """Hand them no more.

        Args:
            sink: who was added.
        """
        with self._lock:
            self._sinks = tuple(each for each in self._sinks if each != sink)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing."""

    def on_end(self, span: ReadableSpan) -> None:
        """Hand it on."""
        context = span.context
        if context is not None and context.trace_flags.sampled:
            for sink in self._sinks[:1]:
                sink(span)

    def shutdown(self) -> None:
        """Hand nothing on any more."""
        self._sinks = ()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Say that nothing waits here: what was handed on is flushed by ``Telemetry``."""
        del timeout_millis
        return True
