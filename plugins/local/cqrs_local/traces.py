"""`GET /api/{org}/{stream}/traces/latest`: the newest traces of a stream, one entry each."""

from collections.abc import Mapping
from typing import Final, cast

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.emulation import Emulation
from cqrs_local.requests import Request
from cqrs_local.search import rows_of
from cqrs_local.search_answers import Search
from cqrs_local.search_problems import trace_id
from cqrs_local.sql_text import literal, quoted

_MOST: Final = 1000
_LATEST: Final = """
SELECT trace_id, min(start_time) AS start_time, max(end_time) AS end_time, max(duration) AS longest,
  count(*) AS spans, sum(CASE WHEN span_status = 'ERROR' THEN 1 ELSE 0 END) AS errors,
  max(_timestamp) AS newest
FROM {stream} {where} GROUP BY trace_id ORDER BY newest DESC LIMIT {size} OFFSET {skip}
"""
_SPANS: Final = """
SELECT trace_id, service_name, operation_name, span_id, duration, start_time, end_time, span_status
FROM {stream} WHERE trace_id IN ({ids}) ORDER BY start_time, span_id LIMIT 100000
"""
_NO_USAGE: Final[Mapping[str, object]] = {
    "gen_ai_usage_input_tokens": 0,
    "gen_ai_usage_output_tokens": 0,
    "gen_ai_usage_total_tokens": 0,
    "gen_ai_usage_cost": 0.0,
    "gen_ai_input_messages": None,
    "models": [],
}

Hit = Mapping[str, object]


async def latest_traces(request: Request, backend: Backend) -> Answer:
    """The newest traces, with how many spans they have, how many failed, and how they began."""
    start, end = _required(request, "start_time"), _required(request, "end_time")
    skip, size = _number(request, "from", 0), min(_number(request, "size", 10), _MOST)
    stream, org = quoted(request.names["stream"]), request.names["org"]
    condition = request.query.get("filter", "").strip()
    where = f"WHERE {condition}" if condition else ""
    sql = _LATEST.format(stream=stream, where=where, size=size, skip=skip)
    found = await rows_of(Search(sql, start, end, size=-1), org, "traces", backend)
    if isinstance(found, Answer):
        return found
    spans = await _spans(found, stream, org, (start, end), backend)
    if isinstance(spans, Answer):
        return spans
    hits = [_hit(trace, spans.get(str(trace["trace_id"]), []), request.emulation) for trace in found]
    told = {"took": 0, "total": len(hits), "from": skip, "size": size, "hits": hits, "trace_id": trace_id()}
    return json_answer(told)


async def _spans(
    traces: list[dict[str, object]], stream: str, org: str, span: tuple[int, int], backend: Backend
) -> dict[str, list[Hit]] | Answer:
    if not traces:
        return {}
    ids = ", ".join(literal(str(trace["trace_id"])) for trace in traces)
    asked = Search(_SPANS.format(stream=stream, ids=ids), *span, size=-1)
    found = await rows_of(asked, org, "traces", backend)
    if isinstance(found, Answer):
        return found
    by_trace: dict[str, list[Hit]] = {}
    for row in found:
        by_trace.setdefault(str(row["trace_id"]), []).append(row)
    return by_trace


def _hit(trace: Hit, spans: list[Hit], emulation: Emulation) -> dict[str, object]:
    services: dict[str, list[Hit]] = {}
    for span in spans:
        services.setdefault(str(span.get("service_name", "")), []).append(span)
    began, ended = cast("int", trace["start_time"]), cast("int", trace["end_time"])
    nothing: Hit = {}
    first = spans[0] if spans else nothing
    common = {
        "trace_id": trace["trace_id"],
        "start_time": began,
        "end_time": ended,
        "spans": [trace["spans"], trace["errors"]],
    }
    if emulation is Emulation.V0_16:
        names = [{"service_name": name, "count": len(held)} for name, held in services.items()]
        newest = {
            name: value for name, value in (spans[-1] if spans else nothing).items() if name != "span_id"
        }
        return {**common, "duration": trace["longest"], "service_name": names, "first_event": newest}
    names = [
        {"service_name": name, "count": len(held), "duration": max(cast("int", s["duration"]) for s in held)}
        for name, held in services.items()
    ]
    event = {name: first.get(name, "") for name in ("service_name", "operation_name")}
    duration = (ended - began) // 1_000
    return {**common, "duration": duration, "service_name": names, "first_event": event, **_NO_USAGE}


def _required(request: Request, name: str) -> int:
    text = request.query.get(name, "")
    if not (text.isascii() and text.isdecimal()) or text == "0":
        raise RefusedError(message(400, f"{name} is empty"))
    return int(text)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default
