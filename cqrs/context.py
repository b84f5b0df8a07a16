"""Who this message is and what caused it: one small object per dispatch, made only while somebody asks for it."""

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from random import Random
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, final

import attrs

from cqrs.deliveries import PublishReport
from cqrs.messages import AnyResult, Event

# A generator of our own: a program that seeds the global one must not repeat its identifiers at every run.
_random = Random()
draw: Final = _random.getrandbits
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)

_NUMBER: Final = re.compile(r"[0-9a-fA-F]{32}")
_NUMBERS: Final = frozenset({"message_number", "correlation_number", "trace_number"})
_identifying: Final = Lock()
_NO_NOTES: Final[Mapping[str, object]] = MappingProxyType({})


class Emit(Protocol):
    """Holds events back until the handler has succeeded: inject it as ``emit: Emit``, call ``emit(event)``.

    After ``Success`` and commit they are published, in their order. After a ``Failure`` or a crash they are dropped.
    """

    def __call__(self, event: Event, /) -> None:
        """Publish an event once the handler has succeeded, and wait for that before ``execute`` returns.

        Args:
            event: the event.

        Raises:
            RuntimeError: if the handler has ended already.
        """
        ...

    def later(self, event: Event, /) -> None:
        """Publish an event once the handler has succeeded, in the background: ``execute`` does not wait for it.

        Args:
            event: the event. If the background queue is full, it is published before ``execute`` returns.

        Raises:
            RuntimeError: if the handler has ended already.
        """
        ...


@final
@attrs.frozen
class Origin:
    """What the edge of a program says about its messages; all messages of one cause share it.

    Attributes:
        tenant: on whose behalf they run, or None.
        principal: who asked, or None.
        correlation_id: the correlation id as it was given, if it is not the number's own 32 digits.
    """

    tenant: str | None = None
    principal: str | None = None
    correlation_id: str | None = None


_NOWHERE: Final = Origin()


class _First:
    # What a first message has stands on a class: what is never set costs a dispatch nothing.
    __slots__ = ()

    causation_number: int | None = None
    parent_span_number: int = 0
    origin: Origin = _NOWHERE
    attempt: int = 1
    answer: AnyResult | None = None
    stopped: BaseException | None = None
    finished_at: int | None = None
    published: tuple[PublishReport, ...] = ()
    _notes: dict[str, object] | None = None


