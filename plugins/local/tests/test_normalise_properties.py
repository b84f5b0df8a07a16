"""Names and flattening, for any record."""

import pytest
from cqrs_local import normalise
from cqrs_local.normalise import FLATTEN_DEPTH, field_name, flatten, stream_name
from hypothesis import given
from hypothesis import strategies as st

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text()
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=20,
)
RECORDS = st.dictionaries(st.text(max_size=8), JSON, max_size=6)


@given(RECORDS)
def test_a_row_holds_scalars_that_a_column_can_hold(record: dict[str, object]) -> None:
    """Whatever comes in, a row is flat, without nulls, its integers fit into 64 bits, its names are normal."""
    for name, value in flatten(record, nesting=127).items():
        assert type(value) in (str, int, float, bool)
        assert not isinstance(value, int) or -(2**63) <= value < 2**63
        assert name == field_name(name)


@given(RECORDS)
def test_flattening_again_changes_nothing(record: dict[str, object]) -> None:
    """A flat row is its own flat row."""
    row = flatten(record, nesting=127)

    assert flatten(row, nesting=127) == row


@given(st.text())
def test_a_normal_name_stays(raw: str) -> None:
    """Normalising twice is normalising once."""
    assert stream_name(stream_name(raw)) == stream_name(raw)
    assert field_name(field_name(raw)) == field_name(raw)


@given(st.text())
def test_no_stream_name_leaves_its_place(raw: str) -> None:
    """No name holds a character that means something in a path."""
    assert not set(stream_name(raw)) & set("/\\.\0%~")


@given(st.lists(st.text(alphabet="abc", min_size=1), min_size=1, max_size=8))
def test_no_column_name_is_deeper_than_the_limit(path: list[str]) -> None:
    """However deep a value lies, its column has at most as many parts as levels are flattened."""
    record: object = 1
    for key in reversed(path):
        record = {key: record}

    (name,) = flatten(record, nesting=127)  # type: ignore[arg-type]  # a path of one or more keys is an object

    assert name == "_".join(path[:FLATTEN_DEPTH])


@given(st.dictionaries(st.sampled_from(["a", "A", "b.c", "b_c", "d"]), SCALARS, max_size=5))
def test_a_remembered_form_changes_nothing(record: dict[str, object]) -> None:
    """Records of scalars take a short way; it leads to the same row in the same order."""
    short = flatten(record, nesting=127)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(normalise, "_REMEMBERED_KEYS", -1)
        long = flatten(record, nesting=127)

    assert list(short.items()) == list(long.items())
    assert [type(value) for value in short.values()] == [type(value) for value in long.values()]
