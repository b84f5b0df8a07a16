"""Parquet segments: the rows of one generation of one stream, found by their file names.

`segments/<stream>/<shape>/<generation>-<first>-<last>-<rows>.parquet`; a merged file has the first of its
generations behind that, so that what it replaces is known even if a crash left it there. All files of a shape directory
have the same columns, so the query engine reads the directory as one table. Every row carries the
number of its generation in the column `#segment`, which no field name can become: a query that still
sees the rows of a generation in memory leaves them out on disk.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import attrs

from cqrs_local import arrow
from cqrs_local.column_types import ColumnType
from cqrs_local.durable import publish

GENERATION: Final = "#segment"
_NAME: Final = re.compile(r"(\d+)-(-?\d+)-(-?\d+)-(\d+)(?:-(\d+))?\.parquet")


@attrs.frozen
class Segment:
    """One parquet file.

    Attributes:
        path: where it lies.
        generation: the number of the log that its rows came from, the last one if it is merged.
        first, last: earliest and latest `_timestamp`, microseconds.
        rows: how many it holds.
        size: bytes on disk.
        since: the first of its generations.
    """

    path: Path
    generation: int
    first: int
    last: int
    rows: int
    size: int
    since: int

    @property
    def shape(self) -> Path:
        """The directory of segments with the same columns."""
        return self.path.parent


class Segments:
    """The segments of all streams below one directory."""

    def __init__(self, directory: Path) -> None:
        """Args: directory: holds one directory per stream id."""
        self._directory = directory
        self._columns: dict[Path, dict[str, ColumnType]] = {}

    def load(self, stream_ids: frozenset[int]) -> dict[int, list[Segment]]:
        """Find what is there; remove unfinished files and what belongs to no stream."""
        found: dict[int, list[Segment]] = {}
        for entry in self._directory.iterdir():
            if entry.name.isdecimal() and int(entry.name) in stream_ids:
                found[int(entry.name)] = sorted(_scan(entry), key=lambda segment: segment.generation)
            else:
                shutil.rmtree(entry, ignore_errors=True)
        return found

    def write(
        self, stream_id: int, generation: int, table: arrow.Table, columns: Mapping[str, ColumnType]
    ) -> Segment:
        """Write the rows of one generation; only a whole file gets the name that readers see.

        Raises:
            OSError: the disk refused; nothing is left behind.
        """
        shape = self._directory / str(stream_id) / _shape_of(columns)
        shape.mkdir(parents=True, exist_ok=True)
        first, last = arrow.time_range(table)
        path = shape / f"{generation:012}-{first}-{last}-{table.num_rows}.parquet"
        fresh = path.with_suffix(".unfinished")
        try:
            arrow.write_parquet(arrow.with_constant(table, GENERATION, generation), fresh)
            _sync(fresh)
            publish(fresh, path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        return Segment(path, generation, first, last, table.num_rows, path.stat().st_size, generation)

    def columns(self, segment: Segment) -> dict[str, ColumnType]:
        """The columns of a segment's shape, `#segment` among them."""
        if segment.shape not in self._columns:
            self._columns[segment.shape] = arrow.parquet_columns(segment.path)
        return self._columns[segment.shape]

    def remove(self, stream_id: int) -> None:
        """Remove every segment of a stream."""
        shutil.rmtree(self._directory / str(stream_id), ignore_errors=True)


@attrs.frozen
class Merge:
    """One file that takes the place of several; nobody sees it before it is published.

    Attributes:
        fresh: where it lies until then.
        segment: what it will be.
    """

    fresh: Path
    segment: Segment

    @classmethod
    def prepare(cls, run: Sequence[Segment]) -> "Merge":
        """Write the rows of segments with the same columns to a new file.

        Raises:
            OSError: the disk refused; nothing is left behind.
        """
        ends = run[-1].generation, min(each.first for each in run), max(each.last for each in run)
        rows = sum(each.rows for each in run)
        path = run[0].shape / f"{ends[0]:012}-{ends[1]}-{ends[2]}-{rows}-{run[0].since}.parquet"
        fresh = path.with_suffix(".unfinished")
        try:
            arrow.write_parquet(arrow.joined([arrow.read_parquet(each.path) for each in run]), fresh)
            _sync(fresh)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        return cls(fresh, Segment(path, *ends, rows, fresh.stat().st_size, run[0].since))

    def publish(self, run: Sequence[Segment]) -> Segment:
        """Take the place of `run`; a crash on the way leaves a name that says what it replaces.

        Raises:
            OSError: the disk refused; the old files are still there.
        """
        publish(self.fresh, self.segment.path)
        for each in run:
            each.path.unlink(missing_ok=True)
        return self.segment

    def discard(self) -> None:
        """Leave nothing behind if it was not published."""
        self.fresh.unlink(missing_ok=True)


def _scan(directory: Path) -> Iterator[Segment]:
    found = [segment for path in sorted(directory.glob("*/*")) if (segment := _segment_at(path)) is not None]
    for segment in found:
        if any(_replaces(other, segment) for other in found):
            segment.path.unlink()
        else:
            yield segment


def _segment_at(path: Path) -> Segment | None:
    named = _NAME.fullmatch(path.name)
    if named is None:
        path.unlink()
        return None
    generation, first, last, rows = (int(part) for part in named.groups()[:4])
    since = int(named[5]) if named[5] else generation
    return Segment(path, generation, first, last, rows, path.stat().st_size, since)


def _replaces(merged: Segment, segment: Segment) -> bool:
    """Whether a file that a crash left behind is part of a merged one."""
    within = merged.since <= segment.since and segment.generation <= merged.generation
    return (
        merged.path != segment.path
        and merged.shape == segment.shape
        and within
        and merged.since < merged.generation
    )


def _shape_of(columns: Mapping[str, ColumnType]) -> str:
    text = "\n".join(f"{name}\0{column}" for name, column in columns.items())
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