class MessageContext(_First):
    """The identity of one dispatch; child dispatches find it as their cause, across tasks and threads.

    A handler that asks for it as a parameter gets the one of its own dispatch.

    Attributes:
        message_number: 128 random bits, the message's own identity.
        correlation_number: the identity that every message of one cause shares.
        causation_number: the identity of the message whose handler sent this one, or None.
        trace_number: 128 bits of the trace: the first message's number, unless an instrument that traces says otherwise.
        span_number: 64 bits of the span, where the end of the dispatch is told to an instrument; else 0.
        parent_span_number: the span of the message that caused this one; 0 if none.
        origin: tenant, principal and correlation id, as the edge of the program gave them.
        attempt: which attempt of the handler this is, from 1; more than 1 only if its registration retries.
        answer: what the dispatch answered, once it did.
        stopped: what ended the dispatch instead of an answer: cancellation or its like; None if nothing did.
        finished_at: when the handler had succeeded and its events were about to be published, on the machine's monotonic
            clock, in ns; None if it emitted none. The end of the dispatch to whoever measures how long it took.
        published: the reports of the events that it emitted, in their order.
    """

    __slots__ = ("__dict__", "correlation_number", "message_number", "span_number", "trace_number")

    message_number: int
    correlation_number: int
    trace_number: int
    span_number: int
    causation_number: int | None
    parent_span_number: int
    origin: Origin

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name in _NUMBERS:  # drawn for who asks
                return self._identified(name)
            if name == "span_number":  # a slot, because it is set in every observed dispatch
                return 0
            raise AttributeError(f"{type(self).__qualname__} has no attribute {name!r}")

    def _identified(self, name: str) -> object:
        with _identifying:  # two threads that the handler started get the same number
            try:
                return object.__getattribute__(self, name)
            except AttributeError:
                return getattr(self.begin(), name)

    def begin(self) -> "MessageContext":
        """Be the first message of its cause, with a number that is drawn now."""
        self.message_number = self.correlation_number = self.trace_number = draw(128)
        return self

    def follow(self, parent: "MessageContext") -> "MessageContext":
        """Be a message that another one caused.

        Args:
            parent: the context of the message whose handler sent this one.
        """
        self.message_number = draw(128)
        self.correlation_number = parent.correlation_number
        self.causation_number = parent.message_number or None
        self.trace_number = parent.trace_number
        self.parent_span_number = parent.span_number or parent.parent_span_number
        self.origin = parent.origin
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

    def note(self, key: str, value: object) -> None:
        """Leave word for whoever observes this dispatch: an instrument, another plugin.

        Args:
            key: what it is about, with the plugin's name in front: ``swr.status``.
            value: what there is to say; a later one of the same key replaces it.
        """
        if self._notes is None:
            self._notes = {}
        self._notes[key] = value

    @property
    def notes(self) -> Mapping[str, object]:
        """What was noted in this dispatch."""
        return _NO_NOTES if self._notes is None else MappingProxyType(self._notes)

    @property
    def message_id(self) -> str:
        """The message's identity as 32 hexadecimal digits."""
        return f"{self.message_number:032x}"

    @property
    def correlation_id(self) -> str:
        """The identity shared by all messages of one cause: as the edge gave it, else 32 hexadecimal digits."""
        return self.origin.correlation_id or f"{self.correlation_number:032x}"

    @property
    def causation_id(self) -> str | None:
        """The identity of the message that caused this one, or None for the first."""
        return None if self.causation_number is None else f"{self.causation_number:032x}"

    @property
    def tenant(self) -> str | None:
        """On whose behalf this message runs, as the edge of the program said; None if it did not."""
        return self.origin.tenant

    @property
    def principal(self) -> str | None:
        """Who asked, as the edge of the program said; None if it did not."""
        return self.origin.principal


@final
class _Edge(MessageContext):
    """What dispatches begin from instead of nothing: never the context of a dispatch itself."""

    inside: MessageContext | None


current: ContextVar[MessageContext | None] = ContextVar("cqrs_message_context", default=None)


def current_context() -> MessageContext | None:
    """Return the context of the dispatch that runs this code, or None outside of one or while nobody asks for it."""
    context = current.get()
    return context.inside if type(context) is _Edge else context


@contextmanager
def cqrs_context(
    *, tenant: str | None = None, principal: str | None = None, correlation_id: str | None = None
) -> Generator[None]:
    """Say on whose behalf and for which request messages are sent: at the edge of a program, before ``execute``.

    All messages that are sent inside, in whatever task or thread, share one correlation; what is not given, or blank, is
    as outside. The context of a dispatch that runs already is left alone.

    Args:
        tenant: on whose behalf.
        principal: who asks.
        correlation_id: what all these messages have in common; a new one if not given and not inherited.
    """
    outer = current.get()
    edge = _edge(outer)
    origin = edge.origin
    edge.origin = Origin(
        tenant or origin.tenant, principal or origin.principal, correlation_id or origin.correlation_id
    )
    if correlation_id:
        edge.correlation_number = _number_of(correlation_id)
    token = current.set(edge)
    try:
        yield
    finally:
        with suppress(ValueError):  # given up with its event loop and closed in another context
            current.reset(token)


def _edge(outer: MessageContext | None) -> _Edge:
    edge = _Edge()
    if outer is None:
        edge.begin()
        edge.message_number = 0  # no message: what begins here has no cause
    else:
        edge.deliver(outer)
    edge.inside = outer.inside if type(outer) is _Edge else outer
    return edge


def _number_of(correlation_id: str) -> int:
    digits = correlation_id.replace("-", "")
    if _NUMBER.fullmatch(digits):
        return int(digits, 16)
    from hashlib import blake2b  # few need it

    return int.from_bytes(blake2b(correlation_id.encode("utf-8", "surrogatepass"), digest_size=16).digest())
