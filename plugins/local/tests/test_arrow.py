"""Rows to columns and back."""

from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path

import pytest
from cqrs_local import arrow
from cqrs_local.column_types import ColumnType, Row

COLUMNS = {
    "_timestamp": ColumnType.INT64,
    "a": ColumnType.FLOAT64,
    "b": ColumnType.UTF8,
    "c": ColumnType.BOOLEAN,
}
ROWS: list[Row] = [{"_timestamp": 2, "a": 1, "b": 1.0}, {"_timestamp": 1, "b": True, "c": False}]


def rows(table: arrow.Table) -> list[dict[str, object]]:
    return table.to_pylist()  # type: ignore[attr-defined, no-any-return]  # the protocol names what the package uses


def test_values_are_made_to_fit_their_column() -> None:
    """An integer in a number column is a number, anything in a text column is text, what is missing is null."""
    assert rows(arrow.table_of(ROWS, COLUMNS)) == [
        {"_timestamp": 2, "a": 1.0, "b": "1", "c": None},
        {"_timestamp": 1, "a": None, "b": "true", "c": False},
    ]


def test_an_integer_that_no_float_is_equal_to_is_rounded() -> None:
    """As the server does, instead of failing the rows beside it."""
    table = arrow.table_of(
        [{"_timestamp": 1, "a": 2**53 + 1}], {name: COLUMNS[name] for name in ("_timestamp", "a")}
    )

    assert rows(table) == [{"_timestamp": 1, "a": float(2**53)}]


def test_only_what_repeats_gets_a_dictionary(tmp_path: Path) -> None:
    """A dictionary of ids costs half of the writing and makes the file larger."""
    columns = {"_timestamp": ColumnType.INT64, "id": ColumnType.UTF8, "outcome": ColumnType.UTF8}
    given: list[Row] = [{"_timestamp": at, "id": f"{at:032x}", "outcome": "ok"} for at in range(3000)]
    arrow.write_parquet(arrow.table_of(given, columns), tmp_path / "a.parquet")
    group = arrow._pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)

    assert [group.column(at).has_dictionary_page for at in range(3)] == [False, False, True]


def test_rows_follow_newer_columns() -> None:
    """Widened columns are cast, new ones are null."""
    table = arrow.table_of(ROWS, COLUMNS)
    wider = arrow.conformed(table, {**COLUMNS, "a": ColumnType.UTF8, "d": ColumnType.INT64})

    assert [(row["a"], row["d"]) for row in rows(wider)] == [("1", None), (None, None)]


def test_a_parquet_file_keeps_rows_and_columns(tmp_path: Path) -> None:
    """Sorted by time, with the columns it was written with."""
    arrow.write_parquet(arrow.table_of(ROWS, COLUMNS), tmp_path / "a.parquet")

    assert arrow.parquet_columns(tmp_path / "a.parquet") == COLUMNS


def test_the_time_range_is_that_of_the_rows() -> None:
    """Whatever their order."""
    table = arrow.table_of(ROWS, COLUMNS)

    assert arrow.time_range(table) == (1, 2)
    assert [arrow.rows_between(table, *span) for span in ((1, 3), (2, 3), (1, 2), (5, 9))] == [2, 1, 1, 0]


def test_an_empty_table_has_one_empty_piece() -> None:
    """The engine wants to see the columns."""
    assert len(arrow.batches_of(arrow.table_of([], COLUMNS))) == 1


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (datetime(2026, 11, 23, 6, 45), "2026-11-23T06:45:00"),  # noqa: DTZ001 - as the engine gives it
        (datetime(2026, 11, 23, 6, 45, 0, 120_000, UTC), "2026-11-23T06:45:00.12Z"),
        (date(2026, 1, 2), "2026-01-02"),
        (time_of_day(1, 2), "01:02:00"),
        (timedelta(seconds=1.5), 1.5),
        (Decimal("1.5"), 1.5),
        (b"\x01\xff", "01ff"),
        ([1, {"a": date(2026, 1, 2)}], [1, {"a": "2026-01-02"}]),
        (object, str(object)),
    ],
)
def test_any_value_of_the_engine_becomes_json(value: object, json: object) -> None:
    """Times as the server writes them; nothing is left that JSON cannot hold."""

    class Batch:
        num_rows = 1

        def to_pylist(self) -> list[dict[str, object]]:
            return [{"v": value, "nothing": None}]

    assert arrow.json_rows(Batch()) == [{"v": json}]
