"""The span of a dispatch: a real one if its trace is sampled, else a light one, made current for what runs inside."""

import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from random import Random
from threading import local
from typing import Final, cast, final

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    set_span_in_context,
)
from opentelemetry.util.types import Attributes, AttributeValue

from cqrs.context import MessageContext
from cqrs_openobserve.sampling import LOW_BITS

_UNSAMPLED: Final = TraceFlags(TraceFlags.DEFAULT)
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)

# A generator of our own: a program that seeds the global one must not repeat its identifiers at every run.
_random: Final = Random()  # noqa: S311  # identifiers, not secrets
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def _key() -> str:
    return next(iter(set_span_in_context(INVALID_SPAN, Context())))


def _variable() -> ContextVar[Context]:
    # The variable itself: setting it costs a fifth of going through attach() and detach().
    token = attach(get_current())
    detach(token)
    return token.var


KEY: Final = _key()
# A context is a dictionary that refuses changes; one that nobody has seen yet is filled without a second dictionary.
put: Final = cast("Callable[[Context, str, object], None]", dict.__dict__["__setitem__"])
CURRENT: Final = _variable()


@final
class LightSpan(Span):
    """Records nothing; gives its identity to what asks for it, so that spans inside and calls outside join the trace.

    Attributes:
        of: the dispatch whose span it is.
        state: the trace state that came with the trace, if one did.
    """

    __slots__ = ("of", "state")

    of: MessageContext
    state: TraceState

    def get_span_context(self) -> SpanContext:
        """Give its identity."""
        state = getattr(self, "state", None)  # that of the common case is never set, to spare it the time
        return SpanContext(
            self.of.trace_number,
            self.of.span_number,
            is_remote=False,
            trace_flags=_UNSAMPLED,
            trace_state=state,
        )

    def is_recording(self) -> bool:
        """Say no."""
        return False

    def end(self, end_time: int | None = None) -> None:
        """Do nothing."""

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Do nothing."""

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Do nothing."""

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Do nothing."""

    def update_name(self, name: str) -> None:
        """Do nothing."""

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Do nothing."""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002  # OpenTelemetry's signature
    ) -> None:
        """Do nothing."""


@final
class Wanted(local):
    """The ids that the next span of this thread gets; zero for new ones.

    Attributes:
        trace: id of the trace.
        span: id of the span.
    """

    trace = 0
    span = 0


@final
class DispatchSpans:
    """Makes and ends the spans of dispatches.

    Args:
        tracer: makes real spans.
        bound: of the sampling rate; None if the tracer's provider is the user's, whose sampler decides then.
        wanted: how our own provider is told the ids; unused with the user's.

    Attributes:
        open: the real spans of dispatches that run, by span number.
    """

    __slots__ = ("_bound", "_tracer", "_wanted", "open")

    def __init__(self, tracer: Tracer, bound: int | None, wanted: Wanted) -> None:
        self._tracer = tracer
        self._bound = bound
        self._wanted = wanted
        self.open: dict[int, Span] = {}

    @property
    def variable(self) -> ContextVar[object]:
        """What holds the OpenTelemetry context."""
        return cast("ContextVar[object]", CURRENT)

    def entering(
        self, name: str, attributes: Mapping[str, str], running: list[int]
    ) -> Callable[[MessageContext, object], Context]:
        """Give the function that gives each dispatch of a handler its ids and its span.

        Args:
            name: of the spans.
            attributes: of the spans.
            running: how many dispatches run, in its only item; one more with each call.

        Returns:
            A function of the dispatch, whose trace, span and parent numbers it sets, and of the message; it gives the
            OpenTelemetry context to run the dispatch in.
        """
        bits, get, enter = _random.getrandbits, CURRENT.get, self._enter
        bound = -1 if self._bound is None else self._bound

        def entered(context: MessageContext, _: object) -> Context:
            running[0] += 1
            context.span_number = bits(64)
            around = get()
            parent = around.get(KEY)
            if (parent is None and context.trace_number & LOW_BITS >= bound >= 0) or type(
                parent
            ) is LightSpan:
                light = LightSpan()
                light.of = context
                inside = Context(around)
                put(inside, KEY, light)
                return inside
            return enter(context, around, parent, name, attributes)

        return entered

    def leave(self, context: MessageContext, outcome: str, error_type: str | None) -> bool:
        """End a dispatch's span, if it has a real one.

        Args:
            context: the dispatch.
            outcome: what it came to.
            error_type: the error's class, if it failed.

        Returns:
            Whether it had one.
        """
        span = self.open.pop(context.span_number, None)
        if span is None:
            return False
        span.set_attribute("cqrs.outcome", outcome)
        if error_type:
            span.set_attribute("error.type", error_type)
        if outcome == "error":
            span.set_status(StatusCode.ERROR)
        span.end()
        return True

    def event(self, context: MessageContext, name: str, attributes: Mapping[str, AttributeValue]) -> None:
        """Note something on a dispatch's span, if it has a real one that is open.

        Args:
            context: the dispatch; what has no span, such as a publish, is noted on that of the dispatch it came from.
            name: what happened.
            attributes: details.
        """
        span = self.open.get(context.span_number or context.parent_span_number)
        if span is not None:
            span.add_event(name, attributes)

    def _enter(
        self,
        context: MessageContext,
        around: Context,
        parent: object,
        name: str,
        attributes: Mapping[str, str],
    ) -> Context:
        outer = parent.get_span_context() if isinstance(parent, Span) else None
        if outer is not None and outer.is_valid:
            context.trace_number, context.parent_span_number = outer.trace_id, outer.span_id
            if not outer.trace_flags.sampled:
                return _lit(context, around, outer.trace_state)
        elif self._bound is not None and context.trace_number & LOW_BITS >= self._bound:
            return _lit(context, around, None)
        elif context.parent_span_number:
            # Caused by a dispatch whose span is current no more, as when a thread of its own goes on.
            cause = SpanContext(
                context.trace_number, context.parent_span_number, is_remote=True, trace_flags=_SAMPLED
            )
            around = Context({**around, KEY: NonRecordingSpan(cause)})
        return self._start(context, around, name, attributes)

    def _start(
        self, context: MessageContext, around: Context, name: str, attributes: Mapping[str, str]
    ) -> Context:
        self._wanted.trace, self._wanted.span = context.trace_number, context.span_number
        try:
            span = self._tracer.start_span(
                name,
                around,
                SpanKind.INTERNAL,
                attributes,
                record_exception=False,
                set_status_on_exception=False,
            )
        finally:
            self._wanted.trace = self._wanted.span = 0
        own = span.get_span_context()
        context.trace_number, context.span_number = own.trace_id, own.span_id
        if span.is_recording():
            self.open[context.span_number] = span
        return Context({**around, KEY: span})


def _lit(context: MessageContext, around: Context, state: TraceState | None) -> Context:
    light = LightSpan()
    light.of = context
    if state:
        light.state = state
    return Context({**around, KEY: light})
