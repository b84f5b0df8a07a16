"""Parking: what a subscriber could not take goes to the dead letters, or is counted and said. It is never just dropped."""

import logging
from typing import Final, final

import anyio
import attrs
from returns.result import Failure, Result, Success

from cqrs.clock import Clock
from cqrs.context import MessageContext, current_context
from cqrs.faults import Fault, HandlerCrashed, ParkedBehind
from cqrs.hook_details import DeadLetteredDetails
from cqrs.hooks import Hooks
from cqrs.letters import DeadLetter, DeadLetterQueue, ErrorRecord
from cqrs.messages import Event, type_ids
from cqrs.middleware import HandlerInfo
from cqrs.problems import name_of

logger: Final = logging.getLogger("cqrs")

# How long a publisher that is cancelled waits for a letter that is on its way.
_PARKING_SECONDS: Final = 5.0
_MOST_TEXT: Final = 2048


@final
@attrs.frozen
class Failed:
    """A delivery that failed.

    Attributes:
        event: the event.
        handler: the subscriber.
        sequence: what the event keeps its place in, or None.
        error: what the last attempt failed with.
        attempts: how often it was tried.
    """

    event: Event
    handler: HandlerInfo
    sequence: str | None
    error: object
    attempts: int

    def letter(self, now_ns: int) -> DeadLetter:
        """Give it as a dead letter.

        Args:
            now_ns: the time, in ns since the Unix epoch.
        """
        return DeadLetter(
            self.event,
            type_ids(type(self.event))[0],
            self.handler.subscriber or self.handler.handler,
            self.sequence,
            None if self.error is None else recorded(self.error),
            self.attempts,
            now_ns,
            now_ns,
            _traceparent(current_context()),
        )


@final
class Parking:
    """Puts what failed among the dead letters.

    Args:
        queue: where they are kept.
        clock: when it was.
        hooks: what instruments are told.

    Attributes:
        overflows: how many events could not be parked; each is said at ERROR on the logger ``cqrs``.
    """

    def __init__(self, queue: DeadLetterQueue, clock: Clock, hooks: Hooks) -> None:
        self.queue = queue
        self.overflows: int = 0
        self._clock = clock
        self._hooks = hooks

    async def park(self, failed: Failed) -> bool:
        """Park an event; tell whether it waits now.

        A cancellation does not keep it from that for five seconds.

        Args:
            failed: the delivery.
        """
        letter = failed.letter(self._clock.time_ns())
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + _PARKING_SECONDS):
            parked = await self.queue.park(letter)
            self._say(failed, letter, parked)
            return not isinstance(parked, Failure)
        self._say(failed, letter, Failure(f"it took more than {_PARKING_SECONDS:g} s"))
        return False

    async def park_behind(self, event: Event, handler: HandlerInfo, sequence: str) -> Fault | None:
        """Park an event if an earlier one of its sequence is parked.

        Args:
            event: the event.
            handler: the subscriber.
            sequence: what the event keeps its place in.

        Returns:
            None if nothing is before it; ``ParkedBehind``, or why it is not known whether anything is before it.
        """
        waiting = Failed(event, handler, sequence, None, 0)
        letter = waiting.letter(self._clock.time_ns())
        parked = await self.queue.park_behind(letter)
        if parked == Success(False):
            return None
        self._say(waiting, letter, parked)
        return parked.failure() if isinstance(parked, Failure) else ParkedBehind(letter.subscriber, sequence)

    def _say(self, failed: Failed, letter: DeadLetter, parked: Result[object, object]) -> None:
        event = failed.handler.message_type
        if isinstance(parked, Failure):
            self.overflows += 1
            logger.error(
                "dead_letter_overflow: %s did not take %s, which could not be parked either: %s; what it failed with: %s",
                letter.subscriber,
                event,
                parked.failure(),
                letter.error,
            )
        elif letter.error is None:
            logger.error(
                "%s waits for %s behind an earlier event of %r.", event, letter.subscriber, letter.sequence
            )
        else:
            logger.error(
                "%s did not take %s after %d attempts; it waits as dead letter %s: %s",
                letter.subscriber,
                event,
                letter.attempts,
                letter.id,
                letter.error,
            )
        self._tell(failed, letter, parked=not isinstance(parked, Failure))

    def _tell(self, failed: Failed, letter: DeadLetter, *, parked: bool) -> None:
        context = current_context()
        if self._hooks.dead_lettered is None or context is None:
            return
        details = DeadLetteredDetails(
            failed.handler, letter.id, letter.sequence, letter.attempts, failed.error, parked, context
        )
        self._hooks.dead_lettered(details)


def recorded(error: object) -> ErrorRecord:
    """Give an error as text.

    Args:
        error: what a ``Failure`` holds.
    """
    if isinstance(error, HandlerCrashed):
        return ErrorRecord(error.exception_type, error.text, error.traceback)
    try:
        text = str(error)[:_MOST_TEXT]
    except Exception as second:  # a user's __str__ may raise anything
        text = f"<str() raised {type(second).__name__}>"
    return ErrorRecord(name_of(type(error)), text)


def _traceparent(context: MessageContext | None) -> str | None:
    if context is None:
        return None
    span = context.span_number or context.parent_span_number or context.message_number & 0xFFFF_FFFF_FFFF_FFFF
    return f"00-{context.trace_number:032x}-{span or 1:016x}-01"
