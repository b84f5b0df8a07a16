"""Group C of the fault catalogue, computations: those that fail, hang, are cancelled, or come too many at once."""

import statistics
import time
from typing import Any

import anyio
import pytest
from cqrs_swr.launch import MOST_BACKGROUND
from cqrs_swr.testing import SteppedClock
from returns.result import Failure, Success

from cqrs import HandlerCrashed, TimedOut


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


def raising(_number: int) -> Any:
    raise ConnectionError("no route")


@pytest.mark.parametrize("how", ["raises", "answers"])
async def test_c16_a_refresh_that_fails(open_shop: Any, clock: SteppedClock, how: str) -> None:
    """The old answer is served to the end of its last window, then the failure, which is not kept."""
    async with open_shop(stale=20, fail_safe=50, backoff=(1.0, 1.0)) as shop:
        await shop.find()
        if how == "raises":
            shop.answer = raising
        else:
            shop.failing()
        clock.advance(30)
        for _ in range(50):
            assert await shop.find() == Success("answer 1")
            await settled()
            clock.advance(1)
        executions = len(shop.executions)
        failure = (await shop.find()).failure()
        assert isinstance(failure, HandlerCrashed if how == "raises" else shop.Unreachable)
        await shop.find()
        assert len(shop.executions) == executions + 2
        failed = {key: n for key, n in shop.cache.stats().refreshes.items() if key[1] == "transient"}
        assert failed["stale", "transient"] >= 10
        assert shop.cache.stats().entries <= 1


@pytest.mark.timeout(60)  # it waits for a real time limit on a machine that may be busy
async def test_c17_a_refresh_that_hangs(open_shop: Any, clock: SteppedClock) -> None:
    """The old answer is served meanwhile; the refresh is cancelled at its time limit, and its place is free again."""
    async with open_shop(stale=300, hard_timeout=0.05) as shop:
        for order in range(MOST_BACKGROUND):
            await shop.find(order)
        clock.advance(30)
        shop.gate = anyio.Event()
        for order in range(MOST_BACKGROUND):
            assert await shop.find(order) == Success(f"answer {order + 1}")
        assert shop.cache.stats().flights == MOST_BACKGROUND
        with anyio.fail_after(50):
            while shop.cache.stats().flights:  # noqa: ASYNC110 - a time limit ends them
                await anyio.sleep(0.01)
        assert shop.cache.stats().refreshes["stale", "transient"] == MOST_BACKGROUND
        assert await shop.find(0) == Success("answer 1")
        clock.advance(10_000)
        assert isinstance((await shop.find(0)).failure(), TimedOut)


@pytest.mark.timeout(60)  # ten thousand look-ups on a machine that may be busy
async def test_c18_a_storm_of_refreshes(open_shop: Any, clock: SteppedClock) -> None:
    """Ten thousand stale keys are served at once, eight refreshes run, the others are counted as skipped."""
    keys = 10_000
    async with open_shop(stale=300) as shop:
        for order in range(keys):
            await shop.cache.prime(shop.Find(order), f"primed {order}")
        clock.advance(30)
        shop.gate = anyio.Event()
        took = []
        for order in range(keys):
            began = time.thread_time()
            assert await shop.find(order) == Success(f"primed {order}")
            took.append(time.thread_time() - began)
        await settled()
        assert len(shop.executions) == MOST_BACKGROUND
        assert shop.state.counters.skipped == keys - MOST_BACKGROUND
        halves = [statistics.median(took[:1000]), statistics.median(took[-1000:])]
        assert halves[1] < halves[0] * 5, "a storm does not make look-ups slower"
        shop.gate.set()


async def ask(shop: Any, scope: anyio.CancelScope, answers: list[Any]) -> None:
    with scope:
        answers.append(await shop.find())


async def test_c19_a_leader_who_is_cancelled(open_shop: Any) -> None:
    """Only that one is; the others get the value, of one execution."""
    await one_of_four_is_cancelled(open_shop, 0)


async def test_c20_a_follower_who_is_cancelled(open_shop: Any) -> None:
    """Only that one is; the others get the value, of one execution."""
    await one_of_four_is_cancelled(open_shop, 2)


async def one_of_four_is_cancelled(open_shop: Any, cancelled: int) -> None:
    answers: list[Any] = []
    scopes = [anyio.CancelScope() for _ in range(4)]
    async with open_shop() as shop:
        shop.gate = anyio.Event()
        async with anyio.create_task_group() as group:
            for scope in scopes:
                group.start_soon(ask, shop, scope, answers)
                await settled()
            scopes[cancelled].cancel()
            await settled()
            assert answers == []
            shop.gate.set()
        assert answers == [Success("answer 1")] * 3
        assert len(shop.executions) == 1
        assert await shop.status() == "fresh"


async def test_c19_all_callers_are_cancelled(open_shop: Any) -> None:
    """The computation is owned by the cache: the next caller has its value."""
    answers: list[Any] = []
    async with open_shop() as shop:
        shop.gate = anyio.Event()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask, shop, anyio.CancelScope(), answers)
            await settled()
            group.cancel_scope.cancel()
        shop.gate.set()
        assert await shop.find() == Success("answer 1")
        assert (answers, len(shop.executions)) == ([], 1)


async def test_c21_a_leader_that_raises(open_shop: Any) -> None:
    """All waiters get the same failure, of one execution; the next call tries again."""
    answers: list[Any] = []
    async with open_shop() as shop:
        shop.gate, shop.answer = anyio.Event(), raising
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask, shop, anyio.CancelScope(), answers)
            await settled()
            shop.gate.set()
        assert len(answers) == 5
        assert all(answer is answers[0] for answer in answers)
        assert isinstance(answers[0].failure(), HandlerCrashed)
        assert len(shop.executions) == 1
        shop.answer = lambda number: Success(f"answer {number}")
        assert await shop.find() == Success("answer 2")


@pytest.mark.parametrize("mode", ["expire", "remove", "refresh"])
async def test_c26_an_invalidation_during_a_refresh(open_shop: Any, clock: SteppedClock, mode: Any) -> None:
    """What the refresh had computed before is not kept, whatever it ends with: the old value does not come back."""
    async with open_shop(stale=300, fail_safe=600) as shop:
        await shop.find()
        clock.advance(30)
        gate = shop.gate = anyio.Event()
        await shop.find()
        await settled()
        assert len(shop.executions) == 2
        await shop.cache.invalidate(tags=("order:1",), mode=mode)
        shop.gate = None
        assert await shop.find() == Success("answer 3")
        gate.set()
        await settled()
        assert await shop.find() == Success("answer 3")
        shop.failing()
        clock.advance(30)
        assert await shop.find() == Success("answer 3")


async def test_c21_a_failure_is_never_kept_as_a_success(open_shop: Any) -> None:
    """Of any kind: the next call computes."""
    async with open_shop() as shop:
        for error in (shop.NoOrder(), shop.Unreachable(), KeyError("x"), OSError()):
            shop.failing(error)
            for _ in range(2):
                assert isinstance(await shop.find(), Failure)
        assert len(shop.executions) == 8
        assert shop.cache.stats().lookups == {"miss": 8}
