"""The answer of a search: rows and what the server says about them (pure)."""

from collections.abc import Mapping
from typing import Final

import attrs

from cqrs_local.answers import Answer, json_answer
from cqrs_local.arrow import rows_between
from cqrs_local.column_types import TIMESTAMP
from cqrs_local.emulation import Emulation
from cqrs_local.engine import Rows
from cqrs_local.search_problems import trace_id
from cqrs_local.sql_rewrite import Rewritten
from cqrs_local.sql_shape import Shape
from cqrs_local.views import StreamView

PARTIAL: Final = "Please be aware that the response is based on partial data"


@attrs.frozen
class Search:
    """What was asked for.

    Attributes:
        sql: as sent.
        start, end: time range, microseconds.
        skip: rows to leave out first.
        size: most rows, 0 for the server's default, negative for no limit.
        seconds: most time, 0 for the server's limit.
    """

    sql: str
    start: int
    end: int
    skip: int = 0
    size: int = 1000
    seconds: int = 0


@attrs.frozen
class Answered:
    """A query that ran.

    Attributes:
        asked: what the request asked for.
        shape: what kind of query it is.
        rewritten: what the engine ran.
        streams: what it read.
        nanoseconds: how long it took.
    """

    asked: Search
    shape: Shape
    rewritten: Rewritten
    streams: Mapping[str, StreamView]
    nanoseconds: int


def answer_of(query: Answered, rows: Rows, emulation: Emulation = Emulation.NEWEST) -> Answer:
    """The answer with all rows that were asked for."""
    shape = query.shape
    content = _content(query.asked, rows, query.nanoseconds // 1_000_000)
    content["scan_records"] = sum(_scanned(view, query.asked) for view in query.streams.values())
    content["is_histogram_eligible"] = not (shape.limited or shape.nested)
    if query.rewritten.histogram_seconds is not None:
        content["histogram_interval"] = query.rewritten.histogram_seconds
    order = shape.order or (((TIMESTAMP, "desc"),) if not shape.aggregated else ())
    if order:
        content |= {"order_by": order[0][1], "order_by_metadata": order}
    if emulation is Emulation.V0_16:
        del content["peak_memory_usage"]
    return json_answer(content)


def partial_answer(asked: Search, reason: str) -> Answer:
    """The answer of a query that failed while it ran: 200 without rows, and the reason in it."""
    told = {"is_partial": True, "function_error": [reason, PARTIAL], "is_histogram_eligible": True}
    return json_answer(_content(asked, [], 0) | told)


def _content(asked: Search, rows: Rows, took: int) -> dict[str, object]:
    return {
        "took": took,
        "took_detail": {
            "total": took,
            "cache_took": 0,
            "file_list_took": 0,
            "wait_in_queue": 0,
            "idx_took": 0,
            "search_took": took,
        },
        "hits": rows,
        "total": len(rows),
        "from": asked.skip,
        "size": asked.size,
        "cached_ratio": 0,
        "scan_size": 0,
        "idx_scan_size": 0,
        "scan_records": 0,
        "trace_id": trace_id(),
        "is_partial": False,
        "result_cache_ratio": 0,
        "peak_memory_usage": 0.0,
    }


def _scanned(view: StreamView, asked: Search) -> int:
    """Rows within the time range; a segment counts whole if it overlaps."""
    in_memory = sum(rows_between(table, asked.start, asked.end) for table in view.memory)
    in_segments = sum(
        segment.rows
        for shape in view.shapes
        for segment in shape.segments
        if segment.first < asked.end and segment.last >= asked.start
    )
    return in_memory + in_segments
