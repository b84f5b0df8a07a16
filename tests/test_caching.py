import attrs
import pytest
from returns.result import Failure

from cqrs import Query, Rejection
from cqrs.caching import CacheStats, EmptyCache, NotCached, QueryCache


@attrs.frozen
class Find(Query[str, str]):
    """A query."""

    order: int


def test_not_cached_is_a_correct_no() -> None:
    """A dispatch that asked for a cached answer only is not an error for alerts."""
    assert isinstance(NotCached(), Rejection)


async def test_the_empty_cache_holds_nothing() -> None:
    """Whatever is put in or asked for, nothing is there, nothing starts and nothing is counted."""
    cache: QueryCache = EmptyCache()

    assert await cache.prime(Find(1), "order 1") is False
    assert await cache.peek(Find(1)) == Failure(NotCached())
    assert await cache.refresh(Find(1)) is False
    await cache.invalidate(
        Find(1), tags=("order:1",), types=(Find,), tenant="a", everything=True, mode="remove"
    )
    assert cache.stats() == CacheStats()


def test_the_hit_rate_leaves_bypasses_out() -> None:
    """Fresh, stale, stale-on-error and negative are hits; a miss and a joined flight are not; a bypass is no look-up."""
    lookups = {
        "fresh": 3,
        "stale": 2,
        "stale_error": 1,
        "negative": 1,
        "miss": 2,
        "collapsed": 1,
        "bypass": 90,
    }

    assert CacheStats(lookups=lookups).hit_rate == 0.7


@pytest.mark.parametrize("lookups", [{}, {"bypass": 4}])
def test_without_look_ups_there_is_no_hit_rate(lookups: dict[str, int]) -> None:
    """No look-up is not the same as none that hit."""
    assert CacheStats(lookups=lookups).hit_rate is None
