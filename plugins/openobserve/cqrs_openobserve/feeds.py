"""The seam between what is observed and what carries it: queues with their encoders, and what is due at intervals."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar, final

import attrs

from cqrs_openobserve.ledger import Reason
from cqrs_openobserve.payloads import Payload, Signal
from cqrs_openobserve.queues import AnyQueue
from cqrs_openobserve.records import Anchor

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


@final
class Account:
    """What an encoder says of items that end in no payload; every item that was taken is in exactly one place.

    Attributes:
        dropped: items that will not arrive, by reason.
        skipped: items that are no records of the signal.
    """

    __slots__ = ("dropped", "skipped")

    def __init__(self) -> None:
        self.dropped: Counter[Reason] = Counter()
        self.skipped = 0

    def drop(self, reason: Reason, items: int = 1) -> None:
        """Say that items will not arrive.

        Args:
            reason: why, for example ``record_too_large``.
            items: how many.
        """
        self.dropped[reason] += items

    def skip(self, items: int = 1) -> None:
        """Say that items are no records of the signal: below the level, measured only, or part of another record.

        Args:
            items: how many.
        """
        self.skipped += items


@final
@attrs.frozen
class Batch(Generic[Item]):
    """What the worker took from one queue at once.

    Attributes:
        items: at most 1 000.
        anchor: one moment on both clocks.
        account: where the encoder says what becomes of items that end in no payload.
    """

    items: Sequence[Item]
    anchor: Anchor
    account: Account


@final
@attrs.frozen
class Round:
    """One batch on its way through its encoder.

    Attributes:
        taken: how many items were taken.
        payloads: encodes while it is read.
        account: complete when ``payloads`` has been read.
    """

    taken: int
    payloads: Iterator[Payload]
    account: Account


class Takeable(AnyQueue, Protocol[Item_co]):
    """A queue of items of one type."""

    def take(self, most: int) -> Sequence[Item_co]:
        """Take the oldest items.

        Args:
            most: how many at most.
        """
        ...


class AnyFeed(Protocol):
    """A feed, whatever its items are."""

    @property
    def signal(self) -> Signal:
        """Whose books its items stand in."""
        ...

    @property
    def queue(self) -> AnyQueue:
        """Where callers put items."""
        ...

    def next_round(self, most: int, anchor: Anchor) -> Round:
        """Take a batch and hand it to the encoder.

        Args:
            most: how many items at most.
            anchor: one moment on both clocks.
        """
        ...


@final
@attrs.frozen
class Feed(Generic[Item]):
    """A queue and the encoder of what lies in it.

    Attributes:
        signal: whose books the items stand in: each is accepted once, as one record.
        queue: where callers put items.
        encode: makes payloads on the worker's thread. It says to the batch's account which items end in none, and
            may make payloads of another signal beside; those records are accepted as they come.
        fits: says how many items fill one payload; None if it is not known.
    """

    signal: Signal
    queue: Takeable[Item]
    encode: Callable[[Batch[Item]], Iterable[Payload]]
    fits: Callable[[], int] | None = None

    def next_round(self, most: int, anchor: Anchor) -> Round:
        """Take a batch and hand it to the encoder.

        Args:
            most: how many items at most.
            anchor: one moment on both clocks.
        """
        account = Account()
        items = self.queue.take(most if self.fits is None else min(most, self.fits()))
        return Round(len(items), iter(self._encoded(items, anchor, account)), account)

    def _encoded(self, items: Sequence[Item], anchor: Anchor, account: Account) -> Iterable[Payload]:
        return self.encode(Batch(items, anchor, account)) if items else ()


@final
@attrs.frozen
class Timer:
    """Something that is measured at intervals, at a flush and at the end.

    Attributes:
        seconds: the interval.
        produce: makes payloads of any signal on the worker's thread; their records are accepted as they come.
    """

    seconds: float
    produce: Callable[[Anchor], Iterable[Payload]]


@final
@attrs.frozen
class Plan:
    """What one process sends.

    Attributes:
        feeds: in the order in which the worker looks at them: a feed that fills another's queue comes before it.
        timers: what is due at intervals.
    """

    feeds: Sequence[AnyFeed]
    timers: Sequence[Timer] = ()
