"""`POST /api/{org}/{stream}/_json`: records into a stream, each counted as stored or refused."""

import asyncio
from collections.abc import Sequence
from typing import Final, cast

import attrs
import orjson
from returns.result import Failure, Success

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.catalogue import StreamKey
from cqrs_local.column_types import TIMESTAMP, Row
from cqrs_local.emulation import Emulation
from cqrs_local.limits import Limits
from cqrs_local.normalise import JsonObject, NestingError, flatten, stream_name
from cqrs_local.requests import Request
from cqrs_local.store import StoreFullError
from cqrs_local.timestamps import plain_times, resolve

NOT_AN_OBJECT: Final = "flatten value must be an object"
LARGE_BODY: Final = 256 * 1024
_DISK: Final = (
    "the data directory cannot be written: {}. Nothing of the request is stored; send it again later"
)


@attrs.frozen
class Batch:
    """The records of one request.

    Attributes:
        rows: those to store.
        failed: how many were refused.
        error: why the last of them was.
        lost: the whole batch is dropped without a word, as the server does with too many columns.
    """

    rows: Sequence[Row]
    failed: int = 0
    error: str | None = None
    lost: bool = False


async def ingest_json(request: Request, backend: Backend) -> Answer:
    """Store the records of a body."""
    body = await request.body(backend.limits.body_bytes)
    now = backend.store.now()
    if len(body) > LARGE_BODY:
        batch = await asyncio.to_thread(batch_of, body, now, backend.limits, request.emulation)
    else:
        batch = batch_of(body, now, backend.limits, request.emulation)
    return await _stored(request, backend, batch)


async def _stored(request: Request, backend: Backend, batch: Batch) -> Answer:
    name = stream_name(request.names["stream"])
    if not batch.lost:
        await store_rows(backend, (request.names["org"], "logs", name), batch.rows)
    return json_answer({"code": 200, "status": [_counts(name, batch)]})


async def ingest_multi(request: Request, backend: Backend) -> Answer:
    """Store the records of a body with one JSON object a line."""
    lines = (await request.body(backend.limits.body_bytes)).splitlines()
    body = b"[" + b",".join(line for line in lines if line.strip()) + b"]"
    batch = await asyncio.to_thread(batch_of, body, backend.store.now(), backend.limits, request.emulation)
    return await _stored(request, backend, batch)


async def store_rows(backend: Backend, key: StreamKey, rows: Sequence[Row]) -> None:
    """Store rows that are complete.

    Raises:
        RefusedError: they cannot be stored now (503), none of them is.
    """
    try:
        await backend.store.ingest(key, rows)
    except StoreFullError as error:
        raise RefusedError(message(503, str(error))) from None
    except OSError as error:
        raise RefusedError(message(503, _DISK.format(error.strerror or error))) from None


def batch_of(body: bytes, now: int, limits: Limits, emulation: Emulation = Emulation.NEWEST) -> Batch:
    """The records of a body (pure).

    Args:
        body: JSON, an array of objects or one object.
        now: the server's time in microseconds.
        limits: depth, columns, window of times.
        emulation: what becomes of an element that is no object, and of two keys for one column.

    Raises:
        RefusedError: the body as a whole is refused (400).
    """
    elements = _parse(body)
    old = emulation is Emulation.V0_16
    if old and not all(isinstance(element, dict) for element in elements):
        raise RefusedError(message(400, f"Error# {NOT_AN_OBJECT}"))
    rules = _Rules(limits, plain_times(now, limits), first_wins=old)
    rows: list[Row] = []
    failed = 0
    error: str | None = None
    for at, element in enumerate(elements):
        outcome = _row(element, now + at, rules)  # records without a time keep their order
        if isinstance(outcome, str):
            failed, error = failed + 1, outcome
        elif len(outcome) > limits.columns:
            return Batch((), lost=True)
        else:
            rows.append(outcome)
    return Batch(rows, failed, error)


@attrs.frozen
class _Rules:
    """What is the same for all records of a body: limits, times that stand as they are, which of equal keys wins."""

    limits: Limits
    plain: range
    first_wins: bool


def _parse(body: bytes) -> Sequence[object]:
    try:
        content: object = orjson.loads(body)
    except ValueError as error:
        raise RefusedError(message(400, f"SerdeJsonError# {error}")) from None
    return cast("list[object]", content) if isinstance(content, list) else [content]


def _row(element: object, now: int, rules: _Rules) -> Row | str:
    """The row of one element, or why it is refused."""
    if not isinstance(element, dict):
        return NOT_AN_OBJECT
    record = cast("JsonObject", element)
    moment = _moment(record.get(TIMESTAMP), now, rules)
    if isinstance(moment, str):
        return moment
    try:
        row = flatten(_reversed(record) if rules.first_wins else record, rules.limits.nesting)
    except NestingError:
        raise RefusedError(message(400, "SerdeJsonError# recursion limit exceeded")) from None
    row[TIMESTAMP] = moment
    return row


def _moment(value: object, now: int, rules: _Rules) -> int | str:
    """The time of a record, or why it is refused; most times need no parsing."""
    if type(value) is int and value in rules.plain:
        return value
    match resolve(value, now, rules.limits):
        case Success(int(moment)):
            return moment
        case Failure(str(reason)):
            return reason
        case unexpected:
            raise TypeError(unexpected)


def _counts(name: str, batch: Batch) -> dict[str, object]:
    counts: dict[str, object] = {"name": name, "successful": len(batch.rows), "failed": batch.failed}
    return counts if batch.error is None else {**counts, "error": batch.error}


def _reversed(record: JsonObject) -> JsonObject:
    """The record with its keys the other way round: the last of equal columns is the first then."""
    return {
        name: _reversed(cast("JsonObject", value)) if isinstance(value, dict) else value
        for name, value in reversed(record.items())
    }
