"""The clock that stands still and the instrument that writes everything down."""

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Event, Feature
from cqrs.clock import Sleeper, sleep_of
from cqrs.testing import FakeClock, RecordingInstrument


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Each test runs on both event loops."""
    return str(request.param)


@attrs.frozen
class Order(Command[int, str]):
    """A command."""

    number: int


@attrs.frozen
class Ordered(Event):
    """An event."""

    number: int


async def test_time_stands_still_until_it_is_advanced() -> None:
    """Both times go on together, by as much as was said."""
    clock = FakeClock(start=100)

    clock.advance(1.5)

    assert (clock.time_ns(), clock.monotonic_ns()) == (101_500_000_000, 1_500_000_000)


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    """Each at its moment, whoever began first; what is left says how long the others sleep."""
    clock, woken = FakeClock(), list[tuple[str, int]]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic_ns() // 10**9))

    async with anyio.create_task_group() as group:
        for name, seconds in (("late", 3), ("early", 1), ("next", 2)):
            group.start_soon(sleeper, name, seconds)
        await anyio.wait_all_tasks_blocked()
        assert clock.sleeping == (1, 2, 3)
        clock.advance(1)
        await anyio.wait_all_tasks_blocked()
        clock.advance(1)
        await anyio.wait_all_tasks_blocked()
        assert woken == [("early", 1), ("next", 2)]
        assert clock.sleeping == (1,)
        clock.advance(1)

    assert woken[-1] == ("late", 3)


async def test_who_is_cancelled_sleeps_no_more() -> None:
    """A sleeper that was given up is not woken later."""
    clock = FakeClock()
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 5)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()

    assert clock.sleeping == ()


async def test_a_clock_cannot_go_back() -> None:
    """Durations that are negative would be measured."""
    with pytest.raises(ValueError, match="cannot go back by 1 s"):
        FakeClock().advance(-1)


async def test_the_core_sleeps_through_it() -> None:
    """It is a clock that can sleep, as the core asks for one."""
    clock = FakeClock()

    assert isinstance(clock, Sleeper)
    assert sleep_of(clock) == clock.sleep


async def test_everything_that_an_instrument_hears_is_written_down() -> None:
    """Dispatches with their outcomes, events once each, publishes, deliveries, start and stop."""
    told, feature = RecordingInstrument(), Feature("shop")

    @feature.handles(Order)
    async def order(command: Order) -> Result[int, str]:
        await app.events.publish(Ordered(command.number))
        return Success(1) if command.number else Failure("none")

    @feature.subscribes(Ordered, name="one")
    async def one(_event: Ordered) -> Result[None, str]:
        return Success(None)

    @feature.subscribes(Ordered, name="two")
    async def two(_event: Ordered) -> Result[None, str]:
        return Failure("no")

    app = CqrsModule.for_root(feature, instruments=[told], plugins=(), env={})
    async with app as bus:
        await bus.commands.execute(Order(0))
        await bus.commands.execute(Order(7))

    assert [each.outcome for each in told.observations if each.handler.kind == "command"] == [
        "error",
        "success",
    ]
    assert told.events == [Ordered(0), Ordered(7)]
    assert [(each.subscribers, each.failures) for each in told.publishes] == [(2, 1), (2, 1)]
    assert len(told.starts) == len(told.stops) == 1
    assert all(each.ended_ns >= each.began_ns for each in told.observations)
