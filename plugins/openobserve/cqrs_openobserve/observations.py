"""What a caller leaves behind: one tuple per dispatch, in two bounded lanes, without a lock."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias, TypeVar, final

import attrs

from cqrs.context import MessageContext
from cqrs.middleware import Kind
from cqrs_openobserve.edges import edge_of
from cqrs_openobserve.field_columns import FieldColumn
from cqrs_openobserve.queues import Tally, popped

Item = TypeVar("Item")
Outcome = Literal["success", "rejected", "error", "cancelled", "start"]
RecordKind = Literal["handled", "published", "dead_letter", "probe"]

SUCCESSES: Final = 12_288
REST: Final = 4_096


@final
@attrs.frozen(eq=False)
class Subject:
    """What all observations of one handler have in common, made when the app starts.

    Attributes:
        kind: the kind of message.
        record: which records come of it.
        message_type: the message's name.
        handler: dotted name of the handler, or None.
        subscriber: name of the subscriber, or None.
        slow_ns: from how long on it counts as slow, in ns.
        fields: columns of the message's fields that the handler has recorded.
        running: how many of its dispatches run now.
    """

    kind: Kind
    record: RecordKind
    message_type: str
    handler: str | None = None
    subscriber: str | None = None
    slow_ns: int = 2**62
    fields: tuple[FieldColumn, ...] = ()
    running: list[int] = attrs.field(factory=lambda: [0], repr=False)

    @property
    def span_name(self) -> str:
        """Name of the spans of its dispatches: one per handler, never one per message."""
        return f"{self.kind} {self.message_type}"

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes that all spans of its dispatches have."""
        known = {
            "cqrs.kind": self.kind,
            "cqrs.message": self.message_type,
            "cqrs.handler": self.handler,
            "cqrs.subscriber": self.subscriber,
        }
        return {name: value for name, value in known.items() if value}


@final
@attrs.frozen(eq=False)
class More:
    """What few observations have; nothing of it is looked into on the caller's thread.

    Attributes:
        error_type: class of the error.
        error_code: the error's own code.
        error: the error itself, if its text is recorded.
        subscribers: how many subscribers an event reached.
        retries: attempts after the first.
        letter: id of the dead letter.
        notes: what plugins noted.
        message: the message, if fields of it are recorded.
        correlation: the correlation id, if the edge of the program gave one.
        tenant: on whose behalf, if the edge of the program said so.
        principal: who asked, likewise.
    """

    error_type: str | None = None
    error_code: str | None = None
    error: object = attrs.field(default=None, repr=False)
    subscribers: int | None = None
    retries: int = 0
    letter: str | None = None
    notes: Mapping[str, object] = attrs.field(factory=dict[str, object], repr=False)
    message: object = attrs.field(default=None, repr=False)
    correlation: str | None = None
    tenant: str | None = None
    principal: str | None = None


# subject, outcome, monotonic end in ns, duration in ns, message, correlation, causation, trace, span and parent
# span number, whether a span was made, what else there is. A plain tuple: anything else costs the caller more.
Observation: TypeAlias = tuple[
    Subject,
    Outcome,
    int,
    int,
    int,
    int,
    int | None,
    int,
    int,
    int,
    bool,
    More | None,
]
# What a dispatch that merely succeeded leaves: subject, monotonic end in ns, duration in ns, and its context, which is
# read by the worker. A caller pays for every attribute that it reads.
Success: TypeAlias = tuple[Subject, int, int, MessageContext]


@final
class ObservationQueue:
    """Two lanes, so that errors are never pushed out by successes.

    The instrument appends to ``successes`` itself while it is shorter than ``trigger``; everything else comes
    through ``offer`` and ``succeeded``, which also wake the worker.

    Args:
        trigger: how many waiting observations wake the worker.
        wake: called on a caller's thread; must not block.

    Attributes:
        successes: dispatches that succeeded.
        rest: all others.
        trigger: the length up to which nothing needs to be done; 0 until the worker runs and once closed.
        taken: how many of the rest and of the successes ``take`` has given so far.
        full: observations dropped because their lane was full.
        late: observations that came after ``close``.
    """

    __slots__ = ("_closed", "_wake", "full", "late", "rest", "successes", "taken", "trigger")

    def __init__(self, wake: Callable[[], None]) -> None:
        self.successes: deque[Observation | Success] = deque()
        self.rest: deque[Observation] = deque()
        self.trigger = 0
        self.taken: tuple[int, ...] = (0, 0)
        self.full = Tally()
        self.late = Tally()
        self._wake = wake
        self._closed = False

    def offer(self, observation: Observation) -> None:
        """Take an observation, or count it as dropped.

        Args:
            observation: see ``Observation``.
        """
        if observation[1] == "success":
            self._put(self.successes, SUCCESSES, observation)
        else:
            self._put(self.rest, REST, observation)

    def succeeded(self, success: Success) -> None:
        """Take a success, or count it as dropped.

        Args:
            success: see ``Success``.
        """
        self._put(self.successes, SUCCESSES, success)

    def take(self, most: int) -> list[Observation]:
        """Take the oldest observations, those that are no successes first.

        Args:
            most: how many at most.
        """
        rest = popped(self.rest, most)
        successes = popped(self.successes, most - len(rest))
        self.taken = (self.taken[0] + len(rest), self.taken[1] + len(successes))
        return rest + [_in_full(each) for each in successes]

    def mark(self) -> tuple[int, ...]:
        """Give what ``taken`` will be when all that waits now has been taken."""
        return self.taken[0] + len(self.rest), self.taken[1] + len(self.successes)

    def close(self) -> None:
        """Take nothing more."""
        self._closed = True
        self.trigger = 0

    def forget(self) -> int:
        """Empty both lanes, in place because callers hold them; says how many were dropped."""
        rest, successes = popped(self.rest, len(self.rest)), popped(self.successes, len(self.successes))
        self.taken = (self.taken[0] + len(rest), self.taken[1] + len(successes))
        return len(rest) + len(successes)

    def reset(self) -> None:
        """Begin anew in a forked child: empty, with counts of zero."""
        self.forget()
        self.full, self.late = Tally(), Tally()
        self.trigger, self.taken = 0, (0, 0)

    def __len__(self) -> int:
        return len(self.rest) + len(self.successes)

    def _put(self, lane: deque[Item], bound: int, item: Item) -> None:
        if self._closed:
            self.late.add()
            return
        if len(lane) >= bound:
            self.full.add()
        else:
            lane.append(item)
        if len(lane) >= self.trigger:
            self._wake()


def _in_full(success: Observation | Success) -> Observation:
    if len(success) != 4:
        return success
    subject, ended, duration, context = success
    retries, edge = context.attempt - 1, edge_of(context)
    return (
        subject,
        "success",
        ended,
        duration,
        context.message_number,
        context.correlation_number,
        context.causation_number,
        context.trace_number,
        context.span_number,
        context.parent_span_number,
        False,
        More(retries=retries, **edge) if retries or edge else None,
    )
