"""Several subscribers at once, or one after the other."""

import asyncio
from typing import Any

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event, Feature
from cqrs.deliveries import PublishStrategy


@attrs.frozen
class Placed(Event):
    """An event."""


async def good(_event: Event) -> Result[str, str]:
    return Success("good")


async def bad(_event: Event) -> Result[str, str]:
    return Failure("bad")


async def crashes(_event: Event) -> Result[str, str]:
    raise ValueError("broken")


async def exits(_event: Event) -> Result[str, str]:
    raise SystemExit(3)


def hearing(*subscribers: Any, strategy: PublishStrategy = PublishStrategy.CONCURRENT) -> Feature:
    feature = Feature("orders")
    feature.publishes(Placed, strategy=strategy)
    for number, subscriber in enumerate(subscribers):
        feature.subscribes(Placed, name=str(number))(subscriber)
    return feature


@pytest.mark.parametrize("strategy", [PublishStrategy.SEQUENTIAL, PublishStrategy.STOP_ON_FAILURE])
async def test_one_after_the_other_in_order(compose_app: Any, strategy: PublishStrategy) -> None:
    """Each begins when the one before has ended."""
    steps: list[str] = []

    def slow(name: str) -> Any:
        async def subscriber(_event: Placed) -> Result[None, str]:
            steps.append(f"{name} begins")
            await asyncio.sleep(0)
            steps.append(f"{name} ends")
            return Success(None)

        return subscriber

    async with compose_app(hearing(slow("a"), slow("b"), strategy=strategy)) as bus:
        assert (await bus.events.publish(Placed())).ok

    assert steps == ["a begins", "a ends", "b begins", "b ends"]


@pytest.mark.parametrize("failing", [bad, crashes])
async def test_in_sequence_a_failure_stops_nobody(compose_app: Any, failing: Any) -> None:
    """All of them hear the event, whatever the others answered."""
    async with compose_app(hearing(good, failing, good, strategy=PublishStrategy.SEQUENTIAL)) as bus:
        report = await bus.events.publish(Placed())

    assert [delivery.ok for delivery in report.deliveries] == [True, False, True]
    assert report.skipped == ()


@pytest.mark.parametrize("failing", [bad, crashes])
async def test_the_first_failure_stops_the_rest_where_that_is_asked(compose_app: Any, failing: Any) -> None:
    """Those that were not tried stand in the report and are not parked; the one that failed is."""
    app = compose_app(hearing(good, failing, good, good, strategy=PublishStrategy.STOP_ON_FAILURE))
    async with app as bus:
        report = await bus.events.publish(Placed())
        letters = (await app.dead_letters.queue.page()).unwrap().letters

    assert [delivery.ok for delivery in report.deliveries] == [True, False]
    assert report.skipped == ("2", "3")
    assert not report.ok
    assert [letter.subscriber for letter in letters] == ["1"]


async def test_a_subscriber_that_ends_the_program_ends_it(compose_app: Any) -> None:
    """SystemExit reaches the publisher itself, once every sibling has been cancelled and has ended."""
    ended: list[str] = []

    async def cleans_up(_event: Event) -> Result[str, str]:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")
        return Success("never")

    async with compose_app(hearing(cleans_up, exits, cleans_up)) as bus:
        with pytest.raises(SystemExit) as stopped:
            await bus.events.publish(Placed())

    assert stopped.value.code == 3
    assert ended == ["cleaned up"] * 2


@pytest.mark.parametrize("how", ["task", "scope"])
async def test_a_cancelled_publisher_waits_for_clean_up(compose_app: Any, how: str) -> None:
    """Every subscriber is cancelled once, ends its shielded clean-up, and only then is the publisher cancelled."""
    ended: list[str] = []
    began = asyncio.Event()

    async def cleans_up(_event: Event) -> Result[str, str]:
        try:
            began.set()
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.02)
                ended.append("cleaned up")
        return Success("never")

    async with compose_app(hearing(cleans_up, cleans_up, good)) as bus:
        if how == "task":
            task = asyncio.ensure_future(bus.events.publish(Placed()))
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(_cancel_after, began, scope)
                    await bus.events.publish(Placed())
            assert scope.cancelled_caught

    assert ended == ["cleaned up"] * 2


async def _cancel_after(began: asyncio.Event, scope: anyio.CancelScope) -> None:
    await began.wait()
    scope.cancel()


async def test_nothing_is_left_running(compose_app: Any) -> None:
    """After a publish there are as many tasks as before."""
    before = asyncio.all_tasks()
    async with compose_app(hearing(good, bad, crashes)) as bus:
        await bus.events.publish(Placed())
        assert asyncio.all_tasks() == before
