"""A stream as one file: parquet, CSV or one JSON object a line."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from cqrs_local import arrow
from cqrs_local.arrow import Table
from cqrs_local.catalogue import StreamKey
from cqrs_local.store import Store
from cqrs_local.views import StreamView

FORMATS: Final = ("parquet", "csv", "ndjson")


class NoSuchStreamError(Exception):
    """There is no stream of that name; the text lists those that there are."""


def export(store: Store, key: StreamKey, kind: str, out: BinaryIO) -> int:
    """Write all rows of a stream, oldest generation first.

    Args:
        store: opened, not started.
        key: organisation, type, name.
        kind: one of `FORMATS`.
        out: where to.

    Returns:
        How many rows were written.

    Raises:
        NoSuchStreamError: there is no such stream.
        OSError: something cannot be read or written.
    """
    stream = store.catalogue.find(key)
    view = store.view(key)
    if stream is None or view is None:
        known = sorted(each.name for each in store.catalogue.streams() if (each.org, each.kind) == key[:2])
        raise NoSuchStreamError(
            f"there is no {key[1]} stream {key[2]!r} in {key[0]}: {', '.join(known) or 'none'}"
        )
    writer = arrow.Writer(kind, view.columns, out)
    rows = 0
    for table in _tables(store, stream.id, view):
        writer.write(arrow.conformed(table, view.columns))
        rows += table.num_rows
    writer.close()
    return rows


def _tables(store: Store, stream_id: int, view: StreamView) -> Iterator[Table]:
    for segment in store.index.of(stream_id):
        if segment.generation < view.before:
            yield arrow.read_parquet(segment.path)
    yield from view.memory
