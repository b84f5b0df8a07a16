"""What a restart makes of the logs of the last process."""

from pathlib import Path

import orjson
from cqrs_local import arrow
from cqrs_local.catalogue import Catalogue
from cqrs_local.column_types import ColumnType, Row
from cqrs_local.recovery import recover
from cqrs_local.segments import Segments
from cqrs_local.wal import Wal, encode_header

COLUMNS = {"_timestamp": ColumnType.INT64, "n": ColumnType.INT64}
ROWS: list[Row] = [{"_timestamp": 1, "n": 1}]


def log(directory: Path, number: int, *entries: tuple[object, ...]) -> Path:
    """A log with entries of (stream id, name, rows)."""
    wal = Wal(directory / f"{number:012}.wal", number)
    for stream_id, name, rows in entries:
        wal.append(orjson.dumps((stream_id, "default", "logs", name, 5, rows)))
    wal.close()
    return wal.path


def places(tmp_path: Path) -> tuple[Path, Segments]:
    (tmp_path / "wal").mkdir()
    (tmp_path / "segments").mkdir()
    return tmp_path / "wal", Segments(tmp_path / "segments")


def test_logs_are_replayed_in_order(tmp_path: Path) -> None:
    """Each is a generation; the catalogue learns the streams and the widest columns."""
    logs, segments = places(tmp_path)
    log(logs, 2, (1, "s", ROWS))
    log(logs, 3, (1, "s", [{"_timestamp": 2, "n": "text"}]), (2, "t", ROWS))
    catalogue = Catalogue()
    found = recover(logs, catalogue, segments, 0.0)

    assert [(generation.number, generation.rows) for generation in found.generations] == [(2, 1), (3, 2)]
    assert found.next_number == 4
    assert [stream.name for stream in catalogue.streams()] == ["s", "t"]
    assert catalogue.get(1).columns["n"] is ColumnType.UTF8


def test_rows_that_a_segment_holds_are_skipped(tmp_path: Path) -> None:
    """By generation and stream: the other stream of the same log is replayed."""
    logs, segments = places(tmp_path)
    catalogue = Catalogue()
    stream = catalogue.create(("default", "logs", "s"), 5)
    segments.write(stream.id, 2, arrow.table_of(ROWS, COLUMNS), COLUMNS)
    log(logs, 2, (stream.id, "s", ROWS), (2, "t", ROWS))
    found = recover(logs, catalogue, segments, 0.0)

    assert list(found.generations[0].buffers) == [2]
    assert [segment.rows for segment in found.segments[stream.id]] == [1]


def test_logs_without_rows_are_removed(tmp_path: Path) -> None:
    """Empty ones, and one whose header was never whole."""
    logs, segments = places(tmp_path)
    empty = log(logs, 4)
    torn = logs / f"{5:012}.wal"
    torn.write_bytes(encode_header(5)[:7])
    found = recover(logs, Catalogue(), segments, 0.0)

    assert not empty.exists()
    assert not torn.exists()
    assert (found.generations, found.next_number) == ([], 6)


def test_rows_of_a_deleted_stream_stay_deleted(tmp_path: Path) -> None:
    """Its id has passed."""
    logs, segments = places(tmp_path)
    catalogue = Catalogue()
    catalogue.remove(catalogue.create(("default", "logs", "s"), 5))
    log(logs, 2, (1, "s", ROWS))
    found = recover(logs, catalogue, segments, 0.0)

    assert found.generations[0].rows == 0
    assert list(catalogue.streams()) == []
