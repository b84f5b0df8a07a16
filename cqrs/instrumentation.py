"""Instruments: they see every dispatch and can change none."""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TextIO, TypeVar, final

import attrs
from returns.result import Failure, Result

from cqrs.context import MessageContext, current
from cqrs.faults import Fault, is_rejection
from cqrs.messages import Message
from cqrs.middleware import HandlerInfo, Next

Value = TypeVar("Value")
Error = TypeVar("Error")

logger: Final = logging.getLogger("cqrs")


@final
@attrs.frozen
class PublishDetails:
    """What an instrument hears of a publish, once every delivery has ended.

    Attributes:
        event: the event's class.
        event_type: its name as people read it.
        subscribers: how many deliveries there were.
        failures: how many of them failed.
        duration_ns: from the call to the end of the last delivery, in ns.
        context: the event's identity; each delivery's ``message_number`` equals its.
        cancelled: whether the publisher was cancelled before the last delivery ended.
    """

    event: type
    event_type: str
    subscribers: int
    failures: int
    duration_ns: int
    context: MessageContext
    cancelled: bool = False


class Instrument:
    """Base of instruments: override the hooks you need; those you do not override are never called.

    A hook that raises is logged once and counted, and the dispatch goes on unchanged: whatever an
    instrument returns, the caller gets the ``Result`` that the handler's side of it answered.

    Attributes:
        name: stands in the log line about a hook that raised.
    """

    name: str = ""

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Wrap a handler's pipeline, outside of all middleware; called once per handler when the app starts.

        Args:
            next: the pipeline; it never raises but for cancellation.
            handler: what is known of the handler.

        Returns:
            An async function of the message; ``cqrs.context.current_context()`` is set in it.
        """
        del handler
        return next

    def published(self, details: PublishDetails, /) -> None:
        """Hear of a publish after its last delivery.

        Args:
            details: what happened.
        """


def overrides(instrument: Instrument, hook: str) -> bool:
    """Tell whether an instrument has a hook of its own.

    Args:
        instrument: the instrument.
        hook: a method name of ``Instrument``.
    """
    return getattr(type(instrument), hook) is not getattr(Instrument, hook)


@final
class HookFailures:
    """Counts the hooks that raised and says each kind once.

    Attributes:
        counts: failures by instrument name and hook.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}

    def add(self, instrument: Instrument, hook: str, error: Exception) -> None:
        """Count one failure; the first of its kind is logged.

        Args:
            instrument: whose hook raised.
            hook: its name.
            error: what it raised.
        """
        key = (instrument.name or type(instrument).__qualname__, hook)
        seen = self.counts.get(key, 0)
        self.counts[key] = seen + 1
        if not seen:
            logger.error("Instrument %s failed in %s; dispatches go on without it.", *key, exc_info=error)


def observe(
    next: Next, instruments: Sequence[Instrument], handler: HandlerInfo, failures: HookFailures
) -> Next:
    """Hang instruments around a pipeline so that nothing they do reaches the caller.

    The pipeline leaves its answer on the ``MessageContext`` that is made here for each dispatch; whatever an
    instrument returns or raises, that answer is what the caller gets. A delivery shares its event's identity.

    Args:
        next: the pipeline, innermost guarded with ``watched=True``.
        instruments: outermost first; without any, the pipeline is given back as it is.
        handler: the pipeline's handler.
        failures: where a hook that raises is counted.
    """
    for place, instrument in reversed(list(enumerate(instruments))):
        observed = _around(next, instrument, handler, failures)
        shield = _shielded if place else _shielded_in_context
        next = shield(observed, next, handler, partial(failures.add, instrument, "around"))
    return next


def _around(next: Next, instrument: Instrument, handler: HandlerInfo, failures: HookFailures) -> Next:
    try:
        return instrument.around(next, handler)
    except Exception as error:
        failures.add(instrument, "around", error)
        return next


def _shielded(observed: Next, next: Next, handler: HandlerInfo, failed: Callable[[Exception], None]) -> Next:
    del handler

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        try:
            await observed(message)
        except Exception as error:
            failed(error)
        context = current.get()
        if context is None or context.answer is None:
            return await _unanswered(context, next, message)
        return context.answer

    return call


def _shielded_in_context(
    observed: Next, next: Next, handler: HandlerInfo, failed: Callable[[Exception], None]
) -> Next:
    # The same and the context in one frame: two frames would cost every observed dispatch a tenth of a handler more.
    delivery = handler.kind == "event"

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent = current.get()
        context = MessageContext()
        if parent is None:
            context.begin()
        elif delivery:
            context.deliver(parent)
        else:
            context.follow(parent)
        token = current.set(context)
        try:
            try:
                await observed(message)
            except Exception as error:
                failed(error)
            answer = context.answer
            return await _unanswered(context, next, message) if answer is None else answer
        except BaseException:
            context.stopped = None  # it holds this frame, which holds it
            raise
        finally:
            try:  # noqa: SIM105 - suppress(...) would cost every observed dispatch
                current.reset(token)
            except ValueError:
                pass  # given up with its event loop and closed in another context, where nothing was set

    return call


async def _unanswered(
    context: MessageContext | None, next: Next, message: Message[Value, Error]
) -> Result[Value, Error | Fault]:
    """Go on where an instrument left off: it never called ``next``, or it swallowed a cancellation."""
    stopped = getattr(context, "stopped", None)
    if stopped is not None:
        raise stopped
    return await next(message)


def outcome_of(result: Result[Any, Any]) -> str:
    """Name what a dispatch came to: ``success``, ``rejected`` or ``error``.

    Args:
        result: what it answered.
    """
    if not isinstance(result, Failure):
        return "success"
    return "rejected" if is_rejection(result.failure()) else "error"


@final
class ConsoleInstrument(Instrument):
    """Prints one line per message: for the first day, and for debugging.

    Args:
        stream: where to; standard error if not given. Colours only if it is a terminal.
    """

    name = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Print the message's line when it has ended, however it ended."""
        label = f"{handler.kind:<7} {handler.message_type}" + (
            f" → {handler.subscriber}" if handler.subscriber else ""
        )

        async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
            started = time.perf_counter_ns()
            outcome, detail = "cancelled", ""
            try:
                result = await next(message)
                outcome, detail = outcome_of(result), _detail(result)
                return result
            finally:
                self._print(outcome, label, (time.perf_counter_ns() - started) / 1e6, detail)

        return call

    def _print(self, outcome: str, label: str, milliseconds: float, detail: str) -> None:
        stream = self._stream or sys.stderr
        colour = _COLOURS[outcome] if stream.isatty() else ""
        reset = "\x1b[0m" if colour else ""
        print(f"{colour}{outcome:<9}{reset} {milliseconds:9.2f} ms  {label}{detail}", file=stream)  # its job


_COLOURS: Final = {
    "success": "\x1b[32m",
    "rejected": "\x1b[33m",
    "error": "\x1b[31m",
    "cancelled": "\x1b[35m",
}


def _detail(result: Result[Any, Any]) -> str:
    return f"  {type(result.failure()).__qualname__}" if isinstance(result, Failure) else ""
