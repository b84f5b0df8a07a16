"""Around one dispatch: ids and a span before it, one tuple after it; everything else was prepared at start."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from random import Random
from typing import Final, final

from returns.result import Result, Success

from cqrs.clock import Clock, SystemClock
from cqrs.context import MessageContext
from cqrs.instrumentation import (
    Carried,
    DeadLetteredDetails,
    Finished,
    Instrument,
    PublishDetails,
    RetriedDetails,
)
from cqrs.middleware import HandlerInfo, Kind
from cqrs_openobserve.dispatch_facts import Spans, Thresholds, cache_attributes, identify, outcome_and_error
from cqrs_openobserve.edges import edge_of
from cqrs_openobserve.field_columns import FieldColumns
from cqrs_openobserve.observations import More, ObservationQueue, Outcome, Subject
from cqrs_openobserve.records import LEVELS, level_of

Enter = Callable[[MessageContext, object], object]

_NOTHING: Final[ContextVar[object]] = ContextVar("cqrs_openobserve_nothing", default=None)

# A generator of our own: a program that seeds the global one must not repeat its identifiers at every run.
_random: Final = Random()  # noqa: S311  # identifiers, not secrets
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


@final
class DispatchInstrument(Instrument):
    """Leaves exactly one observation per dispatch, however it ends.

    Args:
        queue: where observations go.
        thresholds: what is recorded.
        spans: makes spans; None if there are none.
        clock: tells the time.

    Attributes:
        subjects: of every handler, for what is read of them at intervals.
        retries: further attempts at deliveries, by event.
    """

    name = "openobserve"

    def __init__(
        self,
        queue: ObservationQueue,
        thresholds: Thresholds,
        spans: Spans | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._queue = queue
        self._thresholds = thresholds
        self._least = 0 if thresholds.measured else LEVELS[thresholds.level]
        self._starts = LEVELS[thresholds.level] <= LEVELS["DEBUG"]
        self._spans = spans
        self._clock = clock or SystemClock()
        self._columns: dict[Kind, FieldColumns] = {}
        self._events: dict[type, Subject] = {}
        self._messages: dict[int, object] = {}
        self._letters: dict[HandlerInfo, Subject] = {}
        self.subjects: dict[HandlerInfo, Subject] = {}
        self.retries: Counter[str] = Counter()

    def carried(self, handler: HandlerInfo, /) -> Carried | None:
        """Give each dispatch its span, current for what runs inside; nothing if nobody asks what runs."""
        subject, spans = self._subject(handler), self._spans
        running, bits = subject.running, _random.getrandbits

        def count(context: MessageContext, _: object) -> object:
            running[0] += 1
            context.span_number = bits(64)
            return None

        enter: Enter = (
            count if spans is None else spans.entering(subject.span_name, subject.attributes, running)
        )
        variable = _NOTHING if spans is None else spans.variable
        if self._starts:
            enter = self._announcing(enter, subject)
        if subject.fields:
            enter = self._remembering(enter)
        return None if enter is count and not self._thresholds.measured else Carried(variable, enter)

    def finished(self, handler: HandlerInfo, /) -> Finished:
        """Leave the observation of each dispatch."""
        queue, successes, subject = self._queue, self._queue.successes, self._subject(handler)
        append, running, spans = successes.append, subject.running, self._spans
        real: Mapping[int, object] = {} if spans is None else spans.open
        counted = self.carried(handler) is not None
        # A cache leaves its notes on queries; fields are read from the message.
        special = bool(subject.fields) or (subject.kind == "query" and handler.cache is not None)
        slow = self._worth_ns(subject)
        success: type[object] = Success

        def tell(
            context: MessageContext,
            began: int,
            ended: int,
            answer: Result[object, object] | BaseException,
            /,
        ) -> None:
            if counted:
                running[0] -= 1
            answered: type[object] = type(answer)
            if answered is not success or real or special:
                self._ended(subject, context, (began, ended), answer)
            elif ended - began >= slow or context.attempt != 1:
                leave = append if len(successes) < queue.trigger else queue.succeeded
                leave((subject, ended, ended - began, context))

        return tell

    def published(self, details: PublishDetails, /) -> None:
        """Leave the observation of a publish, and note it on the span of the dispatch that it came from."""
        if self._spans is not None:
            count = details.subscribers
            self._spans.event(
                details.context, "cqrs.emit", {"cqrs.message": details.event_type, "cqrs.subscribers": count}
            )
        subject = self._events.get(details.event)
        if subject is None:
            slow = self._thresholds.slow_ns("event")
            subject = self._events[details.event] = Subject(
                "event", "published", details.event_type, slow_ns=slow
            )
        outcome: Outcome = "error" if details.failures else "success"
        if details.cancelled:
            outcome = "cancelled"
        ended = self._clock.monotonic_ns()
        more = More(subscribers=details.subscribers, **edge_of(details.context))
        self._leave(subject, outcome, details.context, (ended - details.duration_ns, ended), more)

    def retried(self, details: RetriedDetails, /) -> None:
        """Note the retry on the span; count that of a delivery, whose attempts are dispatches of their own."""
        if details.handler.kind == "event":
            self.retries[details.handler.message_type] += 1
        if self._spans is not None:
            known = {"cqrs.attempt": details.attempt, "cqrs.delay": details.delay}
            error_type = identify(details.error)[0] or "unknown"
            self._spans.event(details.context, "cqrs.retry", {**known, "error.type": error_type})

    def dead_lettered(self, details: DeadLetteredDetails, /) -> None:
        """Leave the observation of an event that was parked; likewise."""
        handler = details.handler
        if self._spans is not None:
            known = {"cqrs.message": handler.message_type, "cqrs.subscriber": handler.subscriber or ""}
            more_known = {"cqrs.attempts": details.attempts, "cqrs.parked": details.parked}
            self._spans.event(details.context, "cqrs.dead_letter", {**known, **more_known})
        subject = Subject("event", "dead_letter", handler.message_type, handler.handler, handler.subscriber)
        subject = self._letters.setdefault(handler, subject)
        error = (None, None) if details.error is None else identify(details.error)
        more = More(
            *error,
            self._kept(details.error),
            retries=max(0, details.attempts - 1),
            letter=details.letter_id,
            **edge_of(details.context),
        )
        now = self._clock.monotonic_ns()
        self._leave(subject, "error", details.context, (now, now), more)

    def _worth_ns(self, subject: Subject) -> int:
        # From how long on a success is worth an observation.
        if self._least <= LEVELS["INFO"]:
            return 0
        return subject.slow_ns if self._least <= LEVELS["WARN"] else 2**62

    def _subject(self, handler: HandlerInfo) -> Subject:
        found = self.subjects.get(handler)
        if found is None:
            columns = self._columns.setdefault(handler.kind, FieldColumns())
            found = self.subjects[handler] = Subject(
                handler.kind,
                "handled",
                handler.message_type,
                handler.handler,
                handler.subscriber,
                self._thresholds.slow_ns(handler.kind),
                columns.of(handler.message, handler.log_fields),
            )
        return found

    def _announcing(self, enter: Enter, subject: Subject) -> Enter:
        def announced(context: MessageContext, message: object) -> object:
            value = enter(context, message)
            now = self._clock.monotonic_ns()
            self._leave(subject, "start", context, (now, now))
            return value

        return announced

    def _remembering(self, enter: Enter) -> Enter:
        def remembered(context: MessageContext, message: object) -> object:
            value = enter(context, message)
            self._messages[id(context)] = message
            return value

        return remembered

    def _ended(
        self,
        subject: Subject,
        context: MessageContext,
        times: tuple[int, int],
        answer: Result[object, object] | BaseException,
    ) -> None:
        outcome, error = outcome_and_error(answer)
        error_type, code = (None, None) if error is None else identify(error)
        sampled = False
        if self._spans is not None:
            if subject.kind == "query" and context.notes:
                self._spans.event(context, "cqrs.cache", cache_attributes(context.notes))
            sampled = self._spans.leave(context, outcome, error_type)
        more = More(
            error_type,
            code,
            self._kept(error),
            retries=context.attempt - 1,
            notes=context.notes,
            message=self._messages.pop(id(context), None) if subject.fields else None,
            **edge_of(context),
        )
        self._leave(subject, outcome, context, times, more, sampled=sampled)

    def _kept(self, error: object) -> object:
        return error if self._thresholds.error_texts else None

    def _leave(
        self,
        subject: Subject,
        outcome: Outcome,
        context: MessageContext,
        times: tuple[int, int],
        more: More | None = None,
        *,
        sampled: bool = False,
    ) -> None:
        began, ended = times
        duration = ended - began
        level = level_of(outcome, duration, subject.slow_ns, more.retries if more else 0)
        if LEVELS[level] < self._least and outcome != "start":
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
                sampled,
                more,
            )
        )
