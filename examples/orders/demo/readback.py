"""Asking the server, by SQL over HTTP, what it has stored."""

import base64
import json
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, final

import attrs

from examples.orders.tally import Seen

STREAMS: Final = ("cqrs_commands", "cqrs_queries", "cqrs_events")
_HOUR_MICROSECONDS: Final = 3_600_000_000
_MOST_ROWS: Final = 1_000_000

_WHAT_HAPPENED: Final = """
SELECT kind, record, message_type, subscriber, outcome, message_id FROM "{stream}" WHERE record <> 'probe'
"""
_BY_TYPE: Final = """
SELECT kind, record, message_type, count(*) AS messages,
  sum(CASE WHEN outcome = 'success' THEN 1 ELSE 0 END) AS success,
  sum(CASE WHEN outcome = 'rejected' THEN 1 ELSE 0 END) AS rejected,
  sum(CASE WHEN outcome = 'error' THEN 1 ELSE 0 END) AS error,
  approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY TRY_CAST(duration_ms AS DOUBLE)) AS p50,
  approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY TRY_CAST(duration_ms AS DOUBLE)) AS p95,
  approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY TRY_CAST(duration_ms AS DOUBLE)) AS p99
FROM "{stream}" WHERE record IN ('handled', 'published') GROUP BY kind, record, message_type
ORDER BY kind, record, message_type
"""


@final
@attrs.frozen
class TypeFigures:
    """What the server tells of one message type; durations in ms."""

    kind: str
    record: str
    message_type: str
    messages: int
    success: int
    rejected: int
    error: int
    p50: float
    p95: float
    p99: float


@final
class Search:
    """The server's search.

    Args:
        variables: the three variables that name the server, the organisation and the credentials.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        base, organisation = variables["OPENOBSERVE_URL"], variables["OPENOBSERVE_ORGANIZATION"]
        self._url = f"{base}/api/{organisation}/_search?type=logs&use_cache=false"
        credentials = base64.b64encode(variables["OPENOBSERVE_TOKEN"].encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Run a query over the last hour.

        Args:
            sql: the query.
        """
        now = time.time_ns() // 1000
        span = {"start_time": now - _HOUR_MICROSECONDS, "end_time": now + _HOUR_MICROSECONDS}
        body = {"query": {"sql": sql, **span, "from": 0, "size": _MOST_ROWS}}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), self._headers, method="POST")
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
        if answer.get("is_partial") or answer.get("function_error"):
            raise ValueError(f"the server answered only in part: {answer.get('function_error')}")
        hits: list[dict[str, Any]] = answer["hits"]
        return hits

    def what_happened(self) -> Counter[Seen]:
        """Every record that is stored, in the terms of the tally."""
        rows = [row for stream in STREAMS for row in self.rows(_WHAT_HAPPENED.format(stream=stream))]
        names = [field.name for field in attrs.fields(Seen)]
        return Counter(Seen(*(row.get(name) or "" for name in names)) for row in rows)

    def by_type(self) -> list[TypeFigures]:
        """Counts, outcomes and percentiles of each message type."""
        names = [field.name for field in attrs.fields(TypeFigures)]
        rows = [row for stream in STREAMS for row in self.rows(_BY_TYPE.format(stream=stream))]
        return [TypeFigures(*(row[name] for name in names)) for row in rows]
