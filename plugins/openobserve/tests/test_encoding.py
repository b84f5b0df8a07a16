"""From a row to JSON."""

import json
from typing import Any

import pytest
from cqrs_openobserve.encoding import LONGEST_TEXT, as_text, encode


@pytest.mark.parametrize(
    ("row", "wire"),
    [
        ({"duration_ms": 1}, {"duration_ms": 1.0}),
        ({"duration_ms": float("nan")}, {}),
        ({"duration_ms": float("inf")}, {}),
        ({"duration_ms": "fast"}, {}),
        ({"duration_ms": True}, {}),
        ({"retry_count": 2.0}, {}),
        ({"retry_count": True}, {}),
        ({"retry_count": 2**63}, {}),
        ({"sampled": 1}, {}),
        ({"sampled": False}, {"sampled": False}),
        ({"message": b"bytes"}, {}),
        ({"message": None}, {}),
        ({"message": "a\ud800b\x00"}, {"message": "a?b\x00"}),
        ({"message": "x" * 10_000}, {"message": "x" * LONGEST_TEXT}),
        ({"no_column": "x"}, {}),
    ],
)
def test_a_value_has_its_columns_type_or_is_left_out(row: dict[str, object], wire: dict[str, Any]) -> None:
    """No value is coerced into another meaning."""
    assert json.loads(encode(row)) == wire


def test_an_integer_in_a_float_column_is_written_as_a_float() -> None:
    """The first value decides a column's type on the server."""
    assert encode({"duration_ms": 3}) == b'{"duration_ms":3.0}'


def test_a_liar_is_no_text() -> None:
    """An object that claims to be a str is left out; a real subclass is a text."""

    class Liar:
        __class__ = str  # type: ignore[assignment]  # the lie

    class Loud(str):
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            raise RuntimeError

        def isascii(self) -> bool:
            raise RuntimeError

    assert as_text(Liar()) is None
    assert as_text(Loud("quiet")) == "quiet"
