"""Instruments: they see every dispatch and can change none."""

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Final, Literal, Protocol, TextIO, final

import attrs
from returns.result import Failure

from cqrs.context import MessageContext
from cqrs.faults import is_rejection
from cqrs.hook_details import (
    AppDetails,
    DeadLetteredDetails,
    DeliveredDetails,
    PublishDetails,
    RefreshedDetails,
    RetriedDetails,
)
from cqrs.messages import AnyResult
from cqrs.middleware import HandlerInfo, Next

__all__ = [
    "AppDetails",
    "Carried",
    "ConsoleInstrument",
    "DeadLetteredDetails",
    "DeliveredDetails",
    "Finished",
    "Instrument",
    "Outcome",
    "PublishDetails",
    "RefreshedDetails",
    "RetriedDetails",
    "outcome_of",
    "overrides",
]

Outcome = Literal["success", "rejected", "error", "cancelled"]


@final
@attrs.frozen(eq=False)
class Carried:
    """A context variable of somebody else's that a dispatch runs with, such as OpenTelemetry's current span.

    Attributes:
        variable: the variable; it has its former value again when the caller goes on.
        value: gives what to set it to, from the dispatch's context and its message; called on the caller's time.
    """

    variable: ContextVar[object]
    value: Callable[[MessageContext, object], object]


class Finished(Protocol):
    """What ``Instrument.finished`` gives: called once per dispatch, on the caller's time."""

    def __call__(
        self,
        context: MessageContext,
        began_ns: int,
        ended_ns: int,
        answer: AnyResult | BaseException,
        /,
    ) -> None:
        """Hear of a dispatch that has ended.

        Args:
            context: its identity.
            began_ns: when it began, on the machine's monotonic clock, in ns.
            ended_ns: when it ended, in ns.
            answer: what it answered, or what ended it instead: cancellation, ``KeyboardInterrupt`` and their like.
        """
        ...


class Instrument:
    """Base of instruments: override the hooks you need; those you do not override are never called.

    A hook that raises is logged once and counted, and the dispatch goes on unchanged: whatever an
    instrument returns, the caller gets the ``Result`` that the handler's side of it answered.

    Attributes:
        name: stands in the log line about a hook that raised, behind the name of the plugin that brought it.
    """

    name: str = ""

    def finished(self, handler: HandlerInfo, /) -> Finished | None:
        """Give the function that hears of each dispatch of a handler when it has ended, however it ended.

        Called once per handler when the app starts. This is the cheap way to see a dispatch: no further frame.

        Args:
            handler: what is known of the handler.

        Returns:
            The function, or None to hear nothing of this handler.
        """
        del handler
        return None

    def carried(self, handler: HandlerInfo, /) -> Carried | None:
        """Give the context variable that each dispatch of a handler runs with.

        Called once per handler when the app starts. This is the cheap way to do something before a dispatch and to be
        found by what runs inside: no further frame.

        Args:
            handler: what is known of the handler.

        Returns:
            The variable and its values, or None to set nothing for this handler.
        """
        del handler
        return None

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Wrap a handler's pipeline, outside of all middleware; called once per handler when the app starts.

        For instruments that do something before or during a dispatch; to hear of its end, ``finished`` is enough.

        Args:
            next: the pipeline; it never raises but for cancellation.
            handler: what is known of the handler.

        Returns:
            An async function of the message; ``cqrs.context.current_context()`` is set in it. ``next`` itself leaves
            the pipeline as it is.
        """
        del handler
        return next

    def published(self, details: PublishDetails, /) -> None:
        """Hear of a publish after its last delivery.

        Args:
            details: what happened.
        """

    def delivered(self, details: DeliveredDetails, /) -> None:
        """Hear of a delivery after its last attempt; ``finished`` hears of it too, without attempts and dead letters.

        Args:
            details: what happened.
        """

    def retried(self, details: RetriedDetails, /) -> None:
        """Hear of an attempt that failed and is followed by another, before the wait.

        Args:
            details: what happened.
        """

    def dead_lettered(self, details: DeadLetteredDetails, /) -> None:
        """Hear of an event that was parked for a subscriber, or that could not be.

        Args:
            details: what happened.
        """

    def refreshed(self, details: RefreshedDetails, /) -> None:
        """Hear of a query that a cache asked anew on its own account.

        Args:
            details: what happened.
        """

    def app_started(self, details: AppDetails, /) -> None:
        """Hear that the app is open.

        Args:
            details: what it consists of.
        """

    def app_stopped(self, details: AppDetails, /) -> None:
        """Hear that the app has closed its buses and stops its plugins next.

        Args:
            details: what it consisted of.
        """


def overrides(instrument: Instrument, hook: str) -> bool:
    """Tell whether an instrument has a hook of its own.

    Args:
        instrument: the instrument.
        hook: a method name of ``Instrument``.
    """
    return getattr(type(instrument), hook) is not getattr(Instrument, hook)


def outcome_of(answer: AnyResult | BaseException) -> Outcome:
    """Name what a dispatch came to.

    Args:
        answer: what it answered, or what ended it instead.
    """
    if isinstance(answer, BaseException):
        return "cancelled"
    if not isinstance(answer, Failure):
        return "success"
    return "rejected" if is_rejection(answer.failure()) else "error"


@final
class ConsoleInstrument(Instrument):
    """Prints one line per message: for the first day, and for debugging.

    Args:
        stream: where to; standard error if not given. Colours only if it is a terminal.
    """

    name = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def finished(self, handler: HandlerInfo, /) -> Finished:
        """Print a message's line when it has ended, however it ended."""
        to = f" → {handler.subscriber}" if handler.subscriber else ""
        label = f"{handler.kind:<7} {handler.message_type}{to}"

        def tell(
            context: MessageContext, began_ns: int, ended_ns: int, answer: AnyResult | BaseException, /
        ) -> None:
            del context
            self._print(outcome_of(answer), label, (ended_ns - began_ns) / 1e6, _detail(answer))

        return tell

    def _print(self, outcome: Outcome, label: str, milliseconds: float, detail: str) -> None:
        stream = self._stream or sys.stderr
        colour = _COLOURS[outcome] if stream.isatty() else ""
        reset = "\x1b[0m" if colour else ""
        print(f"{colour}{outcome:<9}{reset} {milliseconds:9.2f} ms  {label}{detail}", file=stream)  # its job


_COLOURS: Final[Mapping[Outcome, str]] = {
    "success": "\x1b[32m",
    "rejected": "\x1b[33m",
    "error": "\x1b[31m",
    "cancelled": "\x1b[35m",
}


def _detail(answer: AnyResult | BaseException) -> str:
    if isinstance(answer, BaseException):
        return f"  {type(answer).__qualname__}"
    return f"  {type(answer.failure()).__qualname__}" if isinstance(answer, Failure) else ""
