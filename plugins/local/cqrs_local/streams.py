"""The calls about streams: list, create, schema, settings, delete."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from returns.result import Failure, Success

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.bodies import field, json_body, objects
from cqrs_local.catalogue import Stream, StreamKey
from cqrs_local.column_types import ColumnType
from cqrs_local.emulation import Emulation
from cqrs_local.normalise import field_name, stream_name
from cqrs_local.requests import Request
from cqrs_local.segments import Segment
from cqrs_local.stream_settings import changed, complete, unknown_field

NOT_FOUND: Final = "stream not found"
_CREATE_LIMIT: Final = 4 * 1024 * 1024


async def list_streams(request: Request, backend: Backend) -> Answer:
    """`GET /api/{org}/streams?type=&keyword=&offset=&limit=&fetchSchema=`."""
    org, kind, keyword = request.names["org"], request.query.get("type"), request.query.get("keyword", "")
    found = sorted(
        (
            stream
            for stream in backend.store.catalogue.streams()
            if stream.org == org and kind in (None, stream.kind) and keyword in stream.name
        ),
        key=lambda stream: stream.name,
    )
    first = _number(request.query.get("offset"), 0)
    page = found[first:][: _number(request.query.get("limit"), len(found))]
    with_schema = request.query.get("fetchSchema") == "true"
    entries = [_entry(stream, backend, with_schema=with_schema) for stream in page]
    return json_answer({"list": entries, "total": len(found)})


async def create_stream(request: Request, backend: Backend) -> Answer:
    """`POST /api/{org}/streams/{name}?type=`: a stream with its columns, before any record."""
    content = json_body(await request.body(_CREATE_LIMIT))
    columns = {
        field_name(field(entry, "name", str, "string", "fields[]")): _column_type(entry)
        for entry in objects(content, "fields")
    }
    settings = cast("dict[str, object]", field(content, "settings", dict, "struct UpdateStreamSettings"))
    key = _key(request, stream_name(request.names["stream"]))
    if backend.store.catalogue.find(key) is not None:
        return message(400, "stream already exists")
    unknown = unknown_field(settings, columns) if request.emulation is Emulation.V0_16 else None
    if unknown is not None:
        backend.store.create_stream(key, columns, {}).by_ingestion = True  # refused, and made all the same
        return message(400, f"field [{unknown}] not found in schema")
    try:
        backend.store.create_stream(key, columns, settings)
    except OSError as error:
        return _disk(error)
    return message(200, "stream created")


async def show_schema(request: Request, backend: Backend) -> Answer:
    """`GET /api/{org}/streams/{name}/schema?type=`."""
    stream = backend.store.catalogue.find(_key(request, stream_name(request.names["stream"])))
    if stream is None:
        return message(404, NOT_FOUND)
    return json_answer(_entry(stream, backend, with_schema=True))


async def change_settings(request: Request, backend: Backend) -> Answer:
    """`PUT /api/{org}/streams/{name}/settings?type=`: the delta form."""
    delta = json_body(await request.body(_CREATE_LIMIT))
    stream = backend.store.catalogue.find(_key(request, stream_name(request.names["stream"])))
    if stream is None:
        return message(404, NOT_FOUND)
    match changed(stream.settings, delta):
        case Success(settings):
            before, stream.settings = stream.settings, settings
        case Failure(problem):
            return message(400, str(problem))
        case unexpected:
            raise TypeError(unexpected)
    try:
        backend.store.save_catalogue()
    except OSError as error:
        stream.settings = before
        return _disk(error)
    return message(200, "")


async def delete_stream(request: Request, backend: Backend) -> Answer:
    """`DELETE /api/{org}/streams/{name}?type=`: the name has to be the normalised one."""
    stream = backend.store.catalogue.find(_key(request, request.names["stream"]))
    if stream is None:
        return message(404, NOT_FOUND)
    try:
        await backend.store.delete_stream(stream)
    except OSError as error:
        return _disk(error)
    return message(200, "stream deleted")


def _key(request: Request, name: str) -> StreamKey:
    return (request.names["org"], request.query.get("type", "logs"), name)


def _column_type(entry: Mapping[str, object]) -> ColumnType:
    name = field(entry, "type", str, "string", "fields[]")
    try:
        return ColumnType(name)
    except ValueError:
        raise RefusedError(message(400, f"unknown field type: {name}")) from None


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and text.isascii() else default


def _disk(error: OSError) -> Answer:
    return message(
        503, f"the data directory cannot be written: {error.strerror or error}. Nothing was changed"
    )


def _entry(stream: Stream, backend: Backend, *, with_schema: bool) -> dict[str, object]:
    schema = (
        [{"name": name, "type": column} for name, column in stream.columns.items()] if with_schema else []
    )
    return {
        "name": stream.name,
        "storage_type": "disk",
        "stream_type": stream.kind,
        "stats": _stats(stream, backend.store.index.of(stream.id)),
        "schema": schema,
        "settings": complete(
            stream.settings,
            by_ingestion=stream.by_ingestion,
            kind=stream.kind,
            emulation=backend.emulation,
        ),
        "total_fields": len(schema),
        **_meta(stream, backend.emulation),
    }


def _meta(stream: Stream, emulation: Emulation) -> dict[str, object]:
    """What a metrics stream says of itself; 0.16 knew less of it."""
    if stream.kind != "metrics":
        return {}
    meta = stream.meta or {"kind": "", "family": stream.name, "help": stream.name, "unit": ""}
    if emulation is Emulation.V0_16:
        part = meta["kind"] == "Counter" and meta["help"] == stream.name
        meta = {**meta, "kind": "Counter" if part else "", "help": stream.name, "unit": ""}
    return {
        "metrics_meta": {
            "metric_type": meta["kind"],
            "metric_family_name": meta["family"],
            "help": meta["help"],
            "unit": meta["unit"],
        }
    }


def _stats(stream: Stream, segments: Sequence[Segment]) -> dict[str, object]:
    """Counts of what lies in segments, as the server counts files."""
    size = sum(segment.size for segment in segments) / 1_048_576
    return {
        "created_at": stream.created_at,
        "doc_time_min": min((segment.first for segment in segments), default=0),
        "doc_time_max": max((segment.last for segment in segments), default=0),
        "doc_num": sum(segment.rows for segment in segments),
        "file_num": len(segments),
        "storage_size": size,
        "compressed_size": size,
        "index_size": 0.0,
    }
