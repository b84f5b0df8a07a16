"""Writing a generation to segments."""

from pathlib import Path

from cqrs_local.catalogue import Catalogue, CatalogueFile
from cqrs_local.column_types import Row
from cqrs_local.flush import FlushJob, remove_log, run_flush
from cqrs_local.memory import Generation
from cqrs_local.segments import Segments
from cqrs_local.wal import Wal

ROWS: list[Row] = [{"_timestamp": 1}]


def generation_of(tmp_path: Path, catalogue: Catalogue, names: str) -> Generation:
    """A generation with a row for each stream."""
    wal = Wal(tmp_path / "7.wal", 7)
    generation = Generation(7, wal.path, 0.0, wal)
    for name in names:
        stream = catalogue.create(("default", "logs", name), 1)
        generation.append(stream.id, ROWS, stream.columns)
    return generation


def test_each_stream_gets_a_segment_and_the_catalogue_is_saved_first(tmp_path: Path) -> None:
    """A segment of a stream that the catalogue does not know would be removed at a start."""
    catalogue = Catalogue()
    job = FlushJob.of(generation_of(tmp_path, catalogue, "ab"), catalogue, 1)
    result = run_flush(job, CatalogueFile(tmp_path), Segments(tmp_path / "segments"))

    assert result.error is None
    assert [(segment.generation, segment.rows) for segment in result.written.values()] == [(7, 1), (7, 1)]
    assert {stream.name for stream in CatalogueFile(tmp_path).load().streams()} == {"a", "b"}


def test_a_disk_that_refuses_stops_it_before_any_segment(tmp_path: Path) -> None:
    """The error is a value; what was written until then is told."""
    catalogue = Catalogue()
    job = FlushJob.of(generation_of(tmp_path, catalogue, "a"), catalogue, 1)
    result = run_flush(job, CatalogueFile(tmp_path / "missing"), Segments(tmp_path / "segments"))

    assert isinstance(result.error, FileNotFoundError)
    assert result.written == {}


def test_rows_of_a_deleted_stream_are_left_out(tmp_path: Path) -> None:
    """Nobody could read them."""
    catalogue = Catalogue()
    generation = generation_of(tmp_path, catalogue, "ab")
    catalogue.remove(next(iter(catalogue.streams())))

    assert len(FlushJob.of(generation, catalogue, 1).tables) == 1


def test_a_log_is_closed_and_removed(tmp_path: Path) -> None:
    """Once; a second time does no harm."""
    generation = generation_of(tmp_path, Catalogue(), "a")
    remove_log(generation)
    remove_log(generation)

    assert not generation.log.exists()
    assert generation.wal is None
