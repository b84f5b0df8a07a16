from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from cqrs_swr import MemoryStore, Swr
from cqrs_swr.shared_rows import NO_MACHINE, this_machine
from cqrs_swr.testing import SteppedClock
from returns.result import Failure, Success


@pytest.fixture
def two(open_shop: Any, clock: SteppedClock) -> Any:
    """Two processes that share a store."""

    @asynccontextmanager
    async def open_two(**policy: Any) -> AsyncIterator[tuple[Any, Any]]:
        store = MemoryStore(most_rows=100, clock=clock)
        options = {"stale": 60, "lease": False, **policy}
        async with (
            open_shop(plugin=Swr(store=store, clock=clock), **options) as one,
            open_shop(plugin=Swr(store=store, clock=clock), **options) as other,
        ):
            other.answer = lambda number: Success(f"other {number}")
            yield one, other

    return open_two


async def test_what_one_process_has_computed_the_other_serves(two: Any, clock: SteppedClock) -> None:
    """For the rest of its time and no longer."""
    async with two() as (one, other):
        await one.find()
        clock.advance(29)
        assert await other.find() == Success("answer 1")
        assert await other.status() == "fresh"
        clock.advance(1)
        assert await other.status() == "stale"


async def test_what_one_process_makes_invalid_the_other_does_not_serve(two: Any, clock: SteppedClock) -> None:
    """Within the coherence time, which is a second."""
    async with two() as (one, other):
        await one.find()
        await other.find()
        await one.cache.invalidate(tags=("order:1",))
        clock.advance(1)
        assert await other.find() == Success("other 1")
        assert await one.find() == Success("other 1")


async def test_a_no_of_one_process_outlives_what_another_began_before(two: Any, clock: SteppedClock) -> None:
    """A slow computation that began before it neither comes to be the answer nor is it served again (I6, I13)."""
    async with two() as (one, other):
        gate = other.gate = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(other.find)
            while not other.executions:
                await anyio.lowlevel.checkpoint()
            clock.advance(1)
            one.failing(one.NoOrder())
            assert await one.find() == Failure(one.NoOrder())
            gate.set()
        one.state.memory.clear()
        one.answer = lambda number: Success(f"newer {number}")
        assert await one.find() == Success("newer 2")
        clock.advance(60)
        assert await one.find() != Success("other 1")


@pytest.mark.parametrize("seconds", [-86_400.0, -10.0, 10.0, 3600.0, 50 * 365 * 86_400.0])
async def test_a_clock_that_is_set_never_makes_an_answer_younger(
    two: Any, clock: SteppedClock, seconds: float
) -> None:
    """Set forward it may end early; set back it does not live longer (C12, I19)."""
    async with two(stale=0) as (one, other):
        await one.find()
        clock.advance(20)
        clock.step(seconds)
        assert await other.status() == ("miss" if seconds >= 10 else "fresh")
        clock.advance(10)
        clock.step(-seconds)
        other.state.memory.clear()
        assert await other.status() in ("miss", "fresh")
        assert [await other.find(), len(one.executions)] in ([Success("other 1"), 1], [Success("other 2"), 1])


async def test_an_answer_of_another_boot_is_aged_by_the_wall_clock(two: Any, clock: SteppedClock) -> None:
    """And not trusted if it comes from the future."""
    async with two(stale=0) as (one, other):
        other.state.rows._machine = b"another."
        await one.find(1)
        clock.advance(20)
        assert await other.status(1) == "fresh"
        clock.step(-3600)
        other.state.memory.clear()
        assert await other.status(1) == "miss"
        assert set(other.cache.stats().l2_errors) == {"clock"}


async def test_dropping_what_is_held_changes_only_latency(two: Any) -> None:
    """The same answer comes from the store (I16)."""
    async with two() as (one, _):
        first = await one.find()
        one.state.memory.clear()

        assert await one.find() == first
        assert len(one.executions) == 1


async def test_a_policy_may_keep_its_answers_in_the_process(two: Any) -> None:
    """Then nothing of it is in the store."""
    async with two(l2=False) as (one, other):
        await one.find()
        assert await other.find() == Success("other 1")


def test_the_machine_has_a_name() -> None:
    """The same in all its processes; where it has none, wall clocks have to do."""
    assert this_machine() == this_machine()
    assert len(this_machine()) == len(NO_MACHINE) == 8
