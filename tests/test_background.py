"""Publishing in the background."""

import asyncio
from typing import Any

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import AppClosed, BusDisabled, Command, Emit, Event, Feature
from cqrs.background import BackgroundQueue
from cqrs.context import cqrs_context, current_context
from cqrs.deliveries import PublishReport
from cqrs.faults import QueueFull
from cqrs.instrumentation import Instrument, PublishDetails


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int = 0


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


class Subscriber:
    """Hears events, once it may."""

    def __init__(self, *, waits: bool = False) -> None:
        self.heard: list[int] = []
        self.may_go_on = asyncio.Event()
        if not waits:
            self.may_go_on.set()

    async def hear(self, event: Placed) -> Result[None, str]:
        """Wait, then note it."""
        await self.may_go_on.wait()
        self.heard.append(event.order)
        return Success(None)


def hearing(subscriber: Any) -> Feature:
    feature = Feature("orders")
    feature.subscribes(Placed, name="send")(subscriber)
    return feature


async def test_events_are_published_later_in_order(compose_app: Any) -> None:
    """Nothing is delivered before the caller lets others run; then everything is, one after the other."""
    subscriber = Subscriber()
    async with compose_app(hearing(subscriber.hear)) as bus:
        answers = [await bus.events.publish_later(Placed(order)) for order in range(5)]
        assert subscriber.heard == []
        await bus.events.drain()

    assert answers == [Success(None)] * 5
    assert subscriber.heard == [0, 1, 2, 3, 4]


async def test_closing_publishes_what_was_taken(compose_app: Any) -> None:
    """Leaving the app waits for what is in the queue; what a subscriber would add then is refused, and it knows."""
    heard: list[int] = []
    feature = Feature("orders")
    app = compose_app(feature)

    @feature.subscribes(Placed)
    async def send(event: Placed) -> Result[None, str]:
        heard.append(event.order)
        if event.order == 1:
            answers.append(await app.events.publish_later(Placed(9)))
        return Success(None)

    answers: list[Result[None, object]] = []
    async with app as bus:
        await bus.events.publish_later(Placed(1))

    assert heard == [1]
    assert answers == [Failure(AppClosed("event"))]


async def test_a_full_queue_says_so(compose_app: Any) -> None:
    """What has no place is not taken, and its caller knows."""
    subscriber = Subscriber(waits=True)
    async with compose_app(hearing(subscriber.hear)) as bus:
        answers = [await bus.events.publish_later(Placed(order)) for order in range(1025)]
        assert answers[-1] == Failure(QueueFull("events to publish later", 1024))
        assert answers[:-1] == [Success(None)] * 1024
        subscriber.may_go_on.set()

    assert subscriber.heard == list(range(1024))


async def test_a_bus_that_is_not_open_takes_nothing(compose_app: Any) -> None:
    """Closed before and after, or disabled, the answer says which."""
    app = compose_app(hearing(Subscriber().hear))
    assert await app.events.publish_later(Placed()) == Failure(AppClosed("event"))
    async with app as bus:
        assert await bus.events.publish_later(Placed()) == Success(None)
    assert await app.events.publish_later(Placed()) == Failure(AppClosed("event"))
    async with compose_app(enable_event_bus=False) as bus:
        assert await bus.events.publish_later(Placed()) == Failure(BusDisabled("event"))


async def test_an_event_keeps_the_identity_of_whoever_published_it(compose_app: Any) -> None:
    """Correlation and tenant are those of the caller, not of the caller before."""
    seen: list[tuple[str | None, str]] = []

    class Hearing(Instrument):
        def published(self, details: PublishDetails, /) -> None:
            seen.append((details.context.tenant, details.context.correlation_id))

    async with compose_app(hearing(Subscriber().hear), instruments=[Hearing()]) as bus:
        for tenant in ("north", "south"):
            with cqrs_context(tenant=tenant, correlation_id=tenant):
                await bus.events.publish_later(Placed())
        assert current_context() is None

    assert seen == [("north", "north"), ("south", "south")]


async def test_a_failing_subscriber_is_parked_and_the_next_event_comes(compose_app: Any) -> None:
    """Nobody waits for the answer, so the dead letters keep it."""

    async def send(event: Placed) -> Result[None, str]:
        if event.order == 1:
            raise ValueError("broken")
        return Success(None)

    app = compose_app(hearing(send))
    async with app as bus:
        for order in (1, 2):
            await bus.events.publish_later(Placed(order))
        await bus.events.drain()
        (letter,) = (await app.dead_letters.queue.page()).unwrap().letters

    assert letter.event == Placed(1)


async def test_what_is_left_after_the_deadline_is_parked_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """A subscriber that hangs does not keep an app from closing: what was still to come is handed over, and counted."""
    left: list[Event] = []

    async def hang(_event: Event) -> PublishReport:
        await anyio.sleep_forever()
        return PublishReport()

    async def abandon(event: Event) -> None:
        left.append(event)

    queue = BackgroundQueue(hang, abandon)
    for order in range(3):
        queue.put(Placed(order))
    await asyncio.sleep(0.01)
    assert len(queue) == 2
    await queue.close(0.01)

    assert left == [Placed(0), Placed(1), Placed(2)]
    assert len(queue) == 0
    assert "3 events were still to be published" in caplog.text


class Ended(BaseException):
    """Like KeyboardInterrupt, but the event loop of this test does not end with it."""


