import asyncio
from typing import Any

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import (
    AppClosed,
    BusDisabled,
    Event,
    EventBus,
    Feature,
    HandlerInfo,
    Instrument,
    Next,
    PublishReport,
)
from cqrs.faults import HandlerCrashed, TimedOut
from cqrs.instrumentation import PublishDetails


@attrs.frozen
class Happened(Event):
    """An event that others derive from."""

    number: int = 0


@attrs.frozen
class Placed(Happened):
    """A more special event."""


@attrs.frozen
class Unrelated(Event):
    """An event of its own."""


class Hearing(Instrument):
    """Keeps what it hears of publishes."""

    def __init__(self, error: Exception | None = None) -> None:
        self.heard: list[PublishDetails] = []
        self._error = error

    def published(self, details: PublishDetails, /) -> None:
        """Keep it, and perhaps raise."""
        self.heard.append(details)
        if self._error is not None:
            raise self._error


class Ticking:
    """A clock that moves by 10 ms at each look."""

    def __init__(self) -> None:
        self.now = 0

    def monotonic_ns(self) -> int:
        """Look."""
        self.now += 10_000_000
        return self.now

    time_ns = monotonic_ns


async def good(_event: Event) -> Result[str, str]:
    return Success("good")


async def bad(_event: Event) -> Result[str, str]:
    return Failure("bad")


async def crashes(_event: Event) -> Result[str, str]:
    raise ValueError("broken")


async def sleeps(_event: Event) -> Result[str, str]:
    await anyio.sleep(0.01)
    return Success("slept")


async def hangs(_event: Event) -> Result[str, str]:
    await anyio.sleep_forever()
    return Success("never")


async def cancels_itself(_event: Event) -> Result[str, str]:
    raise asyncio.CancelledError


async def awaits_what_was_cancelled(_event: Event) -> Result[str, str]:
    background = asyncio.ensure_future(asyncio.sleep(60))
    background.cancel()
    await background
    return Success("never")


def hearing(*subscribers: Any, event: type[Event] = Happened, timeout: float | None = None) -> Feature:
    feature = Feature("hearing")
    for number, subscriber in enumerate(subscribers):
        feature.subscribes(event, name=f"{number} {subscriber.__name__}", timeout=timeout)(subscriber)
    return feature


def results(report: PublishReport) -> list[str]:
    return [
        type(d.result.failure()).__name__ if isinstance(d.result, Failure) else str(d.result.unwrap())
        for d in report.deliveries
    ]


async def test_an_event_without_subscribers_reaches_nobody(compose_app: Any) -> None:
    """Publishing what nobody hears is fine and gives no delivery."""
    async with compose_app(hearing(good)) as bus:
        report = await bus.events.publish(Unrelated())

    assert report == PublishReport(())
    assert report.ok


async def test_one_subscriber_is_awaited_directly(compose_app: Any) -> None:
    """A single subscriber runs in the publisher's own task and its answer is the delivery."""
    tasks: list[object] = []

    async def where(event: Happened) -> Result[int, str]:
        tasks.append(asyncio.current_task())
        return Success(event.number)

    async with compose_app(hearing(where), clock=Ticking()) as bus:
        report = await bus.events.publish(Happened(7))

    (delivery,) = report.deliveries
    assert (delivery.subscriber, delivery.result, delivery.duration) == ("0 where", Success(7), 0.01)
    assert tasks == [asyncio.current_task()]


async def test_ten_subscribers_run_at_once_and_are_reported_in_order(compose_app: Any) -> None:
    """Fast, failing, crashing and slow ones all end, and stand in the report as they were registered."""
    order = [sleeps, good, bad, crashes, good, sleeps, bad, crashes, good, good]

    async with compose_app(hearing(*order)) as bus:
        report = await bus.events.publish(Happened())

    assert results(report) == [
        "slept", "good", "str", "HandlerCrashed", "good", "slept", "str", "HandlerCrashed", "good", "good",
    ]  # fmt: skip
    assert [d.subscriber for d in report.deliveries] == [f"{n} {s.__name__}" for n, s in enumerate(order)]
    assert not report.ok
    assert len(report.failures) == 4


