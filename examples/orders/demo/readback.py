"""Asking the server, by SQL over HTTP, what it has stored."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from typing import Final, cast, final

import attrs

from examples.orders.tally import Seen

Row = Mapping[str, object]

# Each stream with what stands for the subscriber in it: only events have that column.
STREAMS: Final = {"cqrs_commands": "''", "cqrs_queries": "''", "cqrs_events": "subscriber"}
_HOUR_MICROSECONDS: Final = 3_600_000_000
_PAGE: Final = 100_000
# Past any proxy of the environment, which knows no server on this machine.
_direct: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# A record whose first delivery was not confirmed is sent again and may then be stored twice, with the same record_id.
_WHAT_HAPPENED: Final = """
SELECT kind, record, message_type, {subscriber} AS subscriber, outcome, message_id, record_id, count(*) AS copies
FROM "{stream}" WHERE record <> 'probe'
GROUP BY kind, record, message_type, {subscriber}, outcome, message_id, record_id ORDER BY record_id
"""
_BY_TYPE: Final = """
SELECT kind, record, message_type, count(*) AS messages,
  sum(CASE WHEN outcome = 'success' THEN 1 ELSE 0 END) AS success,
  sum(CASE WHEN outcome = 'rejected' THEN 1 ELSE 0 END) AS rejected,
  sum(CASE WHEN outcome = 'error' THEN 1 ELSE 0 END) AS error,
  approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY TRY_CAST(duration_ms AS DOUBLE)) AS p50,
  approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY TRY_CAST(duration_ms AS DOUBLE)) AS p95,
  approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY TRY_CAST(duration_ms AS DOUBLE)) AS p99
FROM (SELECT DISTINCT record_id, kind, record, message_type, outcome, duration_ms FROM "{stream}")
WHERE record IN ('handled', 'published') GROUP BY kind, record, message_type
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
@attrs.frozen
class Stored:
    """What a server has.

    Attributes:
        seen: what happened, each with its count, in the terms of the tally; repeated records once.
        repeated: how many records were there again, with the ``record_id`` of another.
    """

    seen: Counter[Seen]
    repeated: int = 0


class SearchError(Exception):
    """The server could not answer a query; the text says why."""


@final
class Search:
    """The server's search.

    Args:
        variables: the three variables that name the server, the organisation and the credentials.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        base, organisation = variables["OPENOBSERVE_URL"], variables["OPENOBSERVE_ORGANIZATION"]
        self._url = f"{base}/api/{organisation}/_search?use_cache=false"
        credentials = base64.b64encode(variables["OPENOBSERVE_TOKEN"].encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def rows(self, sql: str, kind: str = "logs") -> list[Row]:
        """Run a query over the last hour, page by page: a server bounds the rows of one answer.

        Args:
            sql: the query; of more than a page it needs an order.
            kind: type of the streams: ``logs`` or ``traces``.
        """
        now = time.time_ns() // 1000
        found: list[Row] = []
        while True:
            page = self._page(sql, kind, now, len(found))
            found += page
            if len(page) < _PAGE:
                return found

    def _page(self, sql: str, kind: str, now: int, start: int) -> list[Row]:
        span = {"start_time": now - _HOUR_MICROSECONDS, "end_time": now + _HOUR_MICROSECONDS}
        body = {"query": {"sql": sql, **span, "from": start, "size": _PAGE}}
        request = urllib.request.Request(
            f"{self._url}&type={kind}", json.dumps(body).encode(), self._headers, method="POST"
        )
        try:
            with _direct.open(request, timeout=30) as response:
                answer: Row = json.load(response)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise SearchError(f"the server answered {refusal.code}: {refusal.read().decode()}") from None
        except (OSError, ValueError) as error:
            raise SearchError(f"the server did not answer: {error}") from None
        if answer.get("is_partial") or answer.get("function_error"):
            raise SearchError(f"the server answered only in part: {answer.get('function_error')}")
        return cast("list[Row]", answer["hits"])

    def what_happened(self) -> Stored:
        """Every record that is stored."""
        queries = [_WHAT_HAPPENED.format(stream=s, subscriber=column) for s, column in STREAMS.items()]
        rows = [row for query in queries for row in self.rows(query)]
        names = [field.name for field in attrs.fields(Seen)]
        seen = Counter(Seen(*(str(row.get(name) or "") for name in names)) for row in rows)
        return Stored(seen, sum(int(str(row["copies"])) - 1 for row in rows))

    def by_type(self) -> list[TypeFigures]:
        """Counts, outcomes and percentiles of each message type."""
        rows = [row for stream in STREAMS for row in self.rows(_BY_TYPE.format(stream=stream))]
        return [_figures(row) for row in rows]


def _figures(row: Row) -> TypeFigures:
    def number(name: str) -> float:
        return float(str(row[name]))

    return TypeFigures(
        kind=str(row["kind"]),
        record=str(row["record"]),
        message_type=str(row["message_type"]),
        messages=int(number("messages")),
        success=int(number("success")),
        rejected=int(number("rejected")),
        error=int(number("error")),
        p50=number("p50"),
        p95=number("p95"),
        p99=number("p99"),
    )
