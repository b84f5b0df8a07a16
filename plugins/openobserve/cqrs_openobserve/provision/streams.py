"""The streams as they should be, and how a stream that exists differs; pure."""

from collections.abc import Mapping
from typing import Final, final

import attrs
import orjson

from cqrs.middleware import Kind
from cqrs_openobserve.columns import Column, columns_of
from cqrs_openobserve.configuration import KINDS, Configuration
from cqrs_openobserve.json_values import mapping, sequence

# Names that some versions of the server's engine give to the same type.
_SAME: Final = {"LargeUtf8": "Utf8", "Utf8View": "Utf8"}


@final
@attrs.frozen
class Stream:
    """A stream as it should be.

    Attributes:
        name: the server's name of it.
        kind: the kind of message whose records it holds.
        columns: all its columns; ``_timestamp`` comes with every stream.
    """

    name: str
    kind: Kind
    columns: tuple[Column, ...]

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
    """Give the streams that a configuration needs."""
    return tuple(Stream(configuration.streams[kind], kind, columns_of(kind)) for kind in KINDS)


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
