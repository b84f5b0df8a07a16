"""The streams as they should be, and how a stream that exists differs; pure."""

from collections.abc import Mapping
from typing import Final, Literal, final

import attrs
import orjson

from cqrs_openobserve.columns import LOG_COLUMNS, METRIC_COLUMNS, Column, columns_of
from cqrs_openobserve.configuration import KINDS, Configuration
from cqrs_openobserve.json_values import mapping, sequence

StreamKind = Literal["command", "query", "event", "metrics", "logs"]

# Names that some versions of the server's engine give to the same type.
_SAME: Final = {"LargeUtf8": "Utf8", "Utf8View": "Utf8"}
# What panels and alerts filter on, where a stream has it.
_FILTERED: Final = ("record", "message_type", "service_name", "cache_status", "metric_name")
_VARIABLES: Final[Mapping[StreamKind, str]] = {
    "command": "CQRS_STREAM_COMMANDS",
    "query": "CQRS_STREAM_QUERIES",
    "event": "CQRS_STREAM_EVENTS",
    "metrics": "CQRS_STREAM_METRICS",
    "logs": "CQRS_STREAM_LOGS",
}


@final
@attrs.frozen
class Stream:
    """A stream as it should be.

    Attributes:
        name: the server's name of it.
        kind: the kind of message whose records it holds, or what else it holds.
        columns: all its columns; ``_timestamp`` comes with every stream.
        retention: days for which the server keeps its records; 0 for the server's own rule.
    """

    name: str
    kind: StreamKind
    columns: tuple[Column, ...]
    retention: int = 0

    @property
    def variable(self) -> str:
        """The variable that names it."""
        return _VARIABLES[self.kind]

    @property
    def indexed(self) -> tuple[str, ...]:
        """Columns that the server should index, since dashboards and alerts filter on them."""
        names = {column.name for column in self.columns}
        return tuple(name for name in _FILTERED if name in names)

    def creation(self) -> bytes:
        """Give the body of the request that creates it."""
        fields = [{"name": c.name, "type": c.type} for c in self.columns if c.name != "_timestamp"]
        return orjson.dumps({"fields": fields, "settings": {}})


@final
@attrs.frozen
class Difference:
    """How a stream that exists differs.

    Attributes:
        missing: columns that it does not have.
        widened: columns whose type is another, with that type.
    """

    missing: tuple[Column, ...] = ()
    widened: tuple[tuple[Column, str], ...] = ()


def streams_of(configuration: Configuration) -> tuple[Stream, ...]:
    """Give the streams of records: one for each kind of message."""
    days = configuration.settings.stream_retention
    return tuple(Stream(configuration.streams[kind], kind, columns_of(kind), days) for kind in KINDS)


def all_streams(configuration: Configuration) -> tuple[Stream, ...]:
    """Give every stream that a configuration needs; the server makes that of spans by itself."""
    days = configuration.settings.stream_retention
    others = (
        Stream(configuration.stream_metrics, "metrics", METRIC_COLUMNS, days),
        Stream(configuration.stream_logs, "logs", LOG_COLUMNS, days),
    )
    wanted = (configuration.settings.metrics_enabled, bool(configuration.stream_logs))
    return (
        *streams_of(configuration),
        *(stream for stream, on in zip(others, wanted, strict=True) if on),
    )


def compare(stream: Stream, schema: Mapping[str, str]) -> Difference:
    """Compare a stream with what the server says of it.

    Args:
        stream: as it should be.
        schema: types by column name.
    """
    found = {name: _SAME.get(kind, kind) for name, kind in schema.items()}
    return Difference(
        tuple(column for column in stream.columns if column.name not in found),
        tuple((c, found[c.name]) for c in stream.columns if c.name in found and found[c.name] != c.type),
    )


def schema_of(body: object) -> dict[str, str] | None:
    """Read the server's description of a stream.

    Args:
        body: the parsed answer.

    Returns:
        Types by column name, None if it is no such answer.
    """
    if "schema" not in mapping(body):
        return None
    columns = [mapping(column) for column in sequence(mapping(body)["schema"])]
    return {str(column.get("name")): str(column.get("type")) for column in columns}
