from typing import Any

import anyio
import attrs
import pytest
from cqrs_swr.testing import SteppedClock
from returns.result import Failure, Success

from cqrs.caching import TENANT, NotCached


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    "named",
    [
        lambda shop: {"queries": (shop.Find(1),)},
        lambda _shop: {"tags": ("order:1",)},
        lambda _shop: {"tags": "order:1"},
        lambda shop: {"types": (shop.Find,)},
        lambda _shop: {"everything": True},
    ],
)
async def test_what_is_named_is_invalid_when_it_returns(open_shop: Any, named: Any) -> None:
    """The next look-up computes, whatever was named; what was not named stays (I2)."""
    async with open_shop() as shop:
        await shop.find(1)
        await shop.find(2)
        arguments = named(shop)
        await shop.cache.invalidate(*arguments.pop("queries", ()), **arguments)

        assert await shop.find(1) == Success("answer 3")
        other = await shop.find(2)
        assert other == (
            Success("answer 2")
            if "types" not in arguments and "everything" not in arguments
            else Success("answer 4")
        )


async def test_a_tenants_answers_go_together(open_shop: Any) -> None:
    """Those of another tenant stay."""
    async with open_shop(scope=TENANT) as shop:
        await shop.find(tenant="a")
        await shop.find(tenant="b")
        await shop.cache.invalidate(tenant="a")

        assert await shop.find(tenant="b") == Success("answer 2")
        assert await shop.find(tenant="a") == Success("answer 3")


async def test_a_query_whose_owner_cannot_be_told_is_invalid_for_everybody(open_shop: Any) -> None:
    """Too much is right, too little is not."""
    async with open_shop(scope=TENANT) as shop:
        await shop.find(tenant="a")
        await shop.cache.invalidate(shop.Find(1))

        assert await shop.find(tenant="a") == Success("answer 2")


@pytest.mark.parametrize(("mode", "answer"), [("expire", Success("answer 1")), ("remove", None)])
async def test_what_was_expired_may_stand_in_and_what_was_removed_may_not(
    open_shop: Any, mode: Any, answer: Any
) -> None:
    """If refreshing fails, and there is an error window."""
    async with open_shop(fail_safe=600) as shop:
        await shop.find()
        await shop.cache.invalidate(everything=True, mode=mode)
        shop.failing()

        assert await shop.find() == (answer or Failure(shop.Unreachable()))


async def test_what_is_held_is_computed_anew_if_so_asked(open_shop: Any) -> None:
    """Before anybody asks for it."""
    async with open_shop() as shop:
        await shop.find(1)
        await shop.find(2)
        await shop.cache.invalidate(tags=("order:1",), mode="refresh")
        await settled()

        assert len(shop.executions) == 3
        assert await shop.status(1) == "fresh"
        assert shop.cache.stats().refreshes["invalidated", "success"] == 1


async def test_looking_computes_nothing(open_shop: Any, clock: SteppedClock) -> None:
    """And counts as no look-up."""
    async with open_shop(stale=10) as shop:
        assert await shop.cache.peek(shop.Find(1)) == Failure(NotCached())
        await shop.find()
        clock.advance(35)
        assert await shop.cache.peek(shop.Find(1)) == Success("answer 1")
        clock.advance(5)
        assert await shop.cache.peek(shop.Find(1)) == Failure(NotCached())
        assert await shop.cache.peek(shop.Plain(1)) == Failure(NotCached())
        assert (len(shop.executions), sum(shop.cache.stats().lookups.values())) == (1, 1)


async def test_what_is_put_in_is_served_and_not_replaced_by_something_older(open_shop: Any) -> None:
    """A computation that began before does not come after it."""
    async with open_shop() as shop:
        shop.gate = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(shop.find)
            await settled()
            assert await shop.cache.prime(shop.Find(1), "given") is True
            shop.gate.set()
        assert await shop.find() == Success("given")
        assert await shop.cache.prime(shop.Plain(1), "given") is False
        assert await shop.cache.prime(shop.Find(2), 5) is False


async def test_a_refresh_is_started_once(open_shop: Any) -> None:
    """Not if one is under way; a query that is not cached has none."""
    async with open_shop() as shop:
        await shop.find()
        shop.gate = anyio.Event()
        assert await shop.cache.refresh(shop.Find(1)) is True
        assert await shop.cache.refresh(shop.Find(1)) is False
        assert await shop.cache.refresh(shop.Plain(1)) is False
        shop.gate.set()
        await settled()

        assert await shop.find() == Success("answer 2")


async def test_figures_say_what_has_happened(open_shop: Any) -> None:
    """Look-ups, computations, invalidations, and what is held."""
    async with open_shop() as shop:
        await shop.find()
        await shop.find()
        await shop.cache.invalidate(everything=True, mode="remove")
        stats = shop.cache.stats()

        assert stats.lookups == {"miss": 1, "fresh": 1}
        assert stats.refreshes == {("miss", "success"): 1}
        assert stats.invalidations == {"remove": 1}
        assert (stats.entries, stats.flights, stats.failing, stats.hit_rate) == (1, 0, 0, 0.5)
        assert stats.bytes > 0
        assert attrs.asdict(stats)["unkeyable"] == 0


async def test_after_the_app_nothing_is_found(open_shop: Any) -> None:
    """And nothing raises."""
    async with open_shop() as shop:
        await shop.find()
        cache = shop.cache

    assert await cache.peek(shop.Find(1)) == Failure(NotCached())
    assert await cache.prime(shop.Find(1), "given") is False
    assert await cache.refresh(shop.Find(1)) is False
    await cache.invalidate(everything=True)
