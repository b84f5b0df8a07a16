"""Group D, what happens to events; each test is named by its row of the fault catalogue."""

import asyncio
import importlib.util
import logging
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import (
    CompositionError,
    ContractBroken,
    CqrsApp,
    Event,
    Feature,
    HandlerCrashed,
    RetryPolicy,
    type_id,
)
from cqrs.dead_letter import (
    DeadLetter,
    DeadLetterQueue,
    ErrorRecord,
    LetterFilter,
    MemoryDeadLetterQueue,
    StoredEvent,
    StoreFailed,
)
from cqrs.dead_letter_store import SqliteDeadLetterQueue
from cqrs.deliveries import PublishStrategy
from cqrs.faults import ParkedBehind, QueueFull


def eager_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]  # since Python 3.12
    return loop


BACKENDS: dict[str, Any] = {"asyncio": ("asyncio", {}), "debug": ("asyncio", {"debug": True})}
if sys.version_info >= (3, 12):
    BACKENDS["eager"] = ("asyncio", {"loop_factory": eager_loop})
if importlib.util.find_spec("trio"):
    BACKENDS["trio"] = ("trio", {})


@pytest.fixture(params=BACKENDS.values(), ids=BACKENDS.keys())
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Every way in which coroutines can run."""
    return request.param


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int = 0
    customer: str = "ann"


@type_id("shop.Renamed", aliases=("old.Placed",))
@attrs.frozen
class Renamed(Event):
    """What an event is called now; a field was added since."""

    order: int
    note: str = "none"


@pytest.fixture(params=["memory", "sqlite"])
def queue(request: Any, tmp_path: Path) -> DeadLetterQueue:
    return (
        MemoryDeadLetterQueue()
        if request.param == "memory"
        else SqliteDeadLetterQueue(tmp_path / "letters.db")
    )


class Mailer:
    """A subscriber whose server can be down."""

    def __init__(self) -> None:
        self.down = True
        self.sent: list[int] = []

    async def send(self, event: Any) -> Result[None, str]:
        """Send, or fail."""
        await anyio.lowlevel.checkpoint()
        if self.down:
            return Failure("the server is down")
        self.sent.append(event.order)
        return Success(None)


@pytest.fixture
def mailer() -> Mailer:
    return Mailer()


def hearing(mailer: Mailer, event: type[Event] = Placed) -> Feature:
    feature = Feature("orders")
    feature.subscribes(event, name="send", sequence=lambda e: getattr(e, "customer", None))(mailer.send)
    return feature


async def page(app: CqrsApp) -> tuple[DeadLetter, ...]:
    return (await app.dead_letters.queue.page()).unwrap().letters


async def fine(_event: Event) -> Result[str, str]:
    return Success("fine")


async def slow(_event: Event) -> Result[str, str]:
    await anyio.sleep(0.01)
    return Success("slow")


async def fails(_event: Event) -> Result[str, str]:
    return Failure("no")


async def crashes(_event: Event) -> Result[str, str]:
    raise ValueError("broken")


async def answers_nothing(_event: Event) -> Any:
    return None


async def cancels_itself(_event: Event) -> Result[str, str]:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # on trio only a scope can be cancelled, and it keeps that to itself
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anyio.sleep(1)
        return Failure("gave up")
    raise asyncio.CancelledError


@pytest.mark.parametrize("strategy", [PublishStrategy.CONCURRENT, PublishStrategy.SEQUENTIAL])
async def test_d10_ten_subscribers_of_which_some_fail(compose_app: Any, strategy: PublishStrategy) -> None:
    """Three fail, one is slow, one cancels itself: all others complete, and each has its outcome in its place."""
    order = [fine, fails, slow, crashes, cancels_itself, answers_nothing, fine, fine, fine, fine]
    feature = Feature("orders")
    feature.publishes(Placed, strategy=strategy)
    for number, subscriber in enumerate(order):
        feature.subscribes(Placed, name=f"{number}")(subscriber)
    app = compose_app(feature)
    async with app as bus:
        report = await bus.events.publish(Placed())
        letters = await page(app)

    assert [delivery.subscriber for delivery in report.deliveries] == [f"{number}" for number in range(10)]
    assert [delivery.ok for delivery in report.deliveries] == [n not in (1, 3, 4, 5) for n in range(10)]
    assert sorted(letter.subscriber for letter in letters) == ["1", "3", "4", "5"]
    assert isinstance(report.deliveries[3].result.failure(), HandlerCrashed)
    assert isinstance(report.deliveries[5].result.failure(), ContractBroken)


class Ends(BaseException):
    """As KeyboardInterrupt, which would end the event loop of the test too."""


@pytest.mark.parametrize("strategy", PublishStrategy)
async def test_d2_a_subscriber_that_ends_the_program(compose_app: Any, strategy: PublishStrategy) -> None:
    """The publisher gets just what was raised, when every other subscriber has ended; nothing is parked."""
    running: list[str] = []
    error = Ends()

    async def waits(_event: Event) -> Result[str, str]:
        running.append("waits")
        try:
            await anyio.sleep(0 if strategy is not PublishStrategy.CONCURRENT else 60)
        finally:
            running.remove("waits")
        return Success("waited")

    async def ends(_event: Event) -> Result[str, str]:
        await anyio.sleep(0.01)
        raise error

    feature = Feature("orders")
    feature.publishes(Placed, strategy=strategy)
    for subscriber in (waits, ends, waits):
        feature.subscribes(Placed, name=f"{len(feature.subscribings)}")(subscriber)
    app = compose_app(feature)

    async with app as bus:
        with pytest.raises(Ends) as raised:
            await bus.events.publish(Placed())
        assert running == []
        assert await page(app) == ()

    assert raised.value is error


async def test_d10_the_order_is_kept_where_it_is_asked_for(compose_app: Any) -> None:
    """STOP_ON_FAILURE tries nobody after the first that fails, and names those it left out."""
    feature = Feature("orders")
    feature.publishes(Placed, strategy=PublishStrategy.STOP_ON_FAILURE)
    for number, subscriber in enumerate([slow, fails, fine]):
        feature.subscribes(Placed, name=f"{number}")(subscriber)
    async with compose_app(feature) as bus:
        report = await bus.events.publish(Placed())

    assert [delivery.ok for delivery in report.deliveries] == [True, False]
    assert report.skipped == ("2",)


async def test_d11_a_subscriber_that_fails_again_and_again(compose_app: Any, queue: DeadLetterQueue) -> None:
    """The next event is still delivered to it; each that failed waits with its attempts, after as many as the policy says."""
    tries: list[int] = []
    feature = Feature("orders")

    @feature.subscribes(Placed, name="send", retry=RetryPolicy(3, base=0.0))
    async def send(event: Placed) -> Result[None, object]:
        tries.append(event.order)
        return Success(None) if event.order == 3 else Failure(TimeoutError())

    app = compose_app(feature, dead_letters=queue)
    async with app as bus:
        reports = [await bus.events.publish(Placed(order)) for order in range(1, 5)]
        letters = await page(app)

    assert tries == [1, 1, 1, 2, 2, 2, 3, 4, 4, 4]
    assert [report.deliveries[0].attempts for report in reports] == [3, 3, 1, 3]
    assert [letter.attempts for letter in letters] == [3, 3, 3]


@pytest.mark.parametrize("down", ["full", "broken"])
async def test_d12_dead_letters_that_are_full_or_down(
    compose_app: Any, down: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The failure reaches the publisher, the event is counted as lost and said with the reason; nothing raises."""
    store = SqliteDeadLetterQueue(tmp_path / "letters.db")
    queue: DeadLetterQueue = MemoryDeadLetterQueue(sequences=1) if down == "full" else store
    feature = Feature("orders")
    feature.subscribes(Placed, name="send")(fails)
    app = compose_app(feature, dead_letters=queue)
    async with app as bus:
        await bus.events.publish(Placed(1))
        if down == "broken":
            await store.close()
        report = await bus.events.publish(Placed(2))
        (subscriber,) = bus._listeners.audience(Placed).subscribers

    (delivery,) = report.deliveries
    assert (delivery.result, delivery.dead_lettered) == (Failure("no"), False)
    assert subscriber.delivering.parking.overflows == 1
    (said,) = (record for record in caplog.records if "dead_letter_overflow" in record.getMessage())
    assert said.levelno == logging.ERROR
    assert (QueueFull if down == "full" else StoreFailed).__name__ in said.getMessage()


