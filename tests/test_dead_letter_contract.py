"""What every queue of dead letters promises, checked on each that the core brings."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event
from cqrs.dead_letter import (
    DeadLetter,
    DeadLetterQueue,
    ErrorRecord,
    LetterFilter,
    LetterNotFound,
    MemoryDeadLetterQueue,
    StoredEvent,
)
from cqrs.dead_letter_store import SqliteDeadLetterQueue


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def monotonic_ns(self) -> int:
        """Look."""
        return self.now

    time_ns = monotonic_ns


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture(params=["memory", "sqlite"])
async def queue(request: Any, tmp_path: Path, hand: Hand) -> AsyncIterator[DeadLetterQueue]:
    """A queue that is open."""
    made: DeadLetterQueue = (
        MemoryDeadLetterQueue(clock=hand)
        if request.param == "memory"
        else SqliteDeadLetterQueue(tmp_path / "letters.db", clock=hand)
    )
    done(await made.open())
    yield made
    await made.close()


def letter(number: int, sequence: str | None = None, subscriber: str = "send") -> DeadLetter:
    error = ErrorRecord("builtins.ValueError", "no", "Traceback …")
    return DeadLetter(
        Placed(number),
        "shop.Placed",
        subscriber,
        sequence,
        error,
        3,
        number * 10,
        number * 10 + 1,
        "00-1-2-01",
    )


def done(result: Result[Any, Any]) -> Any:
    """The value of a result that has to be a success."""
    assert isinstance(result, Success), result
    return result.unwrap()


async def ids(queue: DeadLetterQueue) -> list[str]:
    return [each.id for each in done(await queue.page()).letters]


async def parked(queue: DeadLetterQueue, *letters: DeadLetter) -> tuple[DeadLetter, ...]:
    for each in letters:
        done(await queue.park(each))
    return letters


async def test_what_is_parked_is_there_as_it_was(queue: DeadLetterQueue) -> None:
    """Every field of a letter comes back, and what is not known is said by its id."""
    (one,) = await parked(queue, letter(1, "order 1"))
    kept = done(await queue.get(one.id))

    if isinstance(kept.event, StoredEvent):
        assert kept.event.payload == '{"order": 1}'
    else:
        assert kept.event == Placed(1)
    assert attrs.evolve(kept, event=one.event) == one
    assert await queue.get("nobody") == Failure(LetterNotFound("nobody"))


async def test_letters_come_in_pages_oldest_first(queue: DeadLetterQueue) -> None:
    """Following the cursor visits every letter once, in the order in which they were parked."""
    all_ids = [each.id for each in await parked(queue, *(letter(n) for n in range(7)))]
    seen: list[str] = []
    cursor: int | None = 0
    while cursor is not None:
        page = done(await queue.page(cursor, 3))
        assert len(page.letters) <= 3
        seen += [each.id for each in page.letters]
        cursor = page.cursor

    assert seen == all_ids


async def test_a_page_that_is_just_full_is_the_last(queue: DeadLetterQueue) -> None:
    """No cursor leads to an empty page."""
    await parked(queue, letter(1), letter(2))

    assert done(await queue.page(0, 2)).cursor is None
    assert done(await queue.page(0, 1)).cursor is not None


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (LetterFilter(), 4),
        (LetterFilter(subscriber="bill"), 1),
        (LetterFilter(sequence="a"), 2),
        (LetterFilter(type_id="shop.Placed"), 4),
        (LetterFilter(type_id="shop.Paid"), 0),
        (LetterFilter(subscriber="send", sequence="a"), 1),
    ],
    ids=str,
)
async def test_letters_are_chosen_by_what_they_are(
    queue: DeadLetterQueue, wanted: LetterFilter, count: int
) -> None:
    """Counting, paging and discarding go by the same choice."""
    await parked(queue, letter(1), letter(2, "a"), letter(3, "b"), letter(4, "a", "bill"))

    assert done(await queue.count(wanted)) == count
    assert len(done(await queue.page(0, 10, wanted)).letters) == count
    assert done(await queue.discard(wanted)) == count
    assert done(await queue.count()) == 4 - count


async def test_a_letter_is_chosen_by_its_id(queue: DeadLetterQueue) -> None:
    """One letter can be claimed or discarded alone."""
    _, two = await parked(queue, letter(1), letter(2))
    claim = done(await queue.claim(0, LetterFilter(id=two.id)))

    assert claim.letter.id == two.id
    assert done(await queue.discard(LetterFilter(id=two.id))) == 1


async def test_an_event_is_parked_behind_its_sequence_only(queue: DeadLetterQueue) -> None:
    """Another key, another subscriber and no key at all are free; nothing is kept of what is not parked."""
    await parked(queue, letter(1, "a"), letter(2))

    assert done(await queue.park_behind(letter(3, "a"))) is True
    assert done(await queue.park_behind(letter(4, "b"))) is False
    assert done(await queue.park_behind(letter(5, "a", "bill"))) is False
    assert done(await queue.park_behind(letter(6))) is False
    assert done(await queue.count()) == 3


async def test_a_claimed_letter_still_occupies_its_sequence(queue: DeadLetterQueue) -> None:
    """While the last letter of a sequence is replayed, a new event waits behind it."""
    await parked(queue, letter(1, "a"))
    claim = done(await queue.claim())

    assert done(await queue.park_behind(letter(2, "a"))) is True
    done(await queue.settle(claim))
    assert done(await queue.park_behind(letter(3, "a"))) is True


async def test_a_sequence_ends_with_its_last_letter(queue: DeadLetterQueue) -> None:
    """Once nothing of it is parked, events are delivered again."""
    await parked(queue, letter(1, "a"))
    done(await queue.settle(done(await queue.claim())))

    assert done(await queue.park_behind(letter(2, "a"))) is False


async def test_only_the_first_of_a_sequence_is_claimed(queue: DeadLetterQueue) -> None:
    """The second becomes claimable when the first is gone, not when it is given back."""
    one, two, three = await parked(queue, letter(1, "a"), letter(2, "a"), letter(3))
    first = done(await queue.claim())
    assert first.letter.id == one.id
    other = done(await queue.claim())
    assert other.letter.id == three.id
    assert done(await queue.claim()) is None

    done(await queue.release(first, first.letter))
    assert done(await queue.claim(first.place)) is None
    done(await queue.settle(done(await queue.claim())))
    assert done(await queue.claim(first.place)).letter.id == two.id


async def test_a_letter_is_given_back_at_its_place(queue: DeadLetterQueue) -> None:
    """A failed replay raises the count and keeps the order; who the letter is for cannot be changed on the way."""
    one, two = await parked(queue, letter(1, "a"), letter(2, "a"))
    claim = done(await queue.claim())
    error = ErrorRecord("builtins.OSError", "still no")
    changed = attrs.evolve(claim.letter, attempts=4, error=error, last_failed_ns=99, subscriber="other")
    done(await queue.release(claim, changed))

    kept = done(await queue.get(one.id))
    assert (kept.attempts, kept.error, kept.last_failed_ns) == (4, error, 99)
    assert (kept.subscriber, kept.sequence, kept.first_failed_ns) == ("send", "a", 10)
    assert await ids(queue) == [one.id, two.id]


async def test_a_claim_is_spent(queue: DeadLetterQueue) -> None:
    """What was settled, given back or discarded meanwhile cannot be settled, given back or extended with the same claim."""
    await parked(queue, letter(1), letter(2), letter(3))
    settled, released, discarded = [done(await queue.claim()) for _ in range(3)]
    done(await queue.settle(settled))
    done(await queue.release(released, released.letter))
    done(await queue.discard(LetterFilter(id=discarded.letter.id)))

    for claim in (settled, released, discarded):
        gone = Failure(LetterNotFound(claim.letter.id))
        assert await queue.settle(claim) == gone
        assert await queue.release(claim, claim.letter) == gone
        assert await queue.extend(claim) == gone
    assert done(await queue.count()) == 1


async def test_a_claim_without_a_sign_of_life_lapses(queue: DeadLetterQueue, hand: Hand) -> None:
    """After a minute another may claim the letter, whose first claimant can do nothing with it any more."""
    await parked(queue, letter(1))
    first = done(await queue.claim())
    hand.now += 59_000_000_000
    assert done(await queue.claim()) is None
    done(await queue.extend(first))
    hand.now += 59_000_000_000
    assert done(await queue.claim()) is None
    hand.now += 2_000_000_000
    second = done(await queue.claim())

    assert second.letter == first.letter
    assert await queue.settle(first) == Failure(LetterNotFound(first.letter.id))
    done(await queue.settle(second))


async def test_the_age_is_that_of_the_oldest(queue: DeadLetterQueue) -> None:
    """Without letters it is nothing; a clock that stepped back makes it nothing too."""
    assert done(await queue.oldest_age(5)) == 0
    await parked(queue, letter(100), letter(50))

    assert done(await queue.oldest_age(2_000_000_500)) == 2.0
    assert done(await queue.oldest_age(1)) == 0
