from typing import Any

import pytest
from cqrs_swr import MemoryStore, Swr
from cqrs_swr.engine import Engine
from cqrs_swr.testing import SteppedClock
from returns.result import Success

from cqrs import Instrument, current_context
from cqrs.caching import BYPASS, PRINCIPAL, TENANT
from cqrs.context import cqrs_context


@pytest.fixture
def long_ways(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The queries that were not answered on the short way."""
    taken: list[Any] = []
    original = Engine.answer

    async def answer(self: Any, cached: Any, query: Any, *given: Any, **named: Any) -> Any:
        taken.append(query)
        return await original(self, cached, query, *given, **named)

    monkeypatch.setattr(Engine, "answer", answer)
    return taken


async def test_a_fresh_answer_is_served_on_the_short_way(open_shop: Any, long_ways: list[Any]) -> None:
    """From the second hit on: the first one finds out until when nothing else is to be done."""
    async with open_shop() as shop:
        for _ in range(10):
            assert await shop.find() == Success("answer 1")
        assert len(long_ways) == 2
        assert shop.cache.stats().lookups == {"miss": 1, "fresh": 9}


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [({}, 30.0), ({"stale": 60}, 30.0), ({"eager": 0.5}, 15.0), ({"jitter": 0.5}, 30.0)],
)
async def test_the_short_way_ends_with_freshness(
    open_shop: Any, clock: SteppedClock, long_ways: list[Any], policy: Any, seconds: float
) -> None:
    """Or when an eager policy refreshes: to the instant, everything else is the long way's."""
    async with open_shop(**policy) as shop:
        for _ in range(3):
            await shop.find()
        (entry,) = [entry for _, entry in shop.state.memory.items()]
        assert entry.quiet == entry.stamps.committed + min(seconds, entry.stamps.fresh)
        clock.advance(entry.quiet - entry.stamps.committed)
        await shop.find()
        assert len(long_ways) == 3


async def test_what_one_call_asks_is_the_long_ways(open_shop: Any, long_ways: list[Any]) -> None:
    """A control is honoured, once, and the next call is a hit again."""
    async with open_shop() as shop:
        await shop.find()
        await shop.find()
        assert await shop.find(control=BYPASS) == Success("answer 2")
        assert await shop.find() == Success("answer 1")
        assert len(long_ways) == 3


@pytest.mark.parametrize("mode", ["expire", "remove"])
async def test_an_invalidation_ends_the_short_way(open_shop: Any, mode: Any) -> None:
    """At once (I2)."""
    async with open_shop() as shop:
        for _ in range(3):
            await shop.find()
        await shop.cache.invalidate(tags=("order:1",), mode=mode)
        assert await shop.find() == Success("answer 2")


async def test_another_process_answers_from_the_store_on_the_short_way(
    open_shop: Any, clock: SteppedClock, long_ways: list[Any]
) -> None:
    """Once it knows what was made invalid; what it has read it holds."""
    store = MemoryStore(most_rows=100, clock=clock)
    async with (
        open_shop(plugin=Swr(store=store, clock=clock)) as one,
        open_shop(plugin=Swr(store=store, clock=clock)) as other,
    ):
        for order in range(3):
            await one.find(order)
        assert await other.find(0) == Success("answer 1")
        long_ways.clear()
        assert [await other.find(order) for order in (1, 2, 1)] == [Success(f"answer {n}") for n in (2, 3, 2)]
        assert (long_ways, other.executions) == ([], [])


async def test_a_row_that_may_be_invalid_is_not_served_on_the_short_way(
    open_shop: Any, clock: SteppedClock
) -> None:
    """It is compared on the long one."""
    store = MemoryStore(most_rows=100, clock=clock)
    async with (
        open_shop(plugin=Swr(store=store, clock=clock)) as one,
        open_shop(plugin=Swr(store=store, clock=clock)) as other,
    ):
        await one.find(1)
        await one.find(2)
        await one.cache.invalidate(tags=("order:1",))
        other.answer = lambda number: Success(f"other {number}")
        assert await other.find(1) == Success("other 1")
        assert await other.find(2) == Success("answer 2")


@pytest.mark.parametrize("scope", [TENANT, PRINCIPAL])
async def test_the_short_way_keeps_owners_apart(open_shop: Any, scope: Any) -> None:
    """A dispatch that does not say who asks goes past the cache (I5, H5)."""
    async with open_shop(scope=scope) as shop:
        for _ in range(3):
            for name in ("a", "b"):
                with cqrs_context(tenant=name, principal=name):
                    await shop.find(tenant=name)
        await shop.find()
        assert shop.cache.stats().lookups == {"miss": 2, "fresh": 4, "bypass": 1}


async def test_a_hit_leaves_word_for_whoever_observes_it(open_shop: Any, clock: SteppedClock) -> None:
    """Status, hit and age, on the short way as on the long one."""
    notes: list[Any] = []

    class Watching(Instrument):
        def finished(self, handler: Any, /) -> Any:
            del handler
            return lambda context, *_times: notes.append(dict(context.notes))

    async with open_shop(instruments=(Watching(),)) as shop:
        for _ in range(4):
            await shop.find()
            clock.advance(1)
        assert current_context() is None

    assert notes == [{"cache_status": "miss", "cache_hit": False}] + [
        {"cache_status": "fresh", "cache_hit": True, "cache_age_ms": age} for age in (1000.0, 2000.0, 3000.0)
    ]
