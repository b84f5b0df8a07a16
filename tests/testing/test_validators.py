"""What attrs validators allow, without throwing draws away."""

from typing import Any

import attrs
import pytest
from attrs import validators as v
from hypothesis import find, given, settings
from hypothesis import strategies as st

from cqrs.testing.validators import narrowed

DRAWS = settings(max_examples=100, deadline=None, database=None, derandomize=True)


def strategy(hint: type, validator: Any) -> st.SearchStrategy[Any]:
    cls = attrs.make_class("C", {"x": attrs.field(validator=validator)})
    found = narrowed(st.from_type(hint), hint, attrs.fields(cls).x)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("hint", "validator", "least", "most"),
    [
        (int, v.ge(10**9), 10**9, None),
        (int, [v.gt(3), v.le(5)], 4, 5),
        (int, [v.gt(0.5), v.lt(2.5)], 1, 2),
        (int, [v.ge(-0.5), v.le(0.5)], 0, 0),
        (float, [v.gt(1e9), v.lt(1e9 + 1)], 1e9, 1e9 + 1),
    ],
)
def test_numbers_lie_within_bounds(hint: type, validator: Any, least: float, most: float | None) -> None:
    """A narrow range far away from nothing is drawn at once."""

    @DRAWS
    @given(strategy(hint, validator))
    def check(number: float) -> None:
        assert number >= least
        assert most is None or number <= most

    check()


def test_the_ends_of_a_range_are_drawn() -> None:
    """Bounds are where mistakes are."""
    between = strategy(int, [v.gt(3), v.le(5)])

    assert find(between, lambda number: number == 4, settings=DRAWS) == 4
    assert find(between, lambda number: number == 5, settings=DRAWS) == 5


@pytest.mark.parametrize("hint", [str, bytes])
def test_lengths_are_kept(hint: type) -> None:
    """Text and bytes of a length that chance would not find."""

    @DRAWS
    @given(strategy(hint, v.and_(v.min_len(30), v.max_len(31))))
    def check(value: Any) -> None:
        assert len(value) in {30, 31}

    check()


def test_what_is_not_known_is_filtered() -> None:
    """A validator of the user's own decides for itself; one that needs its instance is asked again by the class."""

    def even(_instance: object, _attribute: object, value: int) -> None:
        if value % 2:
            raise ValueError(value)

    def fits_the_rest(instance: Any, _attribute: object, value: int) -> None:
        if instance.other < value:
            raise ValueError(value)

    @DRAWS
    @given(strategy(int, [even, fits_the_rest]))
    def check(number: int) -> None:
        assert number % 2 == 0

    check()


def test_nothing_is_drawn_where_nothing_is_known() -> None:
    """Without a strategy for the type there is none for its validators."""
    cls = attrs.make_class("C", {"x": attrs.field(validator=v.instance_of(object))})

    assert narrowed(None, object, attrs.fields(cls).x) is None