@pytest.mark.parametrize("stop", [GeneratorExit, Ended])
async def test_a_publish_that_raises_what_ends_a_program_keeps_none_of_the_others_back(
    stop: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """The event is parked and said, the next ones are published, and nothing waits for ever."""
    published: list[Event] = []
    left: list[Event] = []

    async def publish(event: Event) -> PublishReport:
        await anyio.lowlevel.checkpoint()
        if event == Placed(0):
            raise stop
        published.append(event)
        return PublishReport()

    async def abandon(event: Event) -> None:
        left.append(event)

    queue = BackgroundQueue(publish, abandon)
    for order in range(3):
        queue.put(Placed(order))
    await queue.close(5)

    assert (left, published) == ([Placed(0)], [Placed(1), Placed(2)])
    assert len(queue) == 0
    assert "Placed is not published but parked for its subscribers" in caplog.text


async def test_what_a_worker_left_that_was_cancelled_is_parked(caplog: pytest.LogCaptureFixture) -> None:
    """An event loop that ends cancels the worker, too: closing finds what it left."""
    left: list[Event] = []

    async def hang(_event: Event) -> PublishReport:
        await anyio.sleep_forever()
        return PublishReport()

    async def abandon(event: Event) -> None:
        left.append(event)

    queue = BackgroundQueue(hang, abandon)
    for order in range(2):
        queue.put(Placed(order))
    await asyncio.sleep(0.01)
    assert queue._worker is not None
    queue._worker.cancel()
    await asyncio.sleep(0.01)
    await queue.close(0.01)

    assert left == [Placed(0), Placed(1)]
    assert "2 events were still to be published" in caplog.text


async def test_an_event_that_is_abandoned_waits_for_each_subscriber(compose_app: Any) -> None:
    """What is handed over at the deadline is parked with its place and the reason."""
    feature = hearing(Subscriber().hear)
    feature.subscribes(Placed, name="bill", sequence=lambda event: event.order)(Subscriber().hear)
    app = compose_app(feature)
    async with app as bus:
        await bus.events.abandon(Placed(7))
        letters = (await app.dead_letters.queue.page()).unwrap().letters

    assert [(letter.subscriber, letter.sequence, letter.attempts) for letter in letters] == [
        ("send", None, 0), ("bill", "7", 0),
    ]  # fmt: skip
    assert all("AppClosed" in letter.error.kind for letter in letters)


async def test_draining_an_empty_queue_does_not_wait(compose_app: Any) -> None:
    """Nothing to do is done at once."""
    async with compose_app() as bus:
        with anyio.fail_after(5):
            await bus.events.drain()


async def test_a_subscriber_cannot_wait_for_its_own_delivery(compose_app: Any) -> None:
    """`drain` within what is published later says so instead of standing still, also in a task of the subscriber's."""
    caught: list[str] = []
    app = compose_app()

    async def drains() -> None:
        with pytest.raises(RuntimeError, match="it would wait for itself") as raised:
            await app.events.drain()
        caught.append(str(raised.value))

    async def send(_event: Placed) -> Result[None, str]:
        async with anyio.create_task_group() as group:
            group.start_soon(drains)
        await drains()
        return Success(None)

    app = compose_app(hearing(send))
    async with app as bus:
        with anyio.fail_after(20):
            await bus.events.publish_later(Placed())
            await bus.events.drain()

    assert len(caught) == 2


async def test_what_a_subscriber_left_running_may_wait_for_the_queue(compose_app: Any) -> None:
    """A task that outlives the delivery, and a subscriber of another app's queue, drain like anybody else."""
    left: list[asyncio.Task[None]] = []
    ended, other = asyncio.Event(), compose_app()
    app = compose_app()

    async def drains() -> None:
        await ended.wait()
        await app.events.drain()

    async def send(_event: Placed) -> Result[None, str]:
        left.append(asyncio.ensure_future(drains()))
        await other.events.drain()
        return Success(None)

    app = compose_app(hearing(send))
    async with other, app as bus:
        with anyio.fail_after(20):
            await bus.events.publish_later(Placed())
            await bus.events.drain()
            ended.set()
            await left[0]


async def test_events_without_a_place_are_counted(compose_app: Any) -> None:
    """Whether the caller is told or a handler's event goes out at once instead: `refused` says how many they were."""
    subscriber = Subscriber(waits=True)
    async with compose_app(hearing(subscriber.hear)) as bus:
        bus.events._background._capacity = 2
        answers = [await bus.events.publish_later(Placed(order)) for order in range(5)]
        assert bus.events.refused == 3
        subscriber.may_go_on.set()

    assert [isinstance(answer, Failure) for answer in answers] == [False, False, True, True, True]


async def test_what_a_handler_emits_for_later_without_a_place_is_counted_and_heard(compose_app: Any) -> None:
    """It goes out at once, before `execute` returns, and `refused` says so."""
    subscriber = Subscriber()
    feature = hearing(subscriber.hear)

    @feature.handles(Place)
    async def place(_command: Place, *, emit: Emit) -> Result[int, str]:
        emit.later(Placed(7))
        return Success(7)

    async with compose_app(feature) as bus:
        bus.events._background._capacity = 0
        assert await bus.commands.execute(Place()) == Success(7)
        assert (subscriber.heard, bus.events.refused) == ([7], 1)
