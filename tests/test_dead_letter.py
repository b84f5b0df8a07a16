import attrs
import pytest
from returns.result import Failure, Success

from cqrs import Event
from cqrs.dead_letter import DeadLetter, MemoryDeadLetterQueue
from cqrs.faults import QueueFull


@attrs.frozen
class Placed(Event):
    """An event."""


def letter(sequence: str | None = None) -> DeadLetter:
    return DeadLetter(Placed(), "shop.Placed", "send", sequence)


async def test_more_sequences_than_there_is_place_for_are_refused() -> None:
    """A letter that stands alone counts as a sequence; what is there already still grows."""
    queue = MemoryDeadLetterQueue(sequences=2)
    full = Failure(QueueFull("dead-letter sequences", 2))

    assert [await queue.park(each) for each in (letter("a"), letter(), letter("b"))] == [
        Success(None)
    ] * 2 + [full]
    assert await queue.park(letter()) == full
    assert await queue.park(letter("a")) == Success(None)
    assert await queue.count() == Success(3)


async def test_more_letters_of_a_sequence_than_there_is_place_for_are_refused() -> None:
    """Parking behind refuses too, and says so instead of letting the event overtake."""
    queue = MemoryDeadLetterQueue(letters=2)
    for _ in range(2):
        await queue.park(letter("a"))
    full = Failure(QueueFull("dead letters of one sequence (key:a)", 2))

    assert await queue.park(letter("a")) == full
    assert await queue.park_behind(letter("a")) == full
    assert await queue.count() == Success(2)


async def test_place_that_was_left_is_taken_again() -> None:
    """A queue that was full takes letters once some are gone."""
    queue = MemoryDeadLetterQueue(sequences=1, letters=1)
    await queue.park(letter("a"))
    await queue.discard()

    assert await queue.park(letter("b")) == Success(None)


async def test_it_holds_a_thousand_and_more() -> None:
    """The limits are 1,024 sequences of 1,024 letters each, if nothing else is said."""
    queue = MemoryDeadLetterQueue()
    for number in range(1024):
        await queue.park(letter(str(number)))
    assert await queue.park(letter("one more")) == Failure(QueueFull("dead-letter sequences", 1024))
    for _ in range(1023):
        await queue.park(letter("7"))

    assert await queue.park(letter("7")) == Failure(QueueFull("dead letters of one sequence (key:7)", 1024))


async def test_closing_says_what_will_be_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    """Letters in memory end with the process: their number is a warning, and nothing is said of none."""
    queue = MemoryDeadLetterQueue()
    await queue.close()
    assert caplog.records == []
    await queue.park(letter())
    await queue.close()

    assert "1 dead letters are in memory only" in caplog.text
