"""`POST /api/{org}/_search`: SQL over streams."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Final, TypeVar, cast

from returns.result import Failure, Result, Success

from cqrs_local.answers import Answer, RefusedError, message
from cqrs_local.backend import Backend
from cqrs_local.bodies import JsonObject, field, json_body, optional_int
from cqrs_local.column_types import ColumnType
from cqrs_local.emulation import Emulation
from cqrs_local.engine import TOO_MANY_OPERATORS, UNBOUNDED, EngineProblem, Query, Rows
from cqrs_local.limits import Limits
from cqrs_local.requests import Request
from cqrs_local.search_answers import Answered, Search, answer_of, partial_answer
from cqrs_local.search_problems import (
    STATEMENTS,
    coded,
    no_such_stream,
    not_executable,
    planning_failed,
    refused_statement,
    took_too_long,
    unknown_function,
)
from cqrs_local.sql_operators import has_too_many
from cqrs_local.sql_rewrite import RewriteProblem, Rewritten, Scope, rewrite
from cqrs_local.sql_shape import Shape, shape_of, with_timestamp
from cqrs_local.status import TEXT_FIELDS
from cqrs_local.views import StreamView

_BODY_LIMIT: Final = 16 * 1024 * 1024
_MOST_SQL: Final = 128 * 1024
_LONG_SQL: Final = 8 * 1024
_EXHAUSTED: Final = ("Resources exhausted", "Not enough memory")

Streams = Mapping[str, StreamView]
T = TypeVar("T")


async def search(request: Request, backend: Backend) -> Answer:
    """Run one query over the streams of an organisation."""
    body = json_body(await request.body(_BODY_LIMIT))
    asked = search_of(body, backend.limits.default_rows, request.emulation)
    outcome = await _answered(asked, request.names["org"], request.query.get("type", "logs"), backend)
    return outcome if isinstance(outcome, Answer) else answer_of(*outcome, request.emulation)


async def rows_of(asked: Search, org: str, kind: str, backend: Backend) -> Rows | Answer:
    """The rows of a query, or why there are none.

    Args:
        asked: the query.
        org: whose streams it reads.
        kind: the type of the streams.
        backend: the open server.
    """
    outcome = await _answered(asked, org, kind, backend)
    return outcome if isinstance(outcome, Answer) else outcome[1]


async def _answered(asked: Search, org: str, kind: str, backend: Backend) -> tuple[Answered, Rows] | Answer:
    began = perf_counter_ns()
    if asked.start > asked.end:
        return message(400, "Error# [file_list] invalid time range")
    if await _quickly(has_too_many, asked.sql):
        return planning_failed(TOO_MANY_OPERATORS, ())
    shape = await _quickly(shape_of, asked.sql)
    if shape.verb in STATEMENTS:
        return refused_statement(asked.sql, shape.verb)
    if shape.statements > 1:
        return message(400, "Error# Stream name is empty")
    async with backend.store.index.reading():
        return await _over_streams(asked, shape, (org, kind), backend, began)


async def _quickly(look: Callable[[str], T], sql: str) -> T:
    """Look at a text; at a long one in a thread, so that others are answered meanwhile."""
    return look(sql) if len(sql) < _LONG_SQL else await asyncio.to_thread(look, sql)


async def _over_streams(
    asked: Search, shape: Shape, place: tuple[str, str], backend: Backend, began: int
) -> tuple[Answered, Rows] | Answer:
    found = {name: backend.store.view((*place, name)) for name in shape.names}
    streams = {name: view for name, view in found.items() if view is not None}
    if streams and (unbounded := shape.calls & UNBOUNDED):
        return unknown_function(min(unbounded))
    match await _quickly(lambda _: _rewritten(asked, shape, streams, backend.emulation), asked.sql):
        case Success(Rewritten() as rewritten):
            outcome = await _run(asked, shape, rewritten, streams, backend)
        case Failure(RewriteProblem(code, text)):
            return _rewrite_refused(code, text, shape, streams)
        case unexpected:
            raise TypeError(unexpected)
    if isinstance(outcome, Answer):
        return outcome
    return Answered(asked, shape, rewritten, streams, perf_counter_ns() - began), outcome


def search_of(body: JsonObject, default_rows: int, emulation: Emulation = Emulation.NEWEST) -> Search:
    """What a body asks for.

    Raises:
        RefusedError: something is missing or of another type (422).
    """
    query = cast("JsonObject", field(body, "query", dict, "struct Query"))
    sql = field(query, "sql", str, "a string", "query")
    if body.get("encoding") == "base64":
        sql = _decoded(sql)
    if len(sql) > _MOST_SQL:
        raise RefusedError(message(400, f"Error# the SQL text is longer than {_MOST_SQL} characters"))
    if emulation is Emulation.V0_16 and (query.get("start_time") is None or query.get("end_time") is None):
        raise RefusedError(message(500, "Error# [file_list] invalid time range"))
    size = default_rows if query.get("size") is None else field(query, "size", int, "i64", "query")
    return Search(
        sql=sql,
        start=field(query, "start_time", int, "i64", "query"),
        end=field(query, "end_time", int, "i64", "query"),
        skip=max(optional_int(query, "from", "query"), 0),
        size=size,
        seconds=optional_int(body, "timeout"),
    )


def _decoded(sql: str) -> str:
    try:
        return b64decode(sql, validate=True).decode()
    except ValueError:
        raise RefusedError(message(400, "Error# the SQL text is not base64")) from None


def _rewritten(
    asked: Search, shape: Shape, streams: Streams, emulation: Emulation
) -> Result[Rewritten, RewriteProblem]:
    sql = with_timestamp(asked.sql) if shape.plain else asked.sql
    return rewrite(sql, Scope(asked.start, asked.end, _text_fields(streams, emulation)))


def _text_fields(streams: Streams, emulation: Emulation) -> list[str]:
    return sorted(
        {
            name
            for view in streams.values()
            for name in (*TEXT_FIELDS[emulation], *view.text_fields)
            if view.columns.get(name) is ColumnType.UTF8
        }
    )


async def _run(
    asked: Search, shape: Shape, rewritten: Rewritten, streams: Streams, backend: Backend
) -> Rows | Answer:
    limits = backend.limits
    seconds = min(limits.query_seconds, asked.seconds or limits.query_seconds)
    query = Query(
        sql=rewritten.sql,
        streams=streams,
        start=asked.start,
        end=asked.end,
        rows=_most_rows(asked, shape, limits),
        skip=0 if shape.limited else asked.skip,
        sorted=not shape.aggregated and not shape.order,
    )
    try:
        outcome = await backend.engine.run(query, seconds)
    except TimeoutError:
        return took_too_long(seconds)
    match outcome:
        case Success(rows):
            return _bounded(rows, asked, limits.answer_rows)
        case Failure(EngineProblem() as problem):
            return _failed(problem, asked, streams)
        case unexpected:
            raise TypeError(unexpected)


def _most_rows(asked: Search, shape: Shape, limits: Limits) -> int:
    """LIMIT in the text wins over size, 0 stands for the default; one more than allowed tells that it was cut."""
    bound = limits.answer_rows + 1
    return bound if shape.limited or asked.size < 0 else min(asked.size or limits.default_rows, bound)


def _bounded(rows: Rows, asked: Search, most: int) -> Rows | Answer:
    if len(rows) <= most:
        return rows
    return partial_answer(asked, f"the answer has more than {most} rows: ask for fewer with LIMIT or size")


def _failed(problem: EngineProblem, asked: Search, streams: Streams) -> Answer:
    if not problem.running:
        return planning_failed(problem, {name for view in streams.values() for name in view.columns})
    if any(sign in problem.text for sign in _EXHAUSTED):
        return not_executable(problem.text)
    return partial_answer(asked, f"code: 'Internal error', message: {_quoted(problem.text)}")


def _quoted(text: str) -> str:
    escaped = text.removeprefix("DataFusion ").replace("\\", "\\\\").replace('"', '\\"')
    return f'"External error: {escaped.removeprefix("error: ")}"'


def _rewrite_refused(code: int, text: str, shape: Shape, streams: Streams) -> Answer:
    if not streams and shape.reads:
        names = sorted(shape.names - {"select", "from", "where"})
        return no_such_stream(names[0] if names else "")
    return coded(code, text)
