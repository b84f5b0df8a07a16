"""Who this message is and what caused it: one small object per dispatch, made only while somebody observes."""

import os
from contextvars import ContextVar
from random import Random
from typing import final

from cqrs.messages import AnyResult

# A generator of our own: a program that seeds the global one must not repeat its identifiers at every run.
_random = Random()
_bits = _random.getrandbits
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


@final
class MessageContext:
    """The identity of one dispatch; child dispatches find it as their cause, across tasks and threads.

    Attributes:
        message_number: 128 random bits, the message's own identity.
        correlation_number: the identity that every message of one cause shares.
        causation_number: the identity of the message whose handler sent this one, or None.
        trace_number: 128 bits of the trace: the first message's number, unless an instrument that traces says otherwise.
        span_number: 64 bits of the span, set by an instrument that traces; 0 if nothing does.
        parent_span_number: the span of the message that caused this one; 0 if none.
        answer: what the dispatch answered, once it did.
        stopped: what ended the dispatch instead of an answer: cancellation or its like; absent if nothing did.
    """

    __slots__ = (
        "answer",
        "causation_number",
        "correlation_number",
        "message_number",
        "parent_span_number",
        "span_number",
        "stopped",
        "trace_number",
    )

    message_number: int
    correlation_number: int
    causation_number: int | None
    trace_number: int
    span_number: int
    parent_span_number: int
    answer: AnyResult | None
    stopped: BaseException | None

    def begin(self) -> "MessageContext":
        """Be the first message of its cause."""
        # No __init__, and one method for the usual case: this runs once per observed dispatch.
        self.message_number = self.correlation_number = self.trace_number = _bits(128)
        self.causation_number = self.answer = None
        self.span_number = self.parent_span_number = 0
        return self

    def follow(self, parent: "MessageContext") -> "MessageContext":
        """Be a message that another one caused.

        Args:
            parent: the context of the message whose handler sent this one.
        """
        self.message_number = _bits(128)
        self.correlation_number = parent.correlation_number
        self.causation_number = parent.message_number
        self.trace_number = parent.trace_number
        self.span_number = 0
        self.parent_span_number = parent.span_number or parent.parent_span_number
        self.answer = None
        return self

    def deliver(self, event: "MessageContext") -> "MessageContext":
        """Be one delivery of an event: the same message, a span of its own.

        Args:
            event: the context of the publish.
        """
        self.follow(event)
        self.message_number = event.message_number
        self.causation_number = event.causation_number
        return self

    @property
    def message_id(self) -> str:
        """The message's identity as 32 hexadecimal digits."""
        return f"{self.message_number:032x}"

    @property
    def correlation_id(self) -> str:
        """The identity shared by all messages of one cause, as 32 hexadecimal digits."""
        return f"{self.correlation_number:032x}"

    @property
    def causation_id(self) -> str | None:
        """The identity of the message that caused this one, or None for the first."""
        return None if self.causation_number is None else f"{self.causation_number:032x}"


current: ContextVar[MessageContext | None] = ContextVar("cqrs_message_context", default=None)


def current_context() -> MessageContext | None:
    """Return the context of the dispatch that runs this code, or None outside of one or while nobody observes."""
    return current.get()