async def test_d12_a_sequence_whose_place_is_not_known(
    compose_app: Any, mailer: Mailer, tmp_path: Path
) -> None:
    """With the store down, an event that has a place to keep is not delivered out of order: it fails, and that is said."""
    mailer.down = False
    store = SqliteDeadLetterQueue(tmp_path / "letters.db")
    async with compose_app(hearing(mailer), dead_letters=store) as bus:
        await store.close()
        report = await bus.events.publish(Placed(1))

    assert isinstance(report.deliveries[0].result.failure(), StoreFailed)
    assert mailer.sent == []


LETTERS = {
    "subscriber gone": (DeadLetter(StoredEvent('{"order": 1}'), "shop.Renamed", "gone"), "no subscriber"),
    "class gone": (DeadLetter(StoredEvent('{"order": 1}'), "shop.Gone", "send"), "no event of this app"),
    "schema changed": (DeadLetter(StoredEvent('{"number": 1}'), "shop.Renamed", "send"), "$.order"),
    "damaged": (DeadLetter(StoredEvent("{"), "shop.Renamed", "send"), "no JSON"),
}


@pytest.mark.parametrize("what", LETTERS)
async def test_d13_a_letter_that_cannot_be_replayed(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer, what: str
) -> None:
    """It stays parked with the reason, nothing runs, and the others are delivered."""
    mailer.down = False
    letter, reason = LETTERS[what]
    sound = DeadLetter(StoredEvent('{"order": 7}'), "old.Placed", "send", error=ErrorRecord("x", "y"))
    app = compose_app(hearing(mailer, Renamed), dead_letters=queue)
    async with app:
        await queue.park(letter)
        await queue.park(sound)
        report = await app.dead_letters.replay()
        (kept,) = await page(app)
        await queue.discard()

    assert report.delivered == (sound.id,)
    assert reason in report.parked[letter.id]
    assert (kept.id, mailer.sent) == (letter.id, [7])
    assert kept.error is not None
    assert reason in kept.error.text


