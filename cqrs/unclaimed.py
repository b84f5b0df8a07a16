"""Letters that a replay was asked for and could not have: each with its reason, so that none is passed over in silence."""

from collections.abc import AsyncIterator, Container
from typing import Final

from returns.result import Failure, Result, Success

from cqrs.letters import DeadLetter, DeadLetterQueue, LetterFilter, QueueFault

_PAGE: Final = 100


async def unclaimed(
    queue: DeadLetterQueue, wanted: LetterFilter, handled: Container[str], began_ns: int
) -> Result[dict[str, str], QueueFault]:
    """Say why letters stay where they are though a replay wanted them, by id.

    Args:
        queue: where they are kept.
        wanted: which letters the replay was asked for.
        handled: ids of those that it has given to their subscriber, or tried to.
        began_ns: when it began, in ns since the Unix epoch; what was parked later is no concern of it.
    """
    left: dict[str, str] = {}
    firsts: dict[LetterFilter, str] = {}
    async for page in _pages(queue, wanted):
        if isinstance(page, Failure):
            return Failure(page.failure())
        for letter in page.unwrap():
            later = wanted.id is None and letter.first_failed_ns > began_ns
            if later or letter.id in handled:
                continue
            first = await _first(queue, letter, firsts)
            if isinstance(first, Failure):
                return Failure(first.failure())
            left[letter.id] = _reason(letter, first.unwrap())
    return Success(left)


async def _pages(
    queue: DeadLetterQueue, wanted: LetterFilter
) -> AsyncIterator[Result[tuple[DeadLetter, ...], QueueFault]]:
    cursor: int | None = 0
    while cursor is not None:
        page = await queue.page(cursor, _PAGE, wanted)
        yield page.map(lambda found: found.letters)
        cursor = None if isinstance(page, Failure) else page.unwrap().cursor


async def _first(
    queue: DeadLetterQueue, letter: DeadLetter, known: dict[LetterFilter, str]
) -> Result[str, QueueFault]:
    """Give the id of the first letter of the sequence that a letter stands in."""
    if letter.sequence is None:
        return Success(letter.id)
    sequence = LetterFilter(subscriber=letter.subscriber, sequence=letter.sequence)
    if sequence not in known:
        page = await queue.page(0, 1, sequence)
        if isinstance(page, Failure):
            return Failure(page.failure())
        known[sequence] = next((first.id for first in page.unwrap().letters), letter.id)
    return Success(known[sequence])


def _reason(letter: DeadLetter, first: str) -> str:
    if first == letter.id:
        return "another replay has claimed it"
    return f"it waits behind dead letter {first}, the first of sequence {letter.sequence!r}"
