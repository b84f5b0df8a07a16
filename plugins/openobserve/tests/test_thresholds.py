"""What an alert compares with."""

import pytest
from cqrs_openobserve.thresholds import Threshold, minutes_of, threshold
from hypothesis import given
from hypothesis import strategies as st

from cqrs.settings import Invalid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5", Threshold(1.5)),
        ("0", Threshold(0.0)),
        ("500", Threshold(500.0)),
        ("2x1d", Threshold(2.0, 1440)),
        ("0.5x6h", Threshold(0.5, 360)),
        ("1.25x45m", Threshold(1.25, 45)),
    ],
)
def test_a_limit_or_a_factor_with_a_span(text: str, expected: Threshold) -> None:
    """And its text is read back as the same."""
    parser = threshold(1000)
    assert parser.parse(text) == expected
    assert parser.parse(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1001", "up to 1000"),
        ("-1", "2x1d"),
        ("2x", "2x1d"),
        ("x1d", "2x1d"),
        ("1e3", "2x1d"),
        ("2x0d", "1m to 30d"),
        ("2x31d", "1m to 30d"),
        ("2x1w", "1m to 30d"),
        ("0x1d", "factor of 0"),
        ("many", "2x1d"),
        ("٣", "2x1d"),
    ],
)
def test_anything_else_is_refused_with_the_rule(text: str, says: str) -> None:
    """Also digits that are not ASCII."""
    with pytest.raises(Invalid, match=says):
        threshold(1000).parse(text)


def test_relative_is_said_in_code_as_in_a_setting() -> None:
    """A factor, and how long before."""
    assert Threshold.relative(to="1d", factor=2.0) == threshold(100).parse("2x1d")
    assert Threshold.relative(to="90m", factor=3).ago == "90m"
    assert Threshold.relative(to="120m", factor=3).ago == "2h"
    assert Threshold(5.0).ago == ""


@pytest.mark.parametrize(
    ("to", "factor"), [("1d", 0.0), ("1d", -1.0), ("1d", float("nan")), ("soon", 2.0), ("", 2.0)]
)
def test_nonsense_in_code_is_a_value_error(to: str, factor: float) -> None:
    """It is misuse, at import time of the module that says it."""
    with pytest.raises(ValueError, match=r"to=|factor="):
        Threshold.relative(to=to, factor=factor)


@given(st.integers(1, 30 * 1440))
def test_every_span_is_written_so_that_it_is_read_back(minutes: int) -> None:
    """In the largest unit that it is a whole number of, as far as four digits go."""
    ago = Threshold(2.0, minutes).ago
    if len(ago) <= 5:
        assert minutes_of(ago) == minutes
