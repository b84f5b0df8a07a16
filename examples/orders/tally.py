"""Counting what an app did, independently of every plugin: the demo compares it with what the server tells."""

from collections import Counter
from typing import final

import attrs
from returns.result import Result

from cqrs import HandlerInfo, Instrument, MessageContext
from cqrs.instrumentation import DeadLetteredDetails, Finished, PublishDetails, outcome_of

Answer = Result[object, object] | BaseException


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
    """Notes every dispatch, publish, delivery and dead letter.

    Attributes:
        seen: what happened, each with its count; a count above one would be a repeated identity.
    """

    name = "tally"

    def __init__(self) -> None:
        self.seen: Counter[Seen] = Counter()

    def finished(self, handler: HandlerInfo, /) -> Finished:
        """Note a dispatch or delivery when it has ended."""
        columns = handler.kind, "handled", handler.message_type, handler.subscriber or ""

        def tell(context: MessageContext, began_ns: int, ended_ns: int, answer: Answer, /) -> None:
            del began_ns, ended_ns
            self._note(*columns, outcome_of(answer), context.message_id)

        return tell

    def published(self, details: PublishDetails, /) -> None:
        """Note a publish when its last delivery has ended."""
        outcome = "cancelled" if details.cancelled else "error" if details.failures else "success"
        self._note("event", "published", details.event_type, "", outcome, details.context.message_id)

    def dead_lettered(self, details: DeadLetteredDetails, /) -> None:
        """Note a delivery that was parked."""
        handler = details.handler
        columns = "event", "dead_letter", handler.message_type, handler.subscriber or ""
        self._note(*columns, "error", details.context.message_id)

    def _note(self, *columns: str) -> None:
        self.seen[Seen(*columns)] += 1