async def test_subscribers_run_concurrently(compose_app: Any) -> None:
    """Two subscribers that wait for one another both end."""
    first, second = anyio.Event(), anyio.Event()

    async def one(_event: Event) -> Result[str, str]:
        first.set()
        await second.wait()
        return Success("one")

    async def two(_event: Event) -> Result[str, str]:
        await first.wait()
        second.set()
        return Success("two")

    async with compose_app(hearing(one, two)) as bus:
        assert results(await bus.events.publish(Happened())) == ["one", "two"]


@pytest.mark.parametrize("culprit", [cancels_itself, awaits_what_was_cancelled], ids=lambda c: c.__name__)
@pytest.mark.parametrize("observed", [False, True])
async def test_a_subscriber_that_cancels_itself_fails_alone(
    culprit: Any, compose_app: Any, caplog: pytest.LogCaptureFixture, *, observed: bool
) -> None:
    """Its delivery fails with what happened; siblings end, and the publisher is not cancelled, alone or among others."""
    instruments = [Hearing()] if observed else []
    async with compose_app(hearing(sleeps, culprit, sleeps), instruments=instruments) as bus:
        report = await bus.events.publish(Happened())
    async with compose_app(hearing(culprit), instruments=instruments) as bus:
        alone = await bus.events.publish(Happened())

    assert results(report) == ["slept", "HandlerCrashed", "slept"]
    assert results(alone) == ["HandlerCrashed"]
    fault = report.deliveries[1].result.failure()
    assert isinstance(fault, HandlerCrashed)
    assert fault.exception_type.endswith("CancelledError")
    assert sum("crashed in" in record.getMessage() for record in caplog.records) == 2


async def test_a_subscriber_that_takes_too_long_times_out_alone(compose_app: Any) -> None:
    """A timeout is one delivery's."""
    feature = hearing(hangs, timeout=0.01)
    feature.subscribes(Happened, name="patient")(sleeps)

    async with compose_app(feature) as bus:
        report = await bus.events.publish(Happened())

    assert report.deliveries[0].result == Failure(TimedOut(f"{__name__}.hangs", 0.01))
    assert report.deliveries[1].ok


async def test_a_subscriber_that_fails_again_and_again_hears_the_next_event(compose_app: Any) -> None:
    """Failing never ends a subscription."""
    async with compose_app(hearing(crashes, bad)) as bus:
        for _ in range(5):
            assert len((await bus.events.publish(Happened())).deliveries) == 2


@pytest.mark.parametrize("subscribers", [[hangs], [hangs, hangs, good]], ids=len)
@pytest.mark.parametrize("how", ["task", "scope"])
async def test_a_publisher_that_is_cancelled_cancels_its_deliveries(
    subscribers: list[Any], how: str, compose_app: Any
) -> None:
    """Cancellation reaches the subscribers and the caller, and the instrument hears that it was so."""
    instrument = Hearing()
    async with compose_app(hearing(*subscribers), instruments=[instrument]) as bus:
        if how == "task":
            task = asyncio.ensure_future(bus.events.publish(Happened()))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            with anyio.move_on_after(0.01) as scope:
                await bus.events.publish(Happened())
            assert scope.cancelled_caught

    (details,) = instrument.heard
    assert details.cancelled
    assert details.subscribers == len(subscribers)


async def test_a_subscriber_of_a_base_class_hears_what_derives_from_it(compose_app: Any) -> None:
    """Each subscriber of an event or of its bases hears it once, in the order of registration."""
    heard: list[str] = []

    def note(name: str) -> Any:
        async def subscriber(event: Event) -> Result[None, str]:
            heard.append(f"{name} {type(event).__name__}")
            return Success(None)

        return subscriber

    feature = Feature("bases")
    feature.subscribes(Event, name="all")(note("all"))
    feature.subscribes(Placed, name="placed")(note("placed"))
    feature.subscribes(Happened, Placed, name="both")(note("both"))
    async with compose_app(feature) as bus:
        await bus.events.publish(Placed())
        await bus.events.publish(Happened())
        await bus.events.publish(Unrelated())

    assert sorted(heard[:3]) == ["all Placed", "both Placed", "placed Placed"]
    assert sorted(heard[3:5]) == ["all Happened", "both Happened"]
    assert heard[5:] == ["all Unrelated"]


