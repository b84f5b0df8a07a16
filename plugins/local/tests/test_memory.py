"""Rows in memory."""

from pathlib import Path

from cqrs_local.column_types import ColumnType
from cqrs_local.memory import CHUNK_ROWS, Buffer, Generation

INT = {"_timestamp": ColumnType.INT64, "a": ColumnType.INT64}
TEXT = {"_timestamp": ColumnType.INT64, "a": ColumnType.UTF8, "b": ColumnType.BOOLEAN}


def values(buffer: Buffer, columns: dict[str, ColumnType], name: str) -> list[object]:
    return list(buffer.table(columns).column(name).to_pylist())


def test_rows_keep_their_order_over_many_chunks() -> None:
    """Also when somebody looks after every row, which makes a chunk of each."""
    buffer = Buffer(INT)
    for at in range(300):
        buffer.append([{"_timestamp": at, "a": at}], INT)
        buffer.table(INT)
    buffer.append([{"_timestamp": 0, "a": at} for at in range(300, 300 + 2 * CHUNK_ROWS)], INT)

    assert values(buffer, INT, "a") == list(range(300 + 2 * CHUNK_ROWS))
    assert buffer.rows == 300 + 2 * CHUNK_ROWS


def test_wider_columns_change_what_is_there() -> None:
    """Rows before and after a widening look alike."""
    buffer = Buffer(INT)
    buffer.append([{"_timestamp": 1, "a": 1}], INT)
    buffer.table(INT)
    buffer.append([{"_timestamp": 2, "a": 2}], INT)
    buffer.append([{"_timestamp": 3, "a": "x", "b": True}], TEXT)

    assert values(buffer, TEXT, "a") == ["1", "2", "x"]
    assert values(buffer, TEXT, "b") == [None, None, True]


def test_a_table_that_was_given_away_does_not_change() -> None:
    """A query that runs does not see rows that come meanwhile."""
    buffer = Buffer(INT)
    buffer.append([{"_timestamp": 1, "a": 1}], INT)
    table = buffer.table(INT)
    buffer.append([{"_timestamp": 2, "a": 2}], INT)
    buffer.table(INT)

    assert table.num_rows == 1


def test_a_generation_counts_the_rows_it_holds(tmp_path: Path) -> None:
    """Dropping a stream takes its rows off, dropping an unknown one nothing."""
    generation = Generation(1, tmp_path / "1.wal", 0.0, None)
    generation.append(1, [{"_timestamp": 1}] * 3, INT)
    generation.append(2, [{"_timestamp": 1}], INT)
    generation.drop(1)
    generation.drop(9)

    assert generation.rows == 1
