from typing import Any

import anyio
from cqrs_swr import MemoryStore, Swr
from cqrs_swr.testing import SteppedClock
from returns.result import Success

from cqrs.caching import REFRESH


async def settled() -> None:
    """Let everything run that can, also what waits a moment."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
    await anyio.sleep(0.05)


async def test_one_process_computes_for_both(open_shop: Any, clock: SteppedClock) -> None:
    """The other waits for the row (C9, I20)."""
    store = MemoryStore(most_rows=100, clock=clock)
    answers: list[Any] = []
    async with (
        open_shop(plugin=Swr(store=store, clock=clock)) as one,
        open_shop(plugin=Swr(store=store, clock=clock)) as other,
    ):
        one.gate = other.gate = anyio.Event()

        async def ask(shop: Any) -> None:
            answers.append(await shop.find())

        async with anyio.create_task_group() as group:
            for shop in (one, one, other, other):
                group.start_soon(ask, shop)
            await settled()
            one.gate.set()

        assert len(one.executions) + len(other.executions) == 1
        assert answers == [Success("answer 1")] * 4


async def test_an_owner_that_is_gone_is_not_waited_for_longer_than_its_lease(
    open_shop: Any, clock: SteppedClock
) -> None:
    """Then the next one computes (C10)."""
    store = MemoryStore(most_rows=100, clock=clock)
    async with open_shop(plugin=Swr(store=store, clock=clock)) as shop:
        address = shop.state.queries[shop.Find].keys.shared(shop.Find(1), ())
        await store.lease(address, b"gone....", 2.0)
        async with anyio.create_task_group() as group:
            group.start_soon(shop.find)
            await settled()
            assert shop.executions == []
            clock.advance(2)
        assert len(shop.executions) == 1


async def test_a_new_answer_is_computed_although_there_is_one(open_shop: Any, clock: SteppedClock) -> None:
    """REFRESH is not satisfied with a row that began before it was asked."""
    store = MemoryStore(most_rows=100, clock=clock)
    async with open_shop(plugin=Swr(store=store, clock=clock)) as shop:
        await shop.find()
        clock.advance(1)

        assert await shop.find(control=REFRESH) == Success("answer 2")


async def test_a_lease_is_given_back(open_shop: Any, clock: SteppedClock) -> None:
    """Whoever computes next does not wait for it."""
    store = MemoryStore(most_rows=100, clock=clock)
    async with open_shop(plugin=Swr(store=store, clock=clock)) as shop:
        await shop.find()
        await settled()

        assert store._leases == {}
