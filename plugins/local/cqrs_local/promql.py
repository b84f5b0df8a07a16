"""`/api/{org}/prometheus/api/v1/…`: plain selectors, instant and range, and what names there are."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import promql_parser
from returns.result import Failure, Success

from cqrs_local.answers import Answer, RefusedError, json_answer
from cqrs_local.backend import Backend
from cqrs_local.column_types import TIMESTAMP
from cqrs_local.emulation import Emulation
from cqrs_local.otlp_metrics import HASH, NAME, VALUE
from cqrs_local.promql_selectors import (
    LOOKBACK,
    Refusal,
    Selector,
    Series,
    matrix,
    parse,
    series_of,
    sql_of,
    vector,
)
from cqrs_local.requests import Request, form_of
from cqrs_local.search import rows_of
from cqrs_local.search_answers import Search
from cqrs_local.search_problems import trace_id

_NO_LABELS: Final = frozenset([TIMESTAMP, VALUE, HASH, "exemplars"])
_MOST_STEPS: Final = 11_000
_MOST_SAMPLES: Final = 500_000
_MOST_BODY: Final = 256 * 1024
_NO_TIMES: Final = "Error# [file_list] invalid time range"


async def query(request: Request, backend: Backend) -> Answer:
    """The value of each series at a moment, now if none is given."""
    asked = await form_of(request, _MOST_BODY)
    at = _moment(asked.get("time"), backend.store.now())
    selector = _selector(asked.get("query", ""))
    series = await _series(selector, request.names["org"], at - LOOKBACK, at, backend)
    return _success({"resultType": "vector", "result": await asyncio.to_thread(vector, series, at)})


async def query_range(request: Request, backend: Backend) -> Answer:
    """The value of each series at each step of a time range."""
    asked = await form_of(request, _MOST_BODY)
    now = backend.store.now()
    start, end = _moment(asked.get("start"), now), _moment(asked.get("end"), now)
    step = _step(asked.get("step"), end - start)
    if end < start:
        raise RefusedError(_error(400, "end timestamp must not be before start time"))
    if (end - start) // step >= _MOST_STEPS:
        text = f"exceeded maximum resolution of {_MOST_STEPS} points per timeseries"
        raise RefusedError(_error(400, text))
    selector = _selector(asked.get("query", ""))
    series = await _series(selector, request.names["org"], start - LOOKBACK, end, backend)
    moments = range(start, end + 1, step)
    if len(series) * len(moments) > _MOST_SAMPLES:
        raise RefusedError(_error(422, f"the answer would have more than {_MOST_SAMPLES} samples"))
    return _success({"resultType": "matrix", "result": await asyncio.to_thread(matrix, series, moments)})


async def labels(request: Request, backend: Backend) -> Answer:
    """The names of all labels."""
    streams = _streams(request, backend)
    names = {name for columns in streams.values() for name in columns} - _NO_LABELS
    return json_answer({"status": "success", "data": sorted(names)})


async def label_values(request: Request, backend: Backend) -> Answer:
    """The values of one label within a time range."""
    asked = await form_of(request, _MOST_BODY)
    if not (asked.get("start") and asked.get("end")):
        return json_answer({"status": "error", "errorType": "internal", "error": _NO_TIMES}, 500)
    found = await _matching(request, asked, backend)
    values = {each.labels.get(request.names["label"]) for each in found}
    return json_answer({"status": "success", "data": sorted(value for value in values if value is not None)})


async def series(request: Request, backend: Backend) -> Answer:
    """The sets of labels that a selector finds."""
    asked = await form_of(request, _MOST_BODY)
    if request.emulation is Emulation.V0_16 and not (asked.get("start") and asked.get("end")):
        return json_answer({"status": "error", "errorType": "internal", "error": _NO_TIMES}, 500)
    found = await _matching(request, asked, backend)
    return json_answer({"status": "success", "data": [each.labels for each in found]})


async def metadata(request: Request, backend: Backend) -> Answer:
    """What each metric says of itself; parts of a histogram belong to the histogram."""
    listed = sorted(
        (stream.name, stream.meta)
        for stream in backend.store.catalogue.streams()
        if (stream.org, stream.kind) == (request.names["org"], "metrics")
        and stream.meta
        and stream.meta["help"] != stream.name
    )
    data = {
        name: [{"type": meta["kind"].lower(), "help": meta["help"], "unit": meta["unit"]}]
        for name, meta in listed
    }
    return json_answer({"status": "success", "data": data})


async def _matching(request: Request, asked: Mapping[str, str], backend: Backend) -> list[Series]:
    now = backend.store.now()
    start, end = _moment(asked.get("start"), 0), _moment(asked.get("end"), now)
    return await _series(_selector(asked.get("match[]", "")), request.names["org"], start, end, backend)


def _streams(request: Request, backend: Backend) -> Mapping[str, Sequence[str]]:
    return {
        stream.name: list(stream.columns)
        for stream in backend.store.catalogue.streams()
        if (stream.org, stream.kind) == (request.names["org"], "metrics")
    }


def _selector(text: str) -> Selector:
    match parse(text):
        case Success(Selector() as selector):
            return selector
        case Failure(Refusal(status, reason)):
            raise RefusedError(_error(status, reason))
        case unexpected:
            raise TypeError(unexpected)


async def _series(selector: Selector, org: str, start: int, end: int, backend: Backend) -> list[Series]:
    stream = backend.store.catalogue.find((org, "metrics", selector.metric))
    if stream is None or VALUE not in stream.columns or NAME not in stream.columns:
        return []
    sql = sql_of(selector, stream.columns)
    rows = await rows_of(Search(sql, start, end + 1, size=-1), org, "metrics", backend)
    if isinstance(rows, Answer):
        raise RefusedError(_error(422, rows.body.decode("utf-8", "replace")[:1000]))
    return await asyncio.to_thread(series_of, rows)


def _moment(text: str | None, default: int) -> int:
    """Seconds (with a fraction), ms, µs or RFC 3339, as microseconds."""
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        try:
            return int(datetime.fromisoformat(text).timestamp() * 1_000_000)
        except ValueError:
            raise RefusedError(_error(400, f"cannot parse {text!r} as a time")) from None
    if not abs(number) < 1e18:
        raise RefusedError(_error(400, f"cannot parse {text!r} as a time"))
    if abs(number) < 1e11:
        return int(number * 1_000_000)
    return int(number * 1_000) if abs(number) < 1e14 else int(number)


def _step(text: str | None, span: int) -> int:
    if not text:
        return max(span // 60, 1_000_000)
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = promql_parser.parse_duration(text).total_seconds()
        except (ValueError, OverflowError):
            raise RefusedError(_error(400, f"cannot parse {text!r} as a step")) from None
    if not 0 < seconds < 1e9:
        raise RefusedError(_error(400, "the step has to be longer than nothing"))
    return max(int(seconds * 1_000_000), 1)


def _success(data: object) -> Answer:
    return json_answer({"status": "success", "data": data, "trace_id": trace_id()})


def _error(status: int, text: str) -> Answer:
    kind = "bad_data" if status == 400 else "execution"
    content = {"status": "error", "errorType": kind, "error": f"Execution error: {text}"}
    return json_answer({**content, "trace_id": trace_id()}, status)
