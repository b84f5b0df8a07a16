from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event
from cqrs.dead_letter import (
    EVERY,
    DeadLetter,
    LetterFilter,
    MemoryDeadLetterQueue,
    Page,
    QueueFault,
    StoreFailed,
)
from cqrs.unclaimed import unclaimed


@attrs.frozen
class Placed(Event):
    """An event."""


def letter(
    number: int, sequence: str | None = "ann", parked_ns: int = 1, subscriber: str = "send"
) -> DeadLetter:
    return DeadLetter(
        Placed(), "shop.Placed", subscriber, sequence, first_failed_ns=parked_ns, id=f"letter {number}"
    )


async def holding(*letters: DeadLetter) -> MemoryDeadLetterQueue:
    queue = MemoryDeadLetterQueue()
    for each in letters:
        await queue.park(each)
    return queue


async def test_each_letter_has_its_own_reason() -> None:
    """Behind the first of its own sequence and subscriber; the first itself, and one without a sequence, is claimed."""
    letters = [
        letter(1),
        letter(2, "bob"),
        letter(3),
        letter(4, None),
        letter(5, subscriber="bill"),
        letter(6),
    ]

    left = await unclaimed(await holding(*letters), EVERY, {"letter 2"}, 1)

    claimed, behind = (
        "another replay has claimed it",
        "it waits behind dead letter letter 1, the first of sequence 'ann'",
    )
    assert left == Success(
        {
            "letter 1": claimed,
            "letter 3": behind,
            "letter 4": claimed,
            "letter 5": claimed,
            "letter 6": behind,
        }
    )


async def test_what_was_parked_after_the_replay_began_is_no_concern_of_it() -> None:
    """Unless it was asked for by its id, and then the clock may have been set back."""
    queue = await holding(letter(1, parked_ns=5), letter(2, parked_ns=6))

    assert list((await unclaimed(queue, EVERY, (), 5)).unwrap()) == ["letter 1"]
    assert list((await unclaimed(queue, LetterFilter(id="letter 2"), (), 5)).unwrap()) == ["letter 2"]


async def test_letters_of_every_page_are_found() -> None:
    """More letters than a page has are all reported, in order."""
    queue = await holding(*(letter(number) for number in range(250)))

    left = (await unclaimed(queue, EVERY, {"letter 0"}, 1)).unwrap()

    assert list(left) == [f"letter {number}" for number in range(1, 250)]


@pytest.mark.parametrize("fails_at", [1, 2])
async def test_a_queue_that_fails_is_a_failure(fails_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it fails on the letters or on the first of a sequence: the fault is told, not half of an answer."""
    queue, asked = await holding(letter(1), letter(2)), list[int]()
    fault = StoreFailed("letters.db", "page", "disk")
    page = queue.page

    async def failing(*arguments: Any) -> Result[Page, QueueFault]:
        asked.append(1)
        return Failure(fault) if len(asked) == fails_at else await page(*arguments)

    monkeypatch.setattr(queue, "page", failing)

    assert await unclaimed(queue, EVERY, (), 1) == Failure(fault)
