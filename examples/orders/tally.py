"""Counting what an app did, independently of every plugin: the demo compares it with what the server tells."""

from collections import Counter
from typing import TypeVar, final

import attrs
from returns.result import Result

from cqrs import Fault, HandlerInfo, Instrument, Message, Next, current_context
from cqrs.instrumentation import PublishDetails, outcome_of

Value = TypeVar("Value")
Error = TypeVar("Error")


@final
@attrs.frozen(order=True)
class Seen:
    """One thing that happened, as it must be found on the server."""

    kind: str
    record: str
    message_type: str
    subscriber: str
    outcome: str
    message_id: str


@final
class Tally(Instrument):
    """Notes every dispatch, publish and delivery.

    Attributes:
        seen: what happened, each with its count; a count above one would be a repeated identity.
    """

    name = "tally"

    def __init__(self) -> None:
        self.seen: Counter[Seen] = Counter()

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Note a dispatch or delivery when it has ended."""

        async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
            outcome = "cancelled"
            context = current_context()
            try:
                result = await next(message)
                outcome = outcome_of(result)
                return result
            finally:
                identity = context.message_id if context else ""
                self._note(
                    handler.kind, "handled", handler.message_type, handler.subscriber or "", outcome, identity
                )

        return call

    def published(self, details: PublishDetails, /) -> None:
        """Note a publish when its last delivery has ended."""
        outcome = "cancelled" if details.cancelled else "error" if details.failures else "success"
        self._note("event", "published", details.event_type, "", outcome, details.context.message_id)

    def _note(self, *columns: str) -> None:
        self.seen[Seen(*columns)] += 1
