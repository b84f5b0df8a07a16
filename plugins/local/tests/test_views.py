"""What a query sees of a stream."""

from pathlib import Path

from cqrs_local import arrow
from cqrs_local.catalogue import Catalogue
from cqrs_local.column_types import ColumnType
from cqrs_local.memory import Generation
from cqrs_local.segments import Segments
from cqrs_local.views import view_of

COLUMNS = {"_timestamp": ColumnType.INT64}
WIDER = {**COLUMNS, "a": ColumnType.UTF8}


def test_a_view_divides_rows_between_memory_and_segments(tmp_path: Path) -> None:
    """Generations that memory holds are memory's, whatever a flush puts on disk meanwhile."""
    stream = Catalogue().create(("default", "logs", "s"), 1)
    held, fresh = (Generation(number, tmp_path / "x", 0.0, None) for number in (5, 6))
    held.append(stream.id, [{"_timestamp": 1}], stream.columns)

    assert view_of(stream, [], [held, fresh], Segments(tmp_path)).before == 5
    assert view_of(stream, [], [fresh], Segments(tmp_path)).before == 6
    assert [table.num_rows for table in view_of(stream, [], [held, fresh], Segments(tmp_path)).memory] == [1]


def test_segments_are_grouped_by_their_columns(tmp_path: Path) -> None:
    """Each group knows whether any of it overlaps a time range."""
    stream = Catalogue().create(("default", "logs", "s"), 1)
    segments = Segments(tmp_path)
    listed = [
        segments.write(stream.id, number, arrow.table_of([{"_timestamp": number * 10}], columns), columns)
        for number, columns in ((1, COLUMNS), (2, COLUMNS), (3, WIDER))
    ]
    active = Generation(9, tmp_path / "x", 0.0, None)
    shapes = view_of(stream, listed, [active], segments).shapes

    assert [len(shape.segments) for shape in shapes] == [2, 1]
    assert [shape.overlaps(15, 20) for shape in shapes] == [False, False]
    assert [shape.overlaps(20, 21) for shape in shapes] == [True, False]
    assert [shape.overlaps(0, 31) for shape in shapes] == [True, True]


def test_a_view_does_not_follow_the_stream(tmp_path: Path) -> None:
    """Columns and text fields are those of the moment."""
    stream = Catalogue().create(("default", "logs", "s"), 1)
    stream.settings["full_text_search_keys"] = ["a"]
    view = view_of(stream, [], [Generation(1, tmp_path / "x", 0.0, None)], Segments(tmp_path))
    stream.columns = WIDER

    assert (dict(view.columns), list(view.text_fields)) == (COLUMNS, ["a"])
