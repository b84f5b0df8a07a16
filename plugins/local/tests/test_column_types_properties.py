"""How columns widen, for any rows."""

from cqrs_local.column_types import ColumnType, Row, widen, widened
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.one_of(st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.text(max_size=2))
ROWS = st.lists(st.dictionaries(NAMES, VALUES), max_size=8)


@given(st.dictionaries(NAMES, st.sampled_from(ColumnType)), ROWS)
def test_rows_widen_as_their_values_do_one_by_one(columns: dict[str, ColumnType], rows: list[Row]) -> None:
    """That rows of the same form are looked at once changes neither a type nor the order of new columns."""
    one_by_one = dict(columns)
    for row in rows:
        for name, value in row.items():
            one_by_one[name] = widen(one_by_one.get(name), value)

    changed = widened(columns, rows)

    assert list({**columns, **changed}.items()) == list(one_by_one.items())
    assert all(columns.get(name) is not column for name, column in changed.items())
