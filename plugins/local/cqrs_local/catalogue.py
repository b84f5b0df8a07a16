"""Which organisations and streams exist, with their columns and settings.

The catalogue on disk may lag behind the log: a stream or a column that only the log knows comes back
when the log is replayed. Ids only grow, so an id that the catalogue has passed and does not hold was
deleted, and rows of it in an older log are dropped.
"""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Final, cast

import attrs
import orjson

from cqrs_local.column_types import TIMESTAMP, ColumnType
from cqrs_local.durable import write_atomically

FILE_NAME: Final = "catalogue.json"

StreamKey = tuple[str, str, str]
"""Organisation, type of stream (logs, metrics, traces, …), normalised name."""


@attrs.define
class Stream:
    """One stream.

    Attributes:
        id: names its directory; never used again.
        org, kind, name: what the API calls it.
        created_at: microseconds.
        columns: every column that any record had, in order of appearance.
        settings: what PUT …/settings stored.
        by_ingestion: made by a first record rather than by a create call.
        meta: what a metrics stream says of itself: kind, family, help, unit.
    """

    id: int
    org: str
    kind: str
    name: str
    created_at: int
    columns: dict[str, ColumnType] = attrs.field(factory=lambda: {TIMESTAMP: ColumnType.INT64})
    settings: dict[str, object] = attrs.field(factory=dict[str, object])
    by_ingestion: bool = True
    meta: dict[str, str] = attrs.field(factory=dict[str, str])

    @property
    def key(self) -> StreamKey:
        """What it is looked up by."""
        return (self.org, self.kind, self.name)


class Catalogue:
    """The streams in memory; `encode` and `decode` are their form on disk."""

    def __init__(self) -> None:
        """Start empty."""
        self.orgs: dict[str, int] = {}
        self.next_id = 1
        self._by_key: dict[StreamKey, Stream] = {}
        self._by_id: dict[int, Stream] = {}

    def add_org(self, name: str) -> None:
        """Remember an organisation; a known one stays as it is."""
        self.orgs.setdefault(name, len(self.orgs) + 1)

    def find(self, key: StreamKey) -> Stream | None:
        """The stream of that name."""
        return self._by_key.get(key)

    def get(self, stream_id: int) -> Stream | None:
        """The stream of that id."""
        return self._by_id.get(stream_id)

    def streams(self) -> Iterable[Stream]:
        """All streams, oldest first."""
        return self._by_id.values()

    def create(self, key: StreamKey, created_at: int, *, by_ingestion: bool = True) -> Stream:
        """Add a stream that does not exist yet."""
        stream = Stream(self.next_id, *key, created_at=created_at, by_ingestion=by_ingestion)
        self._add(stream)
        return stream

    def restore(self, stream_id: int, key: StreamKey, created_at: int) -> Stream | None:
        """The stream that a log entry speaks of, made again if need be; None if it was deleted since."""
        known = self._by_id.get(stream_id)
        if known is not None or stream_id < self.next_id:
            return known
        stream = Stream(stream_id, *key, created_at=created_at)
        self._add(stream)
        return stream

    def remove(self, stream: Stream) -> None:
        """Forget a stream."""
        del self._by_key[stream.key]
        del self._by_id[stream.id]

    def put_back(self, stream: Stream) -> None:
        """Undo `remove`."""
        self._add(stream)

    def encode(self) -> bytes:
        """The form on disk."""
        return orjson.dumps(
            {
                "orgs": self.orgs,
                "next_id": self.next_id,
                "streams": [attrs.asdict(stream) for stream in self._by_id.values()],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "Catalogue":
        """Read the form on disk.

        Raises:
            ValueError, KeyError, TypeError: it is not one.
        """
        raw = cast("dict[str, object]", orjson.loads(data))
        catalogue = cls()
        catalogue.orgs = cast("dict[str, int]", raw["orgs"])
        for entry in cast("list[dict[str, object]]", raw["streams"]):
            catalogue._add(_stream(entry))
        catalogue.next_id = cast("int", raw["next_id"])
        return catalogue

    def _add(self, stream: Stream) -> None:
        self.add_org(stream.org)
        self._by_key[stream.key] = stream
        self._by_id[stream.id] = stream
        self.next_id = max(self.next_id, stream.id + 1)


def _stream(entry: dict[str, object]) -> Stream:
    columns = cast("dict[str, str]", entry["columns"])
    return Stream(
        id=cast("int", entry["id"]),
        org=cast("str", entry["org"]),
        kind=cast("str", entry["kind"]),
        name=cast("str", entry["name"]),
        created_at=cast("int", entry["created_at"]),
        columns={name: ColumnType(column) for name, column in columns.items()},
        settings=cast("dict[str, object]", entry["settings"]),
        by_ingestion=cast("bool", entry["by_ingestion"]),
        meta=cast("dict[str, str]", entry.get("meta", {})),
    )


class CatalogueFile:
    """The catalogue on disk: versions arrive from several threads, an older one never wins."""

    def __init__(self, directory: Path) -> None:
        """Args: directory: the data directory."""
        self._path = directory / FILE_NAME
        self._segments = directory / "segments"
        self._lock = Lock()
        self._saved = 0

    def load(self) -> Catalogue:
        """What was saved last, an empty catalogue in a new directory.

        Raises:
            ValueError: the file is damaged, or missing although there are segments.
            OSError: it cannot be read.
        """
        if not self._path.exists():
            if self._segments.is_dir() and any(self._segments.iterdir()):
                raise ValueError(f"{FILE_NAME} is missing beside the segments it describes: restore it")
            return Catalogue()
        try:
            return Catalogue.decode(self._path.read_bytes())
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{FILE_NAME} is damaged: restore it from a copy ({error})") from error

    def save(self, version: int, data: bytes) -> None:
        """Save `data` durably unless a later version was saved already.

        Raises:
            OSError: the disk refused.
        """
        with self._lock:
            if version > self._saved:
                write_atomically(self._path, data)
                self._saved = version
