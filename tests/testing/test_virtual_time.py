"""An event loop whose time jumps."""

import asyncio
import time
from typing import Any

import anyio
import pytest

from cqrs.testing import FakeClock, World
from cqrs.testing.virtual_time import VirtualLoop


def test_time_jumps_while_nothing_can_run() -> None:
    """An hour of sleep and of timeouts passes at once, in order, whoever waits for it."""
    world, order = World(), list[str]()

    async def scenario(world: World) -> None:
        async def sleeper(name: str, sleep: Any) -> None:
            await sleep
            order.append(name)

        async with anyio.create_task_group() as group:
            group.start_soon(sleeper, "clock", world.clock.sleep(1800))
            group.start_soon(sleeper, "anyio", anyio.sleep(1799))
            group.start_soon(sleeper, "asyncio", asyncio.sleep(1801))
            with anyio.move_on_after(3600) as scope:
                await anyio.sleep_forever()
            assert scope.cancelled_caught

    began = time.monotonic()
    world.run(scenario)

    assert order == ["anyio", "clock", "asyncio"]
    assert 3600 <= world.clock.monotonic_ns() / 1e9 < 3601
    assert time.monotonic() - began < 60


def test_a_thread_is_waited_for() -> None:
    """What is not simulated takes its real time, and answers."""

    async def scenario(_world: World) -> str:
        return await anyio.to_thread.run_sync(lambda: "from the thread")

    assert World().run(scenario) == "from the thread"


@pytest.mark.parametrize("seconds", [1e-9, 0.1, 1 / 3, 86_400 * 2.5])
def test_a_timer_is_never_early(seconds: float) -> None:
    """However short or long it is, and whatever rounding does."""
    clock = FakeClock()
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        runner.run(asyncio.sleep(seconds))

    assert seconds - 1e-9 <= clock.monotonic_ns() / 1e9 < seconds + 0.001
