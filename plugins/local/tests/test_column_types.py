"""How columns widen."""

import pytest
from cqrs_local.column_types import ColumnType, Row, Scalar, text_of, widen, widened

INT, UINT, FLOAT, BOOL, TEXT = (
    ColumnType.INT64, ColumnType.UINT64, ColumnType.FLOAT64, ColumnType.BOOLEAN, ColumnType.UTF8,
)  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "after"),
    [
        (None, 1, INT), (None, 1.0, FLOAT), (None, True, BOOL), (None, "a", TEXT),
        (INT, 1, INT), (INT, 1.5, FLOAT), (INT, "a", TEXT), (INT, True, TEXT),
        (FLOAT, 1, FLOAT), (FLOAT, "a", TEXT), (FLOAT, False, TEXT),
        (BOOL, True, BOOL), (BOOL, 1, TEXT), (BOOL, "a", TEXT),
        (TEXT, 1, TEXT), (TEXT, True, TEXT), (TEXT, 1.5, TEXT),
        (UINT, 1, UINT), (UINT, -1, FLOAT), (UINT, 1.5, FLOAT), (UINT, "a", TEXT),
    ],
)  # fmt: skip
def test_a_column_widens_to_what_holds_both(
    column: ColumnType | None, value: Scalar, after: ColumnType
) -> None:
    """Int64 to Float64 to Utf8, Boolean to Utf8, never back."""
    assert widen(column, value) is after


def test_only_changes_are_told() -> None:
    """Columns that hold what they are given are left out, new and wider ones are in."""
    rows: list[Row] = [{"a": 1, "b": 1.5, "c": "x"}, {"a": 2.5, "d": True}]

    assert widened({"a": INT, "b": FLOAT}, rows) == {"a": FLOAT, "c": TEXT, "d": BOOL}


def test_a_stray_value_in_the_middle_widens_once() -> None:
    """What follows a stray value does not narrow the column again."""
    assert widened({"a": INT}, [{"a": 1}, {"a": "x"}, {"a": 2}]) == {"a": TEXT}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (9.5, "9.5"),
        (1e21, "1000000000000000000000"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        ("x", "x"),
        (-0.5, "-0.5"),
    ],
)
def test_a_value_in_a_text_column_looks_as_on_the_server(value: Scalar, text: str) -> None:
    """No trailing `.0`, no exponent, truth in lower case."""
    assert text_of(value) == text
