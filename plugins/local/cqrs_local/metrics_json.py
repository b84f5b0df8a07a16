"""`POST /api/{org}/ingest/metrics/_json`: data points as JSON, each metric into its own stream."""

from collections.abc import Mapping
from typing import Final, cast

import attrs
import orjson

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.column_types import TIMESTAMP, Row
from cqrs_local.emulation import Emulation
from cqrs_local.ingest import store_rows
from cqrs_local.normalise import field_name, stream_name
from cqrs_local.otlp_metrics import HASH, NAME, VALUE, Meta, series_hash
from cqrs_local.otlp_values import texts_of
from cqrs_local.requests import Request

_TYPE: Final = "__type__"
_KINDS: Final = ("counter", "gauge", "histogram", "summary")


async def ingest_metrics_json(request: Request, backend: Backend) -> Answer:
    """Points with `__name__`, `__type__`, `value`, `_timestamp` and labels, which are texts."""
    points = _points(await request.body(backend.limits.body_bytes))
    now, org = backend.store.now(), request.names["org"]
    streams: dict[str, tuple[Meta, list[Row]]] = {}
    for point in points:
        name, meta, row = _row(point, now, request.emulation)
        _, rows = streams.setdefault(name, (meta, []))
        if row is not None:
            rows.append(row)
    for name, (meta, rows) in streams.items():
        try:
            backend.store.describe((org, "metrics", name), attrs.asdict(meta))
        except OSError as error:
            return message(503, f"the data directory cannot be written: {error.strerror or error}")
        await store_rows(backend, (org, "metrics", name), rows)
    status = [
        {"name": name, "successful": len(rows), "failed": 0} for name, (_, rows) in sorted(streams.items())
    ]
    return json_answer({"code": 200, "status": status})


def _points(body: bytes) -> list[Mapping[str, object]]:
    try:
        content: object = orjson.loads(body)
    except ValueError as error:
        raise RefusedError(message(400, f"SerdeJsonError# {error}")) from None
    points = cast("list[object]", content) if isinstance(content, list) else [content]
    if not all(isinstance(point, dict) for point in points):
        raise RefusedError(message(400, "a data point is an object"))
    return cast("list[Mapping[str, object]]", points)


def _row(point: Mapping[str, object], now: int, emulation: Emulation) -> tuple[str, Meta, Row | None]:
    name, kind = point.get(NAME), point.get(_TYPE)
    old = emulation is Emulation.V0_16
    if not isinstance(name, str) or not name:
        raise RefusedError(message(400, f"missing {NAME}"))
    if kind is None and old:
        raise RefusedError(message(400, f"missing {_TYPE}"))
    kind = str(kind or "gauge").lower()
    if kind not in _KINDS:
        raise RefusedError(message(400, f"invalid {_TYPE}: one of {', '.join(_KINDS)}"))
    stream = stream_name(name)
    meta = Meta(kind.capitalize(), stream)
    if old and kind in ("histogram", "summary"):
        return stream, meta, None
    return stream, meta, _complete(stream, point, now)


def _complete(stream: str, point: Mapping[str, object], now: int) -> Row:
    value, moment = point.get(VALUE), point.get(TIMESTAMP, now)
    for wrong, what in ((value, VALUE), (moment, TIMESTAMP)):
        if not isinstance(wrong, int | float) or isinstance(wrong, bool):
            raise RefusedError(message(400, f"{what} is not a number"))
    labels = {key: label for key, label in point.items() if key not in (NAME, _TYPE, VALUE, TIMESTAMP)}
    row: Row = {
        **{field_name(key): label for key, label in texts_of(labels).items()},
        NAME: stream,
        VALUE: float(cast("float", value)),
        TIMESTAMP: int(cast("float", moment)) or now,
    }
    row[HASH] = series_hash(row)
    return row
