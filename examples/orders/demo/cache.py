"""The query cache as the server tells of it, beside what the cache itself counted."""

from collections.abc import Iterator, Mapping
from typing import Final, final

import attrs

from cqrs.caching import CacheStats
from examples.orders.demo.readback import Search

_BY_STATUS: Final = """
SELECT cache_status, count(*) AS lookups,
  approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY age) AS p50,
  approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY age) AS p95
FROM (SELECT DISTINCT record_id, cache_status, TRY_CAST(cache_age_ms AS DOUBLE) AS age FROM "cqrs_queries"
  WHERE record = 'handled' AND cache_status IS NOT NULL)
GROUP BY cache_status ORDER BY cache_status
"""


@final
@attrs.frozen
class StatusFigures:
    """What the server tells of look-ups of one status; ages in ms, None where nothing was served from the cache."""

    status: str
    lookups: int
    p50: float | None
    p95: float | None


def read_cache(search: Search) -> list[StatusFigures]:
    """Read look-ups and the ages of what they served.

    Args:
        search: the server's search.
    """
    return [
        StatusFigures(
            str(row["cache_status"]), int(str(row["lookups"])), _age(row.get("p50")), _age(row.get("p95"))
        )
        for row in search.rows(_BY_STATUS)
    ]


def counts(figures: list[StatusFigures]) -> Mapping[str, int]:
    """Give the look-ups by status, as the cache counts them.

    Args:
        figures: what the server tells.
    """
    return {f.status: f.lookups for f in figures}


def cache_report(figures: list[StatusFigures], counted: CacheStats) -> Iterator[str]:
    """Lay out what the server tells beside what the cache counted.

    Args:
        figures: what the server tells.
        counted: the cache's own figures.
    """
    told = CacheStats(lookups=counts(figures)).hit_rate
    if told is None:
        return
    yield f"\n{'query cache':<34}{'look-ups':>9}{'counted':>9}{'age p50 s':>11}{'p95 s':>9}"
    for f in figures:
        ages = "" if f.p50 is None or f.p95 is None else f"{f.p50 / 1000:>11.2f}{f.p95 / 1000:>9.2f}"
        yield f"{f.status:<34}{f.lookups:>9}{counted.lookups.get(f.status, 0):>9}{ages}"
    verdict = "equal" if counts(figures) == dict(counted.lookups) else "NOT EQUAL"
    yield f"hit rate: {told:.1%}; what the server tells and what the cache counted: {verdict}"


def _age(found: object) -> float | None:
    return None if found is None else float(str(found))
