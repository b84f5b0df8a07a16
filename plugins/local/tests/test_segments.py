"""Parquet segments on disk."""

import errno
import os
from pathlib import Path

import pytest
from cqrs_local import arrow
from cqrs_local.column_types import ColumnType
from cqrs_local.segments import GENERATION, Segments

COLUMNS = {"_timestamp": ColumnType.INT64, "a": ColumnType.INT64}
TABLE = arrow.table_of([{"_timestamp": 5, "a": 1}, {"_timestamp": -3, "a": 2}], COLUMNS)


def test_a_segment_is_found_again_by_its_name(tmp_path: Path) -> None:
    """Generation, times and rows are in the name: nothing needs to be opened at a start."""
    written = Segments(tmp_path).write(1, 7, TABLE, COLUMNS)
    found = Segments(tmp_path).load(frozenset({1}))

    assert found == {1: [written]}
    assert (written.generation, written.first, written.last, written.rows) == (7, -3, 5, 2)
    assert Segments(tmp_path).columns(written) == {**COLUMNS, GENERATION: ColumnType.INT64}


def test_segments_with_other_columns_lie_elsewhere(tmp_path: Path) -> None:
    """The engine reads a directory as one table."""
    segments = Segments(tmp_path)
    first = segments.write(1, 1, TABLE, COLUMNS)
    wider = {**COLUMNS, "b": ColumnType.UTF8}
    second = segments.write(1, 2, arrow.conformed(TABLE, wider), wider)

    assert first.shape != second.shape


def test_what_no_stream_owns_and_what_is_unfinished_is_removed(tmp_path: Path) -> None:
    """A crash between two steps leaves such files; a start cleans up."""
    segments = Segments(tmp_path)
    kept = segments.write(1, 1, TABLE, COLUMNS)
    segments.write(2, 1, TABLE, COLUMNS)
    unfinished = kept.path.with_suffix(".unfinished")
    unfinished.touch()

    assert Segments(tmp_path).load(frozenset({1})) == {1: [kept]}
    assert not unfinished.exists()
    assert not (tmp_path / "2").exists()


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the segment nor a part of it."""

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Segments(tmp_path).write(1, 1, TABLE, COLUMNS)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
