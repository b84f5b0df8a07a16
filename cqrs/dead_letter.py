"""Dead letters, and the queue that keeps them in memory: bounded, and gone with the process, which it says."""

import logging
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final, final
from uuid import uuid4

import attrs
from returns.result import Failure, Result, Success

from cqrs.clock import Clock, SystemClock
from cqrs.faults import QueueFull
from cqrs.letters import (
    EVERY,
    LEASE_SECONDS,
    Claim,
    DeadLetter,
    DeadLetterQueue,
    ErrorRecord,
    LetterFilter,
    LetterNotFound,
    Page,
    QueueFault,
    StoredEvent,
    StoreFailed,
)

__all__ = [
    "EVERY",
    "LEASE_SECONDS",
    "Claim",
    "DeadLetter",
    "DeadLetterQueue",
    "ErrorRecord",
    "LetterFilter",
    "LetterNotFound",
    "MemoryDeadLetterQueue",
    "Page",
    "QueueFault",
    "StoreFailed",
    "StoredEvent",
]

logger: Final = logging.getLogger("cqrs")

MOST_SEQUENCES: Final = 1024
MOST_LETTERS: Final = 1024

# Letters of one sequence; a letter without one is a sequence of its own.
_Key = tuple[str, str]


@final
class MemoryDeadLetterQueue:
    """Keeps dead letters in memory: what an app uses if it is given nothing else.

    Args:
        sequences: how many sequences it holds at most; a letter without one counts as one.
        letters: how many letters a sequence holds at most.
        clock: tells when a claim lapses and how old letters are.
    """

    def __init__(
        self, sequences: int = MOST_SEQUENCES, letters: int = MOST_LETTERS, clock: Clock | None = None
    ) -> None:
        self._sequences = sequences
        self._most = letters
        self._clock = SystemClock() if clock is None else clock
        self._next = 1
        self._letters: dict[int, DeadLetter] = {}
        self._places: dict[str, int] = {}
        self._order: dict[_Key, deque[int]] = {}
        self._claims: dict[int, tuple[str, int]] = {}

    async def open(self) -> Result[None, QueueFault]:
        """Be ready; letters of an earlier run of the app are still there."""
        return Success(None)

    async def close(self) -> None:
        """Say what is about to be forgotten."""
        if self._letters:
            logger.warning(
                "%d dead letters are in memory only and end with the process; keep them: CQRS_DEAD_LETTERS=sqlite:PATH.",
                len(self._letters),
            )

    async def park(self, letter: DeadLetter, /) -> Result[None, QueueFault]:
        """Keep a letter behind all others; ``QueueFull`` if there is no place."""
        key = _key(letter)
        waiting = self._order.get(key)
        if waiting is None and len(self._order) >= self._sequences:
            return Failure(QueueFull("dead-letter sequences", self._sequences))
        if waiting is not None and len(waiting) >= self._most:
            return Failure(QueueFull(f"dead letters of one sequence ({key[1]})", self._most))
        place, self._next = self._next, self._next + 1
        self._order.setdefault(key, deque()).append(place)
        self._letters[place] = letter
        self._places[letter.id] = place
        return Success(None)

    async def park_behind(self, letter: DeadLetter, /) -> Result[bool, QueueFault]:
        """Keep a letter if there is another of its sequence; tell whether it was kept."""
        if letter.sequence is None or _key(letter) not in self._order:
            return Success(False)
        parked = await self.park(letter)
        return parked.map(lambda _: True)

    async def page(
        self, cursor: int = 0, limit: int = 100, wanted: LetterFilter = EVERY, /
    ) -> Result[Page, QueueFault]:
        """Give letters, oldest first, from a cursor on."""
        found = list(islice(self._matching(wanted, cursor), limit + 1))
        more = found[limit - 1] if len(found) > limit else None
        return Success(Page(tuple(self._letters[place] for place in found[:limit]), more))

    async def get(self, letter_id: str, /) -> Result[DeadLetter, QueueFault]:
        """Give one letter; ``LetterNotFound`` if there is none with this id."""
        place = self._places.get(letter_id)
        return Failure(LetterNotFound(letter_id)) if place is None else Success(self._letters[place])

    async def claim(
        self, after: int = 0, wanted: LetterFilter = EVERY, /
    ) -> Result[Claim | None, QueueFault]:
        """Claim the oldest letter behind a place that is the first of its sequence and not claimed; None if none is."""
        now = self._clock.monotonic_ns()
        for place in self._matching(wanted, after):
            letter = self._letters[place]
            if self._order[_key(letter)][0] == place and not self._claimed(place, now):
                claim = Claim(letter, place, uuid4().hex)
                self._hold(claim, now)
                return Success(claim)
        return Success(None)

    async def extend(self, claim: Claim, /) -> Result[None, QueueFault]:
        """Say that a claim is still worked on."""
        if not self._holds(claim):
            return Failure(LetterNotFound(claim.letter.id))
        self._hold(claim, self._clock.monotonic_ns())
        return Success(None)

    async def release(self, claim: Claim, letter: DeadLetter, /) -> Result[None, QueueFault]:
        """Give a claimed letter back at its place, as it is now; ``LetterNotFound`` if the claim lapsed."""
        if not self._holds(claim):
            return Failure(LetterNotFound(claim.letter.id))
        kept = claim.letter
        self._letters[claim.place] = attrs.evolve(
            letter, id=kept.id, subscriber=kept.subscriber, sequence=kept.sequence
        )
        del self._claims[claim.place]
        return Success(None)

    async def settle(self, claim: Claim, /) -> Result[None, QueueFault]:
        """Remove a claimed letter, which was delivered; ``LetterNotFound`` if the claim lapsed."""
        if not self._holds(claim):
            return Failure(LetterNotFound(claim.letter.id))
        self._remove(claim.place)
        return Success(None)

    async def discard(self, wanted: LetterFilter = EVERY, /) -> Result[int, QueueFault]:
        """Remove letters whether they are claimed or not; give how many."""
        places = list(self._matching(wanted, 0))
        for place in places:
            self._remove(place)
        return Success(len(places))

    async def count(self, wanted: LetterFilter = EVERY, /) -> Result[int, QueueFault]:
        """Count letters."""
        return Success(sum(1 for _ in self._matching(wanted, 0)))

    async def oldest_age(self, now_ns: int, /) -> Result[float, QueueFault]:
        """Give how long ago the oldest letter was parked, in seconds; 0 if there is none."""
        oldest = min((letter.first_failed_ns for letter in self._letters.values()), default=now_ns)
        return Success(max(0, now_ns - oldest) / 1e9)

    def _matching(self, wanted: LetterFilter, after: int) -> Iterator[int]:
        return (place for place, letter in self._letters.items() if place > after and wanted.matches(letter))

    def _hold(self, claim: Claim, now_ns: int) -> None:
        self._claims[claim.place] = (claim.token, now_ns + int(LEASE_SECONDS * 1e9))

    def _holds(self, claim: Claim) -> bool:
        token, _ = self._claims.get(claim.place, ("", 0))
        return token == claim.token

    def _claimed(self, place: int, now_ns: int) -> bool:
        return place in self._claims and now_ns < self._claims[place][1]

    def _remove(self, place: int) -> None:
        letter = self._letters.pop(place)
        self._claims.pop(place, None)
        del self._places[letter.id]
        key = _key(letter)
        self._order[key].remove(place)
        if not self._order[key]:
            del self._order[key]


def _key(letter: DeadLetter) -> _Key:
    return letter.subscriber, f"alone:{letter.id}" if letter.sequence is None else f"key:{letter.sequence}"
