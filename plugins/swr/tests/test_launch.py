import contextvars
from typing import Any

import anyio
from cqrs_swr.launch import MOST_BACKGROUND
from cqrs_swr.testing import SteppedClock
from returns.result import Failure, Success

from cqrs import TimedOut, current_context
from cqrs.caching import TENANT

request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="none")


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


async def test_a_computation_has_nothing_of_its_caller_but_whose_it_is(open_shop: Any) -> None:
    """No context variable of a request that may have ended long ago; tenant and correlation are there."""
    seen: list[Any] = []
    async with open_shop(scope=TENANT) as shop:

        def answer(number: int) -> Any:
            context = current_context()
            seen.append((request.get(), context and context.tenant))
            return Success(f"answer {number}")

        shop.answer = answer
        request.set("this one")
        await shop.find(tenant="a")

    assert seen == [("none", "a")]


async def test_a_computation_that_takes_too_long_is_cancelled(open_shop: Any) -> None:
    """It really ends, and whoever waits is told (C17)."""
    cancelled: list[str] = []
    async with open_shop(hard_timeout=0.05) as shop:

        class Gate:
            async def wait(self) -> None:
                try:
                    await anyio.sleep(60)
                except BaseException:
                    cancelled.append("yes")
                    raise

        shop.gate = Gate()
        result = await shop.find()

        assert isinstance(result, Failure)
        assert isinstance(result.failure(), TimedOut)
        assert result.failure().seconds == 0.05
        assert cancelled == ["yes"]
        assert shop.cache.stats().flights == 0


async def test_no_more_than_some_refreshes_run_behind(open_shop: Any, clock: SteppedClock) -> None:
    """The others are left for later look-ups; nobody waits longer for that (C18)."""
    async with open_shop(stale=300) as shop:
        for order in range(50):
            await shop.find(order)
        clock.advance(30)
        shop.gate = anyio.Event()
        for order in range(50):
            assert await shop.find(order) == Success(f"answer {order + 1}")
        await settled()
        assert len(shop.executions) - 50 == MOST_BACKGROUND
        assert shop.state.counters.skipped == 50 - MOST_BACKGROUND
        shop.gate.set()
        await settled()
        assert shop.cache.stats().flights == 0


async def test_who_waits_when_the_cache_closes_is_answered_by_the_handler(open_shop: Any) -> None:
    """Closing takes no longer than it may, and no task is left (C23, I9)."""
    answers: list[Any] = []
    async with anyio.create_task_group() as group:
        async with open_shop() as shop:
            shop.gate = anyio.Event()

            async def ask() -> None:
                answers.append(await shop.find())

            group.start_soon(ask)
            await settled()
        with anyio.fail_after(5):
            while len(shop.executions) < 2:  # noqa: ASYNC110 - a handler tells nobody that it runs
                await anyio.sleep(0.01)
        shop.gate.set()

    assert answers == [Success("answer 2")]


async def test_a_handler_that_awaits_something_cancelled_harms_nobody_else(open_shop: Any) -> None:
    """The caller gets what the handler does in its own task; the cache goes on."""
    async with open_shop() as shop:

        class Gate:
            async def wait(self) -> None:
                raise anyio.get_cancelled_exc_class()

        shop.gate = Gate()
        try:
            await shop.find()
            outcome = "answered"
        except anyio.get_cancelled_exc_class():
            outcome = "cancelled"
        shop.gate = None

        assert outcome == "cancelled"
        assert await shop.find() == Success("answer 3")
        assert await shop.status() == "fresh"
