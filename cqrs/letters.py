"""What dead letters are, and what keeps them: an event that a subscriber could not take, and the queue it waits in."""

from typing import Final, Protocol, final
from uuid import uuid4

import attrs
from returns.result import Result

from cqrs.faults import Fault, QueueFull
from cqrs.messages import Event

# How long a claim holds without a sign of life of its claimant.
LEASE_SECONDS: Final = 60.0


@final
@attrs.frozen
class StoredEvent:
    """An event as a store keeps it, to be read with its class at hand.

    Attributes:
        payload: a JSON object.
    """

    payload: str


@final
@attrs.frozen
class ErrorRecord:
    """What an attempt failed with, as text: nothing of it keeps anything alive.

    Attributes:
        kind: dotted name of the error's class, or of the exception's for a crash.
        text: what it says.
        traceback: of a crash; empty otherwise.
    """

    kind: str
    text: str
    traceback: str = attrs.field(default="", repr=False)


@final
@attrs.frozen
class DeadLetter:
    """An event that waits for one subscriber.

    Attributes:
        id: 32 hexadecimal digits.
        event: the event, or what a store keeps of it.
        type_id: the name under which its class is stored.
        subscriber: the stable name of the one subscriber it is for.
        sequence: what it keeps its place in; None if it stands alone.
        error: what the last attempt failed with, or why it could not be replayed; None if it waits behind another.
        attempts: how often it was tried, over all replays.
        first_failed_ns: when it was parked, in ns since the Unix epoch.
        last_failed_ns: when the last attempt failed, in ns since the Unix epoch.
        traceparent: the trace of the publish, in W3C form; None if nothing observed it.
    """

    event: Event | StoredEvent
    type_id: str
    subscriber: str
    sequence: str | None = None
    error: ErrorRecord | None = None
    attempts: int = 0
    first_failed_ns: int = 0
    last_failed_ns: int = 0
    traceparent: str | None = None
    id: str = attrs.field(factory=lambda: uuid4().hex)


@final
@attrs.frozen
class LetterFilter:
    """Which letters; what is None does not matter.

    Attributes:
        id: the one with this id.
        subscriber: those for this subscriber.
        sequence: those of this sequence.
        type_id: those whose event is stored under this name.
    """

    id: str | None = None
    subscriber: str | None = None
    sequence: str | None = None
    type_id: str | None = None

    def matches(self, letter: DeadLetter) -> bool:
        """Tell whether a letter is one of them.

        Args:
            letter: the letter.
        """
        asked = (self.id, self.subscriber, self.sequence, self.type_id)
        has = (letter.id, letter.subscriber, letter.sequence, letter.type_id)
        return all(a is None or a == b for a, b in zip(asked, has, strict=True))


EVERY: Final = LetterFilter()


@final
@attrs.frozen
class Page:
    """Some letters, oldest first.

    Attributes:
        letters: the letters.
        cursor: where the next page begins; None after the last.
    """

    letters: tuple[DeadLetter, ...]
    cursor: int | None


@final
@attrs.frozen
class Claim:
    """A letter that nobody else can claim until it is released, discarded, or its claimant is gone.

    Attributes:
        letter: the letter.
        place: its place among all letters; later ones have a higher place.
        token: tells this claim from any other of the same letter.
    """

    letter: DeadLetter
    place: int
    token: str


@final
@attrs.frozen
class StoreFailed(Fault):
    """A store of dead letters could not do what it was asked, and did nothing.

    Attributes:
        store: which.
        operation: what it was asked.
        reason: what went wrong: a full disk, a lock that was not given, a payload that cannot be written, …
    """

    store: str
    operation: str
    reason: str


@final
@attrs.frozen
class LetterNotFound(Fault):
    """There is no such letter, or the claim of it is no longer valid.

    Attributes:
        id: the letter's id.
    """

    id: str


QueueFault = QueueFull | StoreFailed | LetterNotFound


class DeadLetterQueue(Protocol):
    """Keeps dead letters. Nothing raises; what went wrong is a ``Failure``.

    Within a sequence (subscriber and key) letters keep their order, and only the oldest can be claimed.
    """

    async def open(self) -> Result[None, QueueFault]:
        """Get ready; called when the app starts."""
        ...

    async def close(self) -> None:
        """Let go of what ``open`` took; called when the app has stopped."""
        ...

    async def park(self, letter: DeadLetter, /) -> Result[None, QueueFault]:
        """Keep a letter behind all others; ``QueueFull`` if there is no place."""
        ...

    async def park_behind(self, letter: DeadLetter, /) -> Result[bool, QueueFault]:
        """Keep a letter if there is another of its sequence, as one step; tell whether it was kept."""
        ...

    async def page(
        self, cursor: int = 0, limit: int = 100, wanted: LetterFilter = EVERY, /
    ) -> Result[Page, QueueFault]:
        """Give letters, oldest first, from a cursor on."""
        ...

    async def get(self, letter_id: str, /) -> Result[DeadLetter, QueueFault]:
        """Give one letter; ``LetterNotFound`` if there is none with this id."""
        ...

    async def claim(
        self, after: int = 0, wanted: LetterFilter = EVERY, /
    ) -> Result[Claim | None, QueueFault]:
        """Claim the oldest letter behind a place that is the first of its sequence and not claimed; None if none is."""
        ...

    async def extend(self, claim: Claim, /) -> Result[None, QueueFault]:
        """Say that a claim is still worked on; without that it lapses after ``LEASE_SECONDS``."""
        ...

    async def release(self, claim: Claim, letter: DeadLetter, /) -> Result[None, QueueFault]:
        """Give a claimed letter back at its place, as it is now; ``LetterNotFound`` if the claim lapsed."""
        ...

    async def settle(self, claim: Claim, /) -> Result[None, QueueFault]:
        """Remove a claimed letter, which was delivered; ``LetterNotFound`` if the claim lapsed."""
        ...

    async def discard(self, wanted: LetterFilter = EVERY, /) -> Result[int, QueueFault]:
        """Remove letters whether they are claimed or not; give how many."""
        ...

    async def count(self, wanted: LetterFilter = EVERY, /) -> Result[int, QueueFault]:
        """Count letters."""
        ...

    async def oldest_age(self, now_ns: int, /) -> Result[float, QueueFault]:
        """Give how long ago the oldest letter was parked, in seconds; 0 if there is none."""
        ...