async def test_a_handler_may_publish_and_is_published_to(compose_app: Any) -> None:
    """Publishing inside of a subscriber delivers before the outer publish ends."""
    heard: list[str] = []
    feature = Feature("chain")

    @feature.subscribes(Unrelated)
    async def first(_event: Unrelated, *, events: EventBus) -> Result[None, str]:
        report = await events.publish(Placed())
        heard.append("first")
        return Success(None) if report.ok else Failure("inner")

    @feature.subscribes(Placed)
    async def second(_event: Placed) -> Result[None, str]:
        heard.append("second")
        return Success(None)

    async with compose_app(feature) as bus:
        assert (await bus.events.publish(Unrelated())).ok

    assert heard == ["second", "first"]


async def test_a_bus_that_is_not_open_delivers_to_nobody(compose_app: Any) -> None:
    """Closed before and after, or disabled, publish gives no delivery, the fault, and is not ok."""
    app = compose_app(hearing(good))
    closed = PublishReport((), AppClosed("event"))

    assert await app.events.publish(Happened()) == closed
    async with app as bus:
        assert (await bus.events.publish(Happened())).ok
    assert await app.events.publish(Happened()) == closed
    async with compose_app(enable_event_bus=False) as bus:
        assert await bus.events.publish(Happened()) == PublishReport((), BusDisabled("event"))


async def test_an_instrument_hears_of_each_publish_once(compose_app: Any) -> None:
    """Event, number of deliveries and failures, duration and identity are told after the last delivery."""
    instrument = Hearing()
    async with compose_app(hearing(good, bad), instruments=[instrument], clock=Ticking()) as bus:
        await bus.events.publish(Placed())
        await bus.events.publish(Unrelated())

    placed, unrelated = instrument.heard
    assert (placed.event, placed.event_type) == (Placed, "Placed")
    assert (placed.subscribers, placed.failures, placed.cancelled) == (2, 1, False)
    assert placed.duration_ns > 0
    assert placed.context.message_number != unrelated.context.message_number
    assert (unrelated.subscribers, unrelated.failures) == (0, 0)


async def test_an_instrument_that_raises_does_not_touch_the_publish(
    compose_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A hook that raises is logged once, counted, and the others still hear."""
    broken, sound = Hearing(ValueError("deaf")), Hearing()
    async with compose_app(hearing(good), instruments=[broken, sound]) as bus:
        for _ in range(3):
            assert (await bus.events.publish(Happened())).ok
        assert bus._listeners.hooks.failures.counts == {("Hearing", "published"): 3}

    assert len(sound.heard) == 3
    assert len(caplog.records) == 1


async def test_names_of_events_are_unique_in_every_pipeline(compose_app: Any) -> None:
    """Two events of one name are told apart by module, also where a subscriber names several."""
    north, south = (
        type("Created", (Event,), {"__module__": module}) for module in ("north.orders", "south.orders")
    )
    instrument = Hearing()
    feature = Feature("two")
    feature.subscribes(Happened, north, name="north")(good)
    feature.subscribes(Unrelated, south, name="south")(good)
    app = compose_app(feature, instruments=[instrument])
    async with app as bus:
        await bus.events.publish(north())
        await bus.events.publish(south())

    assert [d.event_type for d in instrument.heard] == ["north.orders.Created", "south.orders.Created"]
    described = app.check().unwrap().handlers
    assert described[0].messages == ("Happened", "north.orders.Created")


async def test_a_middleware_that_cannot_be_composed_late_fails_the_delivery(compose_app: Any) -> None:
    """An event class first seen at its publish, for which a middleware raises, is a failed delivery, not an exception."""

    def picky(next: Next, handler: HandlerInfo) -> Next:
        if handler.message is Placed:
            raise KeyError("no rule for Placed")
        return next

    async with compose_app(hearing(good), middleware=[picky]) as bus:
        report = await bus.events.publish(Placed())
        assert (await bus.events.publish(Happened())).ok

    fault = report.deliveries[0].result.failure()
    assert isinstance(fault, HandlerCrashed)
    assert (fault.stage, fault.message_type) == ("middleware", "Placed")
