"""Rows that no segment holds yet, kept as Arrow columns a chunk at a time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cqrs_local import arrow
from cqrs_local.column_types import ColumnType, Row
from cqrs_local.wal import Wal

CHUNK_ROWS: Final = 2048
_MOST_CHUNKS: Final = 64


class Buffer:
    """The rows of one stream in one generation.

    Rows come with the stream's columns, a mapping that is replaced, never changed, when a column is
    added or widened: another mapping brings what is here already under the new columns.
    """

    def __init__(self, columns: Mapping[str, ColumnType]) -> None:
        """Start empty."""
        self.rows = 0
        self._columns = columns
        self._pending: list[Row] = []
        self._chunks: list[arrow.Table] = []

    def append(self, rows: Sequence[Row], columns: Mapping[str, ColumnType]) -> None:
        """Take rows whose values fit `columns`."""
        self._adopt(columns)
        self._pending.extend(rows)
        self.rows += len(rows)
        if len(self._pending) >= CHUNK_ROWS:
            self._seal()

    def table(self, columns: Mapping[str, ColumnType]) -> arrow.Table:
        """All rows as one table with `columns`."""
        self._adopt(columns)
        self._seal()
        if len(self._chunks) > _MOST_CHUNKS:
            self._chunks = [arrow.merged(self._chunks)]
        return arrow.joined(self._chunks)

    def _adopt(self, columns: Mapping[str, ColumnType]) -> None:
        if columns is not self._columns:
            self._seal()
            self._chunks = [arrow.conformed(chunk, columns) for chunk in self._chunks]
            self._columns = columns

    def _seal(self) -> None:
        if self._pending or not self._chunks:
            self._chunks.append(arrow.table_of(self._pending, self._columns))
            self._pending = []


class Generation:
    """What one log holds, in memory: frozen and written to segments as a whole."""

    def __init__(self, number: int, log: Path, opened_at: float, wal: Wal | None) -> None:
        """Start empty.

        Args:
            number: also the number of its log and of its segments.
            log: the file of the log.
            opened_at: monotonic seconds.
            wal: the log if this process opened it, None if it was found at the start.
        """
        self.number = number
        self.log = log
        self.opened_at = opened_at
        self.wal = wal
        self.rows = 0
        self.buffers: dict[int, Buffer] = {}

    def append(self, stream_id: int, rows: Sequence[Row], columns: Mapping[str, ColumnType]) -> None:
        """Take rows of one stream."""
        buffer = self.buffers.setdefault(stream_id, Buffer(columns))
        buffer.append(rows, columns)
        self.rows += len(rows)

    def drop(self, stream_id: int) -> None:
        """Forget the rows of a deleted stream."""
        dropped = self.buffers.pop(stream_id, None)
        self.rows -= dropped.rows if dropped is not None else 0
