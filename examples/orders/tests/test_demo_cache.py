"""What the demo says of the query cache."""

from typing import Any

from cqrs.caching import CacheStats
from examples.orders.demo.cache import StatusFigures, cache_report, counts, read_cache

FIGURES = [
    StatusFigures("fresh", 6, 1500.0, 4000.0),
    StatusFigures("miss", 2, None, None),
    StatusFigures("stale", 1, 31_000.0, 31_000.0),
    StatusFigures("bypass", 3, None, None),
]


class Answering:
    """A search that answers with rows."""

    def __init__(self, *rows: dict[str, object]) -> None:
        self.found = rows

    def rows(self, sql: str) -> tuple[dict[str, object], ...]:
        """Answer."""
        assert '"cqrs_queries"' in sql
        return self.found


def test_rows_become_figures() -> None:
    """Counts as numbers, ages in ms, and none where nothing was served from the cache."""
    search: Any = Answering(
        {"cache_status": "fresh", "lookups": 6, "p50": 1500, "p95": "4000.0"},
        {"cache_status": "miss", "lookups": 2, "p50": None},
    )

    assert read_cache(search) == FIGURES[:2]


def test_the_servers_figures_stand_beside_the_caches_own() -> None:
    """With the hit rate, bypasses left out, and whether both agree."""
    lines = list(cache_report(FIGURES, CacheStats(lookups=counts(FIGURES))))

    assert lines[-1] == "hit rate: 77.8%; what the server tells and what the cache counted: equal"
    assert [line.split() for line in lines if line.startswith("stale")] == [
        ["stale", "1", "1", "31.00", "31.00"]
    ]


def test_a_difference_is_said() -> None:
    """Also one of a single look-up."""
    (*_, last) = cache_report(FIGURES, CacheStats(lookups={**counts(FIGURES), "fresh": 5}))

    assert last.endswith("NOT EQUAL")


def test_without_a_cache_nothing_is_said() -> None:
    """As when its plugin is not installed."""
    assert list(cache_report([], CacheStats())) == []
