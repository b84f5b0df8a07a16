"""The laws of a queue of dead letters: what everybody relies on whose events a subscriber could not take."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, final

import anyio
import anyio.lowlevel
import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Success

from cqrs.app import CqrsModule
from cqrs.clock import Clock
from cqrs.dead_letter import (
    LEASE_SECONDS,
    Claim,
    DeadLetter,
    DeadLetterQueue,
    ErrorRecord,
    LetterFilter,
    LetterNotFound,
)
from cqrs.faults import QueueFull
from cqrs.features import Feature
from cqrs.testing.doubles import FakeClock
from cqrs.testing.laws import Law, hold, law
from cqrs.testing.scripted import Happened, scripted

Make = Callable[[Clock], DeadLetterQueue]
Addressed = tuple[str, str | None]  # whose letter it is, and of which sequence


@final
@attrs.frozen(eq=False)
class DeadLetterSubject:
    """A queue of dead letters, as its laws look at it.

    Attributes:
        make: gives an empty queue that tells the time by a clock; called for each example.
        make_full: gives one that is as small as it can be; None if it has no bound.
        most: how many letters of one sequence that small one holds.
    """

    make: Make
    make_full: Make | None = None
    most: int = 1


def _addressed(_subject: DeadLetterSubject) -> SearchStrategy[object]:
    address = st.tuples(st.sampled_from(["s1", "s2"]), st.sampled_from([None, "a", "b"]))
    return st.lists(address, min_size=1, max_size=8)


def _limit(_subject: DeadLetterSubject) -> SearchStrategy[object]:
    return st.integers(1, 3)


def _count(_subject: DeadLetterSubject) -> SearchStrategy[object]:
    return st.integers(1, 3)


def _choices(_subject: DeadLetterSubject) -> SearchStrategy[object]:
    return st.lists(st.sampled_from(["settle", "release", "keep"]), min_size=1, max_size=8)


@asynccontextmanager
async def _opened(make: Make, clock: Clock) -> AsyncGenerator[DeadLetterQueue]:
    queue = make(clock)
    opened = await queue.open()
    hold(isinstance(opened, Success), f"it cannot be opened: {opened}.")
    try:
        yield queue
    finally:
        await queue.discard()
        await queue.close()


def _letter(number: int, address: Addressed, clock: FakeClock) -> DeadLetter:
    subscriber, sequence = address
    now = clock.time_ns()
    error = ErrorRecord("laws.Error", "made to fail by a law")
    return DeadLetter(
        Happened(number), "cqrs.testing.scripted.Happened", subscriber, sequence, error, 1, now, now
    )


async def _parked(
    queue: DeadLetterQueue, addresses: Sequence[Addressed], clock: FakeClock
) -> list[DeadLetter]:
    letters = [_letter(number, address, clock) for number, address in enumerate(addresses)]
    for letter in letters:
        clock.advance(1)
        parked = await queue.park(letter)
        hold(isinstance(parked, Success), f"it does not keep {letter}: {parked}.")
    return letters


async def _all(queue: DeadLetterQueue, limit: int = 100) -> list[str]:
    found: list[str] = []
    cursor: int | None = 0
    while cursor is not None:
        page = (await queue.page(cursor, limit)).unwrap()
        hold(len(page.letters) <= limit, f"a page of {limit} has {len(page.letters)} letters.")
        found += [letter.id for letter in page.letters]
        cursor = page.cursor
    return found


async def _claims(queue: DeadLetterQueue) -> list[Claim]:
    claims: list[Claim] = []
    while (claim := (await queue.claim()).unwrap()) is not None:
        claims.append(claim)
        hold(len(claims) <= 100, "the same letters are claimed again and again.")
    return claims


@law(
    "Every letter that was parked is there, oldest first, by page and by id, until it is removed.",
    addresses=_addressed,
    limit=_limit,
)
async def loses_nothing(subject: DeadLetterSubject, addresses: list[Addressed], limit: int) -> None:
    """Page through, look each up, then remove those of one subscriber."""
    clock = FakeClock()
    async with _opened(subject.make, clock) as queue:
        letters = await _parked(queue, addresses, clock)
        found = await _all(queue, limit)
        hold(found == [letter.id for letter in letters], f"parked {letters}, found {found}.")
        for letter in letters:
            got = (await queue.get(letter.id)).unwrap()
            same = attrs.evolve(got, event=letter.event) == letter
            hold(same, f"parked {letter}, got {got}.")
        removed = await queue.discard(LetterFilter(subscriber="s1"))
        left = [letter.id for letter in letters if letter.subscriber != "s1"]
        hold(removed == Success(len(letters) - len(left)), f"of {letters} it removed {removed}.")
        hold(await _all(queue) == left, "it removed others than those that were named.")
        hold(await queue.count() == Success(len(left)), f"it counts {await queue.count()} of {len(left)}.")


@law(
    "Within a sequence letters keep their order: only the oldest can be claimed, and one that is given back is the "
    "oldest again.",
    addresses=_addressed,
    choices=_choices,
)
async def keeps_the_order(subject: DeadLetterSubject, addresses: list[Addressed], choices: list[str]) -> None:
    """Claim all there is; settle some, give some back, keep some; and compare with a model, again and again."""
    clock = FakeClock()
    async with _opened(subject.make, clock) as queue:
        letters = await _parked(queue, addresses, clock)
        held: set[str] = set()
        for number, choice in enumerate(choices):
            waiting = [letter for letter in letters if letter.id not in held]
            expected = _first_of_each(letters, waiting)
            claims = await _claims(queue)
            got = [claim.letter.id for claim in claims]
            hold(got == expected, f"of {[_shown(x) for x in letters]}, {len(held)} claimed, it gave {got}.")
            for place, claim in enumerate(claims):
                if choice == "keep" or (place + number) % 2:
                    held.add(claim.letter.id)
                elif choice == "release":
                    await queue.release(claim, attrs.evolve(claim.letter, attempts=claim.letter.attempts + 1))
                else:
                    settled = await queue.settle(claim)
                    hold(settled == Success(None), f"a letter that was claimed is not settled: {settled}.")
                    letters = [letter for letter in letters if letter.id != claim.letter.id]
        hold(await _all(queue) == [letter.id for letter in letters], "letters changed their places.")


def _first_of_each(letters: Sequence[DeadLetter], waiting: Sequence[DeadLetter]) -> list[str]:
    firsts: dict[object, str] = {}
    for letter in letters:
        alone = letter.sequence is None
        firsts.setdefault((letter.subscriber, letter.id if alone else letter.sequence, alone), letter.id)
    return [letter.id for letter in waiting if letter.id in firsts.values()]


def _shown(letter: DeadLetter) -> str:
    return f"{letter.id[:4]} for {letter.subscriber} of {letter.sequence}"


@law(
    "A letter is claimed once: until the claim lapses nobody else gets it, and afterwards its old claim is worth nothing.",
    addresses=_addressed,
)
async def claims_once(subject: DeadLetterSubject, addresses: list[Addressed]) -> None:
    """Claim, let the claims lapse, claim again, and come back with the old ones."""
    clock = FakeClock()
    async with _opened(subject.make, clock) as queue:
        await _parked(queue, addresses, clock)
        first = await _claims(queue)
        hold(len({claim.letter.id for claim in first}) == len(first), "two claims of one letter.")
        clock.advance(LEASE_SECONDS / 2)
        kept = first[0]
        hold(await queue.extend(kept) == Success(None), "a claim that is worked on cannot be extended.")
        clock.advance(LEASE_SECONDS / 2 + 1)
        again = await _claims(queue)
        lapsed = {claim.letter.id for claim in first[1:]}
        got = {claim.letter.id for claim in again}
        hold(got == lapsed, f"{len(lapsed)} claims have lapsed; {len(got)} letters were claimed again.")
        for claim in first[1:]:
            answers = [
                await queue.settle(claim),
                await queue.release(claim, claim.letter),
                await queue.extend(claim),
            ]
            refused = all(isinstance(a, Failure) and isinstance(a.failure(), LetterNotFound) for a in answers)
            hold(refused, f"a claim that lapsed is still worth something: {answers}.")
        hold(await queue.settle(kept) == Success(None), "a claim that was extended is worth nothing.")


@law(
    "A letter is parked behind another exactly while one of its sequence is there.",
    addresses=_addressed,
    late=_addressed,
)
async def parks_behind(subject: DeadLetterSubject, addresses: list[Addressed], late: list[Addressed]) -> None:
    """Park behind, one after the other, and compare with a model."""
    clock = FakeClock()
    async with _opened(subject.make, clock) as queue:
        letters = await _parked(queue, addresses, clock)
        for number, address in enumerate(late):
            letter = _letter(100 + number, address, clock)
            occupied = address[1] is not None and any((x.subscriber, x.sequence) == address for x in letters)
            kept = await queue.park_behind(letter)
            hold(kept == Success(occupied), f"{address} behind {[_shown(x) for x in letters]}: {kept}.")
            letters += [letter] if occupied else []
        hold(await _all(queue) == [letter.id for letter in letters], "it kept others than it said.")


@law(
    "A queue that is full says so, and keeps what it has.",
    applies=lambda subject: subject.make_full is not None,
    more=_limit,
)
async def says_that_it_is_full(subject: DeadLetterSubject, more: int) -> None:
    """Park more of one sequence than there is place for."""
    clock = FakeClock()
    async with _opened(subject.make_full or subject.make, clock) as queue:
        letters = await _parked(queue, [("s1", "a")] * subject.most, clock)
        for number in range(more):
            parked = await queue.park(_letter(number, ("s1", "a"), clock))
            full = isinstance(parked, Failure) and isinstance(parked.failure(), QueueFull)
            hold(full, f"letter {subject.most + number + 1} of {subject.most}: {parked}.")
        hold(await _all(queue) == [letter.id for letter in letters], "it lost what it had.")


@law(
    "Replayed, a letter goes to the subscriber that it is for and to nobody else; taken, it is gone.",
    count=_count,
)
async def replays_to_its_subscriber(subject: DeadLetterSubject, count: int) -> None:
    """Publish to two subscribers of which one fails, mend it, and replay."""
    heard: dict[str, list[object]] = {"good": [], "bad": []}
    mended: list[bool] = []
    endless = anyio.CancelScope()
    feature = Feature("laws")
    feature.subscribes(Happened, name="good")(scripted("success", heard["good"]))

    async def failing(event: Happened) -> Success[None] | Failure[str]:
        heard["bad"].append(event)
        if len(heard["bad"]) > 3 * count:
            endless.cancel()  # a letter that is given back behind the others would be replayed for ever
        await anyio.lowlevel.checkpoint()
        return Success(None) if mended else Failure("broken")

    feature.subscribes(Happened, name="bad")(failing)
    clock = FakeClock()
    async with CqrsModule.for_root(
        feature, dead_letters=subject.make(clock), clock=clock, plugins=(), env={}
    ) as app:
        for number in range(count):
            await app.events.publish(Happened(number))
        events = [Happened(number) for number in range(count)]
        with endless:
            again = await app.dead_letters.replay()
            hold(len(again.parked) == len(events), f"replayed while it is broken: {again}.")
        hold(
            not endless.cancel_called, f"replayed without an end: {len(heard['bad'])} deliveries of {count}."
        )
        mended.append(True)
        report = await app.dead_letters.replay()
        left = await app.dead_letters.queue.count()
    hold(report.ok and len(report.delivered) == len(events), f"replayed after it was mended: {report}.")
    hold(heard["good"] == events, f"the other subscriber heard {heard['good']}.")
    hold(heard["bad"] == [*events] * 3, f"its subscriber heard {heard['bad']}.")
    hold(left == Success(0), f"after they were taken {left} are left.")


DEAD_LETTER_LAWS: Final[tuple[Law[DeadLetterSubject], ...]] = (
    loses_nothing,
    keeps_the_order,
    claims_once,
    parks_behind,
    says_that_it_is_full,
    replays_to_its_subscriber,
)