async def test_d13_a_letter_that_is_poison_again(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """It is parked again with a raised count, at its place, once."""
    app = compose_app(hearing(mailer), dead_letters=queue)
    async with app as bus:
        await bus.events.publish(Placed(1))
        for _ in range(3):
            await app.dead_letters.replay()
        (letter,) = await page(app)

    assert letter.attempts == 4


async def test_d13_two_replayers(compose_app: Any, queue: DeadLetterQueue, mailer: Mailer) -> None:
    """Each letter is claimed by one of them and delivered once."""
    app = compose_app(hearing(mailer), dead_letters=queue)
    async with app as bus:
        for order in range(6):
            await bus.events.publish(Placed(order, f"customer {order}"))
        mailer.down = False
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(app.dead_letters.replay)
        assert await page(app) == ()

    assert sorted(mailer.sent) == list(range(6))


async def test_d14_an_event_published_during_a_replay(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """It waits behind what is replayed, whoever publishes it and when, and order holds to the end."""
    app = compose_app(hearing(mailer), dead_letters=queue)
    answers: list[Any] = []

    async def publish_more() -> None:
        for order in range(3, 9):
            report = await app.events.publish(Placed(order))
            answers.extend(report.deliveries)

    async with app as bus:
        for order in range(3):
            await bus.events.publish(Placed(order))
        mailer.down = False
        async with anyio.create_task_group() as group:
            group.start_soon(publish_more)
            group.start_soon(app.dead_letters.replay)
        await app.dead_letters.replay()

    assert mailer.sent == list(range(9))
    assert all(answer.ok or isinstance(answer.result.failure(), ParkedBehind) for answer in answers)


async def test_d14_other_sequences_are_not_held_up(
    compose_app: Any, queue: DeadLetterQueue, mailer: Mailer
) -> None:
    """An event of another customer is delivered at once."""
    app = compose_app(hearing(mailer), dead_letters=queue)
    async with app as bus:
        await bus.events.publish(Placed(1, "ann"))
        mailer.down = False
        report = await bus.events.publish(Placed(2, "bob"))
        await app.dead_letters.replay(LetterFilter(sequence="ann"))

    assert report.ok
    assert mailer.sent == [2, 1]


@pytest.fixture
async def damaged(tmp_path: Path) -> Path:
    """A file under the name of the store that is none."""
    path = tmp_path / "letters.db"
    await anyio.Path(path).write_text("this is no database, and a long text besides. " * 50)
    return path


async def test_a_store_that_is_damaged_keeps_the_app_from_starting(compose_app: Any, damaged: Path) -> None:
    """An app that was told to keep its dead letters does not start where it cannot; the file is left as it is."""
    with pytest.raises(CompositionError, match="CQRS-042"):
        await compose_app(dead_letters=SqliteDeadLetterQueue(damaged)).__aenter__()

    assert (await anyio.Path(damaged).read_text()).startswith("this is no database")
