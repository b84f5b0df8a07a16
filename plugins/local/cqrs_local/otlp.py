"""`POST /api/{org}/v1/logs|metrics|traces`: what OTLP/HTTP exporters send, protobuf or JSON.

A 200 does not mean stored: what was rejected is told in `partial_success`, and a batch with a record of
too many columns is lost as the server loses it.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Final, ParamSpec, TypeVar, cast

import attrs
import orjson
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from returns.result import Failure, Success

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.column_types import TIMESTAMP, Row
from cqrs_local.emulation import Emulation
from cqrs_local.ingest import LARGE_BODY, store_rows
from cqrs_local.limits import Limits
from cqrs_local.normalise import JsonObject, NestingError, flatten, stream_name
from cqrs_local.otlp_logs import log_records
from cqrs_local.otlp_metrics import MetricStream, metric_streams
from cqrs_local.otlp_traces import span_rows
from cqrs_local.requests import Request
from cqrs_local.timestamps import within

PROTOBUF: Final = b"application/x-protobuf"
_JSON: Final = b"application/json"
_TOO_OLD_SPANS: Final = "Some spans were rejected due to exceeding the allowed retention period"
_IDS: Final = frozenset(["traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"])

M = TypeVar("M", bound=Message)
P = ParamSpec("P")
T = TypeVar("T")


class TooManyColumnsError(Exception):
    """A record has more columns than a stream may have."""


@attrs.frozen
class Batch:
    """The rows of one request.

    Attributes:
        rows: those to store.
        rejected: how many are outside the window of times.
        reason: why the last of them was.
    """

    rows: list[Row]
    rejected: int = 0
    reason: str = ""


async def ingest_logs(request: Request, backend: Backend) -> Answer:
    """Log records into the stream that the header `stream-name` names."""
    kind, body = await _body(request, backend)
    try:
        batch = await _heavy(body, _logs, kind, body, backend.store.now(), backend.limits)
    except TooManyColumnsError:
        batch = Batch([])
    await store_rows(backend, (request.names["org"], "logs", _stream(request)), batch.rows)
    answer = ExportLogsServiceResponse()
    if batch.rejected:
        answer.partial_success.rejected_log_records = batch.rejected
        answer.partial_success.error_message = batch.reason
    # The server answers JSON with these bytes too, under the name of JSON.
    return Answer(200, answer.SerializeToString(), ((b"content-type", kind),))


async def ingest_traces(request: Request, backend: Backend) -> Answer:
    """Spans into the traces stream that the header `stream-name` names."""
    kind, body = await _body(request, backend)
    try:
        batch = await _heavy(body, _spans, kind, body, backend)
    except TooManyColumnsError:
        return _too_many_columns(backend)
    await store_rows(backend, (request.names["org"], "traces", _stream(request)), batch.rows)
    if kind == _JSON:
        return _json_spans(batch)
    answer = ExportTraceServiceResponse()
    if batch.rejected:
        answer.partial_success.rejected_spans = batch.rejected
        answer.partial_success.error_message = _TOO_OLD_SPANS
    return _protobuf(answer.SerializeToString())


async def ingest_metrics(request: Request, backend: Backend) -> Answer:
    """Data points, each metric into the metrics stream of its name."""
    kind, body = await _body(request, backend)
    try:
        streams = await _heavy(body, _points, kind, body, backend)
    except TooManyColumnsError:
        return _too_many_columns(backend)
    for stream, rows in streams:
        key = (request.names["org"], "metrics", stream.name)
        try:
            backend.store.describe(key, attrs.asdict(stream.meta))
        except OSError as error:
            return message(503, f"the data directory cannot be written: {error.strerror or error}")
        await store_rows(backend, key, rows)
    return json_answer({}) if kind == _JSON else _protobuf(b"")


async def _body(request: Request, backend: Backend) -> tuple[bytes, bytes]:
    kind = request.headers.get(b"content-type", b"")
    if kind not in (PROTOBUF, _JSON):
        raise RefusedError(message(400, "Bad Request"))
    return kind, await request.body(backend.limits.body_bytes)


async def _heavy(body: bytes, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Work on a body, a large one in a thread."""
    if len(body) > LARGE_BODY:
        return await asyncio.to_thread(work, *args, **kwargs)
    return work(*args, **kwargs)


