"""The laws of a queue of dead letters, kept by the core's and broken by one that is wrong."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, settings
from returns.result import Failure, Success

from cqrs.dead_letter import MemoryDeadLetterQueue
from cqrs.dead_letter_store import SqliteDeadLetterQueue
from cqrs.testing import DEAD_LETTER_LAWS, DeadLetterSubject, LawBroken, check_law, laws_for

QUICK = settings(max_examples=30, derandomize=True, database=None, phases=[Phase.generate])
LAWS = {law.name: law for law in DEAD_LETTER_LAWS}


class Wrong:
    """A queue in memory with one method replaced."""

    def __init__(self, clock: Any, **methods: Any) -> None:
        self.queue = MemoryDeadLetterQueue(2, 2, clock)
        self.methods = methods

    def __getattr__(self, name: str) -> Any:
        method = self.methods.get(name)
        return getattr(self.queue, name) if method is None else lambda *args: method(self.queue, *args)


async def nothing(*_: Any) -> Any:
    return Success(None)


async def never(*_: Any) -> Any:
    return Success(False)


async def by_anybody(queue: Any, *arguments: Any) -> Any:
    claimed = await queue.claim(*arguments)
    queue._claims.clear()
    return claimed


async def backwards(queue: Any, *arguments: Any) -> Any:
    page = (await queue.page(*arguments)).unwrap()
    return Success(type(page)(page.letters[::-1], page.cursor))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("law", LAWS)
def test_the_queue_in_memory_keeps_every_law(law: str, backend: Any) -> None:
    """On both event loops."""
    subject = DeadLetterSubject(
        lambda clock: MemoryDeadLetterQueue(clock=clock), lambda clock: MemoryDeadLetterQueue(2, 2, clock), 2
    )

    check_law(LAWS[law], subject, settings=QUICK, backend=backend)


@pytest.mark.parametrize("law", sorted(set(LAWS) - {"says_that_it_is_full"}))
def test_the_queue_in_a_file_keeps_every_law(law: str, tmp_path: Path) -> None:
    """A new file for each example."""
    subject = DeadLetterSubject(
        lambda clock: SqliteDeadLetterQueue(tmp_path / f"{uuid4().hex}.db", clock=clock)
    )

    check_law(LAWS[law], subject, settings=settings(QUICK, max_examples=4))


@pytest.mark.parametrize(
    ("law", "method", "wrong", "told"),
    [
        ("loses_nothing", "park", nothing, "found"),
        ("keeps_the_order", "page", backwards, "letters changed their places"),
        ("claims_once", "claim", by_anybody, "claimed again and again"),
        ("parks_behind", "park_behind", never, "behind"),
        ("says_that_it_is_full", "park", nothing, "letter 3 of 2"),
    ],
)
def test_a_wrong_queue_breaks_its_law(law: str, method: str, wrong: Any, told: str) -> None:
    """The text says what was seen instead."""
    subject = DeadLetterSubject(
        lambda clock: Wrong(clock, **{method: wrong}),  # type: ignore[arg-type,return-value]  # looks like one
        lambda clock: Wrong(clock, **{method: wrong}),  # type: ignore[arg-type,return-value]  # looks like one
        2,
    )

    with pytest.raises(LawBroken, match=told):
        check_law(LAWS[law], subject, settings=settings(QUICK, max_examples=200))


def test_a_queue_that_cannot_be_opened_breaks_every_law() -> None:
    """What it answers stands in the text."""

    async def closed(*_: Any) -> Any:
        return Failure("locked")

    subject = DeadLetterSubject(lambda clock: Wrong(clock, open=closed))  # type: ignore[arg-type,return-value]  # looks like one

    with pytest.raises(LawBroken, match="it cannot be opened: <Failure: locked>"):
        check_law(LAWS["loses_nothing"], subject, settings=QUICK)


def test_without_a_bound_nothing_is_claimed_of_a_full_queue() -> None:
    """A law that cannot fail is no test."""
    made = laws_for(
        "TestQueue", DEAD_LETTER_LAWS, subject=DeadLetterSubject(lambda _: MemoryDeadLetterQueue())
    )

    assert not hasattr(made, "test_says_that_it_is_full")
