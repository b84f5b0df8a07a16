"""Wrong queues of dead letters."""

import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
from returns.result import Failure, Success

from cqrs.dead_letter import MemoryDeadLetterQueue
from cqrs.dead_letter_store import SqliteDeadLetterQueue
from cqrs.faults import QueueFull
from cqrs.testing import DEAD_LETTER_LAWS, DeadLetterSubject
from property_tests.mutants.mutant import Mutant, Suite, replaced

FOLDER = tempfile.TemporaryDirectory(prefix="cqrs-letters-")


def small(clock: Any) -> MemoryDeadLetterQueue:
    return MemoryDeadLetterQueue(2, 2, clock)


def in_file(clock: Any) -> SqliteDeadLetterQueue:
    return SqliteDeadLetterQueue(Path(FOLDER.name) / f"{uuid4().hex}.db", clock=clock)


class Wrong:
    """A queue in memory some of whose methods are wrong."""

    def __init__(self, queue: MemoryDeadLetterQueue, methods: dict[str, Any]) -> None:
        self.queue = queue
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        method = self._methods.get(name)
        return getattr(self.queue, name) if method is None else lambda *args: method(self.queue, *args)


def mutant(name: str, killed_by: str, **methods: Any) -> Mutant:
    return Mutant(
        name,
        killed_by,
        DeadLetterSubject(
            lambda clock: Wrong(MemoryDeadLetterQueue(clock=clock), methods),  # type: ignore[arg-type,return-value]  # looks like one
            lambda clock: Wrong(small(clock), methods),  # type: ignore[arg-type,return-value]  # looks like one
            2,
        ),
    )


async def without_error(queue: Any, letter: Any) -> Any:
    return await queue.park(attrs.evolve(letter, error=None))


async def unordered(queue: Any, *arguments: Any) -> Any:
    page = (await queue.page(*arguments)).unwrap()
    return Success(attrs.evolve(page, letters=page.letters[::-1]))


async def forgetful(queue: Any, claim: Any, letter: Any) -> Any:
    settled = await queue.settle(claim)
    return settled if isinstance(settled, Failure) else await queue.park(letter)


async def shared(queue: Any, *arguments: Any) -> Any:
    claimed = await queue.claim(*arguments)
    if isinstance(claimed, Failure) or claimed.unwrap() is None:
        return claimed
    queue._claims.clear()
    return claimed


async def immortal(queue: Any, claim: Any) -> Any:
    settled = await queue.settle(claim)
    if isinstance(settled, Failure) and claim.letter.id in queue._places:
        queue._remove(queue._places[claim.letter.id])
        return Success(None)
    return settled


async def always_behind(queue: Any, letter: Any) -> Any:
    return (await queue.park(letter)).map(lambda _: True)


async def silent(queue: Any, letter: Any) -> Any:
    parked = await queue.park(letter)
    full = isinstance(parked, Failure) and isinstance(parked.failure(), QueueFull)
    return Success(None) if full else parked


async def dropping(queue: Any, letter: Any) -> Any:
    parked = await queue.park(letter)
    if isinstance(parked, Failure):
        await queue.discard()
    return parked


def to_everybody(replay: Any) -> Any:
    async def wrong(self: Any, *arguments: Any) -> Any:
        letters = (await self.queue.page()).unwrap().letters
        report = await replay(self, *arguments)
        for letter in letters:
            audience = self._listeners.audience(type(letter.event))
            for subscriber in audience.subscribers:
                if subscriber.name != letter.subscriber:
                    await subscriber.deliver(letter.event)
        return report

    return wrong


RIGHT = DeadLetterSubject(lambda clock: MemoryDeadLetterQueue(clock=clock), small, 2)
STORED = DeadLetterSubject(in_file)

DEAD_LETTER_QUEUES = Suite(
    "dead-letter queue",
    DEAD_LETTER_LAWS,
    (RIGHT, STORED),
    (
        mutant("forgets what went wrong", "loses_nothing", park=without_error),
        mutant("lists the last letter first", "loses_nothing", page=unordered),
        mutant("puts a letter that is given back at the end", "keeps_the_order", release=forgetful),
        mutant("gives a letter out twice", "claims_once", claim=shared),
        mutant("takes a claim that has lapsed", "claims_once", settle=immortal),
        mutant("parks behind nothing", "parks_behind", park_behind=always_behind),
        mutant("drops what is too much without a word", "says_that_it_is_full", park=silent),
        mutant("drops what it has when it is full", "says_that_it_is_full", park=dropping),
        Mutant(
            "replays to every subscriber",
            "replays_to_its_subscriber",
            RIGHT,
            replaced("cqrs.replay.DeadLetters.replay", to_everybody),
        ),
    ),
)