def _stream(request: Request) -> str:
    return stream_name(request.headers.get(b"stream-name", b"default").decode("latin-1")) or "default"


def _logs(kind: bytes, body: bytes, now: int, limits: Limits) -> Batch:
    return _windowed(log_records(parsed(ExportLogsServiceRequest(), kind, body)), now, limits)


def _spans(kind: bytes, body: bytes, backend: Backend) -> Batch:
    now = backend.store.now()
    request = parsed(ExportTraceServiceRequest(), kind, body)
    return _windowed(span_rows(request, now, backend.emulation), now, backend.limits)


def _points(kind: bytes, body: bytes, backend: Backend) -> list[tuple[MetricStream, list[Row]]]:
    request = parsed(ExportMetricsServiceRequest(), kind, body)
    streams = metric_streams(request, backend.store.now(), backend.emulation)
    return [(stream, [_flat(row, backend.limits) for row in stream.rows]) for stream in streams]


def _windowed(records: Iterable[dict[str, object]], now: int, limits: Limits) -> Batch:
    rows: list[Row] = []
    rejected, reason = 0, ""
    for record in records:
        match within(cast("int", record.get(TIMESTAMP, now)), now, limits):
            case Success(int(moment)):
                rows.append(_flat(record, limits) | {TIMESTAMP: moment})
            case Failure(text):
                rejected, reason = rejected + 1, str(text)
            case unexpected:
                raise TypeError(unexpected)
    return Batch(rows, rejected, reason)


def _flat(record: JsonObject, limits: Limits) -> Row:
    try:
        row = flatten(record, limits.nesting)
    except NestingError:
        raise RefusedError(message(400, "SerdeJsonError# recursion limit exceeded")) from None
    if len(row) > limits.columns:
        raise TooManyColumnsError
    return row


def parsed(empty: M, kind: bytes, body: bytes) -> M:
    """The message that a body holds.

    Args:
        empty: a message of the wanted type; filled and returned.
        kind: the content type.
        body: protobuf or JSON.

    Raises:
        RefusedError: it cannot be decoded (400).
    """
    try:
        if kind == PROTOBUF:
            empty.ParseFromString(body)
        else:
            ParseDict(_with_bytes(orjson.loads(body)), empty, ignore_unknown_fields=True)
    except DecodeError as error:
        text = f"Invalid proto: failed to decode Protobuf message: {error}"
        raise RefusedError(message(400, text)) from None
    except (ParseError, ValueError, RecursionError) as error:
        raise RefusedError(message(400, f"Invalid json: {error}")) from None
    return empty


def _with_bytes(content: object) -> dict[str, object]:
    """OTLP writes ids as hexadecimal digits where other protobuf JSON writes base64."""
    if not isinstance(content, dict):
        raise ValueError("the body is no object")  # noqa: TRY004 - told to the client like what cannot be parsed
    waiting: list[object] = [content]
    while waiting:
        container = waiting.pop()
        if isinstance(container, dict):
            entries = cast("JsonObject", container)
            for name, value in entries.items():
                if name in _IDS and isinstance(value, str):
                    entries[name] = b64encode(bytes.fromhex(value)).decode()
            waiting.extend(entries.values())
        elif isinstance(container, list):
            waiting.extend(cast("list[object]", container))
    return cast("dict[str, object]", content)


def _json_spans(batch: Batch) -> Answer:
    if not batch.rejected:
        return json_answer({})
    told = {"rejectedSpans": str(batch.rejected), "errorMessage": _TOO_OLD_SPANS}
    return json_answer({"partialSuccess": told}, 206)


def _protobuf(body: bytes) -> Answer:
    return Answer(200, body, ((b"content-type", PROTOBUF),))


def _too_many_columns(backend: Backend) -> Answer:
    text = f"a record has more than {backend.limits.columns} columns"
    status = 400 if backend.emulation is Emulation.NEWEST else 500
    refused = message(status, text)
    return attrs.evolve(refused, headers=(*refused.headers, (b"x-error-message", text.encode())))
