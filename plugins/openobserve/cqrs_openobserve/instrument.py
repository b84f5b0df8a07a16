"""Around one dispatch: two clock readings, one span id, one tuple; everything else was prepared at start."""

import os
from collections.abc import Mapping
from random import Random
from typing import TypeVar, cast, final

import attrs
from returns.result import Result, Success

from cqrs import Fault, HandlerCrashed, Message
from cqrs.clock import Clock, SystemClock
from cqrs.context import MessageContext, current
from cqrs.instrumentation import Instrument, PublishDetails, outcome_of
from cqrs.middleware import HandlerInfo, Kind, Next
from cqrs_openobserve.encoding import as_text
from cqrs_openobserve.observations import Observation, ObservationQueue, Outcome, Subject
from cqrs_openobserve.records import LEVELS, level_of

Value = TypeVar("Value")
Error = TypeVar("Error")

# A generator of our own: a program that seeds the global one must not repeat its identifiers at every run.
_random = Random()  # noqa: S311  # identifiers, not secrets
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


@final
@attrs.frozen
class Thresholds:
    """What is recorded, and what counts as slow.

    Attributes:
        level: the lowest level recorded: DEBUG, INFO, WARN or ERROR.
        slow_ms: per kind from how long on it counts as slow, in ms.
    """

    level: str
    slow_ms: Mapping[Kind, int]

    def slow_ns(self, kind: Kind) -> int:
        """Give the threshold of a kind, in ns."""
        return self.slow_ms[kind] * 1_000_000


@final
class DispatchInstrument(Instrument):
    """Leaves exactly one observation per dispatch, however it ends.

    Args:
        queue: where observations go.
        thresholds: what is recorded.
        clock: tells the time.
    """

    name = "openobserve"

    def __init__(self, queue: ObservationQueue, thresholds: Thresholds, clock: Clock | None = None) -> None:
        self._queue = queue
        self._thresholds = thresholds
        self._least = LEVELS[thresholds.level]
        self._clock = clock or SystemClock()
        self._published: dict[type, Subject] = {}

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Give the pipeline with one observation around it."""
        queue, successes, subject = self._queue, self._queue.successes, self._subject(handler)
        append, now, bits = successes.append, self._clock.monotonic_ns, _random.getrandbits
        get_context, announce, ended_otherwise = current.get, self._announce, self._ended_otherwise
        every_success, starts = self._least <= LEVELS["INFO"], self._least <= LEVELS["DEBUG"]
        slow = subject.slow_ns if self._least <= LEVELS["WARN"] else 2**62
        success: type[object] = Success

        async def observed(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
            context = get_context()
            if context is None:
                return await next(message)
            context.span_number = span = bits(64)
            if starts:
                announce(subject, context)
            began = now()
            try:
                result = await next(message)
                answered: type[object] = type(result)
            except BaseException as error:
                ended_otherwise(subject, context, (began, now()), error)
                raise
            ended = now()
            if answered is not success:
                ended_otherwise(subject, context, (began, ended), result)
            elif every_success or ended - began >= slow:
                observation: Observation = (
                    subject,
                    "success",
                    ended,
                    ended - began,
                    context.message_number,
                    context.correlation_number,
                    context.causation_number,
                    context.trace_number,
                    span,
                    context.parent_span_number,
                    None,
                    None,
                    None,
                )
                (append if len(successes) < queue.trigger else queue.offer)(observation)
            return result

        return observed

    def published(self, details: PublishDetails, /) -> None:
        """Leave the observation of a publish."""
        subject = self._published.get(details.event)
        if subject is None:
            slow = self._thresholds.slow_ns("event")
            subject = Subject("event", "published", details.event_type, slow_ns=slow)
            self._published[details.event] = subject
        outcome: Outcome = "error" if details.failures else "success"
        if details.cancelled:
            outcome = "cancelled"
        ended = self._clock.monotonic_ns()
        times = ended - details.duration_ns, ended
        self._leave(subject, outcome, details.context, times, subscribers=details.subscribers)

    def _subject(self, handler: HandlerInfo) -> Subject:
        slow = self._thresholds.slow_ns(handler.kind)
        return Subject(
            handler.kind, "handled", handler.message_type, handler.handler, handler.subscriber, slow
        )

    def _announce(self, subject: Subject, context: MessageContext) -> None:
        now = self._clock.monotonic_ns()
        self._leave(subject, "start", context, (now, now))

    def _ended_otherwise(
        self, subject: Subject, context: MessageContext, times: tuple[int, int], result: object
    ) -> None:
        error: tuple[str | None, str | None] = (None, None)
        if isinstance(result, BaseException):
            outcome: Outcome = "error" if isinstance(result, Exception) else "cancelled"
            error = identify(result)
        else:
            answer = cast("Result[object, object]", result)
            outcome = cast("Outcome", outcome_of(answer))
            error = (None, None) if outcome == "success" else identify(answer.failure())
        self._leave(subject, outcome, context, times, error)

    def _leave(
        self,
        subject: Subject,
        outcome: Outcome,
        context: MessageContext,
        times: tuple[int, int],
        error: tuple[str | None, str | None] = (None, None),
        *,
        subscribers: int | None = None,
    ) -> None:
        began, ended = times
        duration = ended - began
        if LEVELS[level_of(outcome, duration, subject.slow_ns)] < self._least:
            return
        self._queue.offer(
            (
                subject,
                outcome,
                ended,
                duration,
                context.message_number,
                context.correlation_number,
                context.causation_number,
                context.trace_number,
                context.span_number,
                context.parent_span_number,
                *error,
                subscribers,
            )
        )


def identify(error: object) -> tuple[str | None, str | None]:
    """Name an error without its text: its class, and its own code if that is a text.

    Args:
        error: what a ``Failure`` holds; nothing it does is let through.

    Returns:
        ``error_type`` and ``error_code``; a crash's code is the class of its exception.
    """
    if type(error) is HandlerCrashed:
        return "HandlerCrashed", error.exception_type
    try:
        code = getattr(error, "code", None)
    except Exception:  # noqa: BLE001  # a property of the user's that raises: the error has no code then
        code = None
    return as_text(type.__dict__["__name__"].__get__(type(error))), as_text(code)
