"""Replay of dead letters, on both queues that the core brings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import AppClosed, Event, Feature, Instrument
from cqrs.dead_letter import (
    DeadLetterQueue,
    ErrorRecord,
    LetterFilter,
    LetterNotFound,
    MemoryDeadLetterQueue,
    StoredEvent,
)
from cqrs.dead_letter_store import SqliteDeadLetterQueue
from cqrs.hook_details import DeliveredDetails
from cqrs.messages import type_id
from cqrs.plugins import Plugin
from cqrs.replay import ReplayReport


@type_id("shop.Placed", aliases=("old.Placed",))
@attrs.frozen
class Placed(Event):
    """An event."""

    order: int
    customer: str = "ann"


@attrs.frozen
class Special(Placed):
    """An event that derives from it."""


class Mailer:
    """A subscriber whose server can be down."""

    def __init__(self) -> None:
        self.down = True
        self.sent: list[int] = []
        self.tried: list[int] = []

    async def send(self, event: Placed) -> Result[None, str]:
        """Send, or fail."""
        self.tried.append(event.order)
        if self.down:
            return Failure("the server is down")
        self.sent.append(event.order)
        return Success(None)


@pytest.fixture(params=["memory", "sqlite"])
def queue(request: Any, tmp_path: Path) -> DeadLetterQueue:
    return MemoryDeadLetterQueue() if request.param == "memory" else SqliteDeadLetterQueue(tmp_path / "l.db")


@pytest.fixture
def mailer() -> Mailer:
    return Mailer()


def hearing(subscriber: Callable[[Any], Any], **options: Any) -> Feature:
    feature = Feature("orders")
    feature.subscribes(Placed, name="send", **{"sequence": lambda event: event.customer, **options})(
        subscriber
    )
    return feature


async def letters(app: Any) -> list[Any]:
    return list((await app.dead_letters.queue.page()).unwrap().letters)


async def test_letters_are_delivered_oldest_first(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """What is behind in a sequence follows in order; what was delivered is gone."""
    app = compose_app(hearing(mailer.send), dead_letters=queue)
    async with app as bus:
        for order in range(4):
            await bus.events.publish(Placed(order))
        ids = tuple(letter.id for letter in await letters(app))
        mailer.down = False
        report = await app.dead_letters.replay()

        assert report == ReplayReport(ids)
        assert report.ok
        assert await letters(app) == []
    assert mailer.sent == [0, 1, 2, 3]
    assert mailer.tried == [0, 0, 1, 2, 3]


async def test_only_the_original_subscriber_hears_it_again(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """Those that took the event the first time do not get it twice."""
    others: list[int] = []
    feature = hearing(mailer.send)

    @feature.subscribes(Placed, name="bill")
    async def bill(event: Placed) -> Result[None, str]:
        others.append(event.order)
        return Success(None)

    app = compose_app(feature, dead_letters=queue)
    async with app as bus:
        await bus.events.publish(Placed(1))
        mailer.down = False
        assert (await app.dead_letters.replay()).ok

    assert (mailer.sent, others) == ([1], [1])


async def test_what_fails_again_stays_with_a_raised_count(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """Its place is kept, and so is that of what waits behind it; the letter is not parked a second time."""
    app = compose_app(hearing(mailer.send), dead_letters=queue)
    async with app as bus:
        for order in (1, 2):
            await bus.events.publish(Placed(order))
        before = await letters(app)
        report = await app.dead_letters.replay()
        after = await letters(app)

    assert report.delivered == ()
    assert report.parked == {
        before[0].id: "builtins.str: the server is down",
        before[1].id: f"it waits behind dead letter {before[0].id}, the first of sequence 'ann'",
    }
    assert [letter.id for letter in after] == [letter.id for letter in before]
    assert [letter.attempts for letter in after] == [2, 0]
    assert after[0].last_failed_ns > after[0].first_failed_ns == before[0].first_failed_ns
    assert mailer.tried == [1, 1]


async def test_another_sequence_is_replayed_all_the_same(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """One customer whose letter fails again does not hold up the others."""

    async def picky(event: Placed) -> Result[None, str]:
        return await mailer.send(event) if event.customer == "bob" or mailer.down else Failure("still no")

    app = compose_app(hearing(picky), dead_letters=queue)
    async with app as bus:
        for order, customer in enumerate(["ann", "bob", "ann", "bob"]):
            await bus.events.publish(Placed(order, customer))
        mailer.down = False
        report = await app.dead_letters.replay()

    assert mailer.sent == [1, 3]
    assert len(report.delivered) == 2
    assert len(report.parked) == 2


async def test_letters_can_be_chosen(compose_app: Any, queue: DeadLetterQueue, mailer: Mailer) -> None:
    """A filter replays what it names and leaves the rest."""
    app = compose_app(hearing(mailer.send, sequence=None), dead_letters=queue)
    async with app as bus:
        for order in (1, 2, 3):
            await bus.events.publish(Placed(order))
        mailer.down = False
        second = (await letters(app))[1]
        await app.dead_letters.replay(LetterFilter(id=second.id))
        await app.dead_letters.replay(LetterFilter(subscriber="nobody"))

        assert mailer.sent == [2]
        assert len(await letters(app)) == 2


async def test_a_letter_that_is_not_the_first_of_its_sequence_stays_and_says_so(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """Asked for by its id it is not delivered out of turn, and the report names what is before it."""
    app = compose_app(hearing(mailer.send), dead_letters=queue)
    async with app as bus:
        for order in (1, 2):
            await bus.events.publish(Placed(order))
        mailer.down = False
        first, second = await letters(app)
        report = await app.dead_letters.replay(LetterFilter(id=second.id))

    assert report == ReplayReport(
        parked={second.id: f"it waits behind dead letter {first.id}, the first of sequence 'ann'"}
    )
    assert not report.ok
    assert mailer.sent == []


async def test_a_letter_that_another_replay_has_stays_and_says_so(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """Whoever was asked for it knows that it is not delivered yet."""
    app = compose_app(hearing(mailer.send), dead_letters=queue)
    async with app as bus:
        await bus.events.publish(Placed(1))
        claim = (await queue.claim()).unwrap()
        assert claim is not None
        report = await app.dead_letters.replay()

    assert report == ReplayReport(parked={claim.letter.id: "another replay has claimed it"})


@pytest.mark.parametrize("subscriber", [None, "send"])
async def test_a_letter_that_is_not_there_is_a_fault(
    subscriber: str | None, compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """An id with a slip of the pen is not taken for a letter that was delivered; a filter may well find nothing."""
    app = compose_app(hearing(mailer.send), dead_letters=queue)
    async with app as bus:
        await bus.events.publish(Placed(1))
        unknown = await app.dead_letters.replay(LetterFilter(id="0" * 32, subscriber=subscriber))
        nothing = await app.dead_letters.replay(LetterFilter(subscriber="nobody"))

    assert unknown == ReplayReport(fault=LetterNotFound("0" * 32))
    assert not unknown.ok
    assert nothing == ReplayReport()
    assert nothing.ok


async def test_two_replays_deliver_each_letter_once(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """Running at the same time they share the letters, and each sequence stays in order."""

    async def slow(event: Placed) -> Result[None, str]:
        await asyncio.sleep(0.001)
        return await mailer.send(event)

    app = compose_app(hearing(slow), dead_letters=queue)
    async with app as bus:
        for order in range(12):
            await bus.events.publish(Placed(order, f"customer {order % 3}"))
        mailer.down = False
        reports = await asyncio.gather(*(app.dead_letters.replay() for _ in range(3)))
        again = await app.dead_letters.replay()

    delivered = [each for report in (*reports, again) for each in report.delivered]
    assert len(delivered) == len(set(delivered)) == 12
    for customer in range(3):
        of_one = [order for order in mailer.sent if order % 3 == customer]
        assert of_one == sorted(of_one)


async def test_an_event_published_during_a_replay_keeps_its_place(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """It waits behind the letter that is being delivered, and follows it."""

    async def publishing(event: Placed) -> Result[None, str]:
        answer = await mailer.send(event)
        if event.order == 1 and not mailer.down:
            later.append(await app.events.publish(Placed(3)))
        return answer

    later: list[Any] = []
    app = compose_app(hearing(publishing), dead_letters=queue)
    async with app as bus:
        for order in (1, 2):
            await bus.events.publish(Placed(order))
        mailer.down = False
        report = await app.dead_letters.replay()

    assert later[0].deliveries[0].dead_lettered
    assert len(report.delivered) == 3
    assert mailer.sent == [1, 2, 3]


async def test_a_replay_that_is_cancelled_gives_the_letter_back(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """The letter is free for the next replay at once, with its count as it was."""
    began = asyncio.Event()

    async def hanging(event: Placed) -> Result[None, str]:
        if mailer.down:
            return await mailer.send(event)
        began.set()
        await asyncio.sleep(60)
        return Success(None)

    app = compose_app(hearing(hanging), dead_letters=queue)
    async with app as bus:
        await bus.events.publish(Placed(1))
        mailer.down = False
        task = asyncio.ensure_future(app.dead_letters.replay())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        claim = (await queue.claim()).unwrap()

        assert claim is not None
        assert claim.letter.attempts == 1


def stored(type_name: str = "shop.Placed", payload: str = '{"order": 1}', subscriber: str = "send") -> Any:
    from cqrs.dead_letter import DeadLetter

    return DeadLetter(StoredEvent(payload), type_name, subscriber, None, ErrorRecord("x", "y"), 1, 1, 1)


@pytest.mark.parametrize(
    ("letter", "reason"),
    [
        (stored("shop.Gone"), "no event of this app is stored as 'shop.Gone'"),
        (stored("builtins.dict"), "no event of this app is stored as 'builtins.dict'"),
        (stored("os.system", '{"command": "true"}'), "no event of this app is stored as 'os.system'"),
        (stored(payload='{"customer": "bob"}'), "does not fit Placed: required field missing @ $.order"),
        (stored(payload='{"order": "many"}'), "invalid value for type, expected int @ $.order"),
        (stored(payload="{"), "it is no JSON"),
        (stored(subscriber="renamed"), "no subscriber of Placed is named 'renamed'"),
    ],
    ids=["gone", "builtin", "foreign", "missing field", "wrong type", "damaged", "no subscriber"],
)
async def test_what_cannot_be_delivered_stays_parked_with_the_reason(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer, letter: Any, reason: str
) -> None:
    """Nothing is run, nothing is lost, and the letter says why; types come from the app alone, never by import."""
    mailer.down = False
    app = compose_app(hearing(mailer.send), dead_letters=queue)
    async with app:
        await queue.park(letter)
        report = await app.dead_letters.replay()
        (kept,) = await letters(app)

    assert reason in report.parked[letter.id]
    assert (mailer.tried, kept.attempts) == ([], 1)
    assert kept.error is not None
    assert reason in kept.error.text


async def test_a_renamed_event_is_found_by_its_alias(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """A class that was renamed since takes the letters of its old name."""
    mailer.down = False
    app = compose_app(hearing(mailer.send), dead_letters=queue)
    async with app:
        await queue.park(stored("old.Placed", '{"order": 7}'))
        assert (await app.dead_letters.replay()).ok

    assert mailer.sent == [7]


async def test_a_derived_event_is_read_as_itself(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """A subscriber of the base gets the class that was published."""
    kinds: list[type] = []

    async def noting(event: Placed) -> Result[None, str]:
        kinds.append(type(event))
        return await mailer.send(event)

    app = compose_app(hearing(noting), dead_letters=queue)
    async with app as bus:
        await bus.events.publish(Special(1))
        mailer.down = False
        assert (await app.dead_letters.replay()).ok

    assert kinds == [Special, Special]


async def test_a_replay_is_observed_within_the_trace_of_the_publish(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """Instruments hear of the delivery, whose trace is the one of the event."""
    heard: list[DeliveredDetails] = []

    class Keeping(Instrument):
        def delivered(self, details: DeliveredDetails, /) -> None:
            heard.append(details)

    app = compose_app(hearing(mailer.send), dead_letters=queue, instruments=[Keeping()])
    async with app as bus:
        await bus.events.publish(Placed(1))
        mailer.down = False
        await app.dead_letters.replay()

    first, second = heard
    assert first.context.trace_number == second.context.trace_number
    assert first.context.message_id != second.context.message_id
    assert (second.delivery.ok, second.handler.subscriber) == (True, "send")


async def test_a_closed_app_replays_nothing(compose_app: Any, mailer: Mailer) -> None:
    """Outside of `async with app` the report has the fault."""
    app = compose_app(hearing(mailer.send))

    assert await app.dead_letters.replay() == ReplayReport(fault=AppClosed("event"))


async def test_a_queue_that_fails_ends_the_replay(
    compose_app: Any, tmp_path: Path, mailer: Mailer, caplog: pytest.LogCaptureFixture
) -> None:
    """What was delivered until then stands in the report, with the fault."""
    queue = SqliteDeadLetterQueue(tmp_path / "l.db")

    async def closing(event: Placed) -> Result[None, str]:
        answer = await mailer.send(event)
        if not mailer.down:
            await queue.close()
        return answer

    app = compose_app(hearing(closing, sequence=None), dead_letters=queue)
    async with app as bus:
        for order in (1, 2):
            await bus.events.publish(Placed(order))
        mailer.down = False
        with caplog.at_level(logging.CRITICAL, "cqrs"):
            report = await app.dead_letters.replay()

    assert not report.ok
    assert "it was delivered, but could not be removed" in next(iter(report.parked.values()))
    assert "it is not open" in str(report.fault)


async def test_overflows_are_counted_for_the_life_of_the_app(
    compose_app: Any, mailer: Mailer, caplog: pytest.LogCaptureFixture
) -> None:
    """Losing a plugin, or starting again, begins no new count."""
    failing = asyncio.Event()

    class Dying(Plugin):
        name = "dying"

        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            """Crash when told to."""

            async def crash() -> None:
                await failing.wait()
                raise OSError("gone")

            async with anyio.create_task_group() as group:
                group.start_soon(crash)
                yield

    queue = MemoryDeadLetterQueue(sequences=0)
    app = compose_app(hearing(mailer.send), dead_letters=queue, plugins=(Dying(),))
    with caplog.at_level(logging.CRITICAL, "cqrs"):
        async with app as bus:
            await bus.events.publish(Placed(1))
            failing.set()
            with anyio.fail_after(20):
                while app.plugins[0].state != "failed":
                    await anyio.lowlevel.checkpoint()
            await bus.events.publish(Placed(2))
            assert app.dead_letters.overflows == 2
        failing.clear()
        async with app as bus:
            await bus.events.publish(Placed(3))

    assert app.dead_letters.overflows == 3
