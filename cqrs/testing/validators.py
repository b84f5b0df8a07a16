"""What attrs validators allow, as strategies: without it `ge(1)` would be found by throwing away most draws."""

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, cast

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Validator = Callable[[object, "attrs.Attribute[object]", object], object]
Bounds = list[tuple[object, float]]

_LEAST: Final = (operator.ge, operator.gt)
_MOST: Final = (operator.le, operator.lt)
_OPEN: Final = (operator.gt, operator.lt)


def narrowed(
    strategy: SearchStrategy[object] | None, hint: object, attribute: "attrs.Attribute[object]"
) -> SearchStrategy[object] | None:
    """Draw only what a field's validators allow.

    Args:
        strategy: draws the field's type; None if nothing is known of it.
        hint: the field's type.
        attribute: the field.
    """
    validator = cast("Validator", attribute.validator)
    known = (_choice(validator), _number(hint, validator), _sized(hint, validator), strategy)
    found = next((each for each in known if each is not None), None)
    return None if found is None else found.filter(lambda value: _allows(validator, attribute, value))


def _allows(validator: Validator, attribute: "attrs.Attribute[object]", value: object) -> bool:
    try:
        validator(None, attribute, value)
    except (ValueError, TypeError):
        return False
    except (
        AttributeError
    ):  # it looks at other fields of the instance, which is not there yet; the class will ask again
        return True
    return True


def _flat(validator: Validator) -> Iterator[Validator]:
    # attrs keeps the classes of its validators to itself, but not what they hold; what is not known here is filtered.
    inner = cast("Iterable[Validator] | None", getattr(validator, "_validators", None))
    if inner is None:
        yield validator
    for each in inner or ():
        yield from _flat(each)


def _choice(validator: Validator) -> SearchStrategy[object] | None:
    for each in _flat(validator):
        kind = type(each).__name__
        if kind == "_InValidator":
            return st.sampled_from(list(cast("Iterable[object]", getattr(each, "options", ()))))
        if kind == "_OptionalValidator":
            chosen = _choice(cast("Validator", getattr(each, "validator", each)))
            return None if chosen is None else st.none() | chosen
        if kind == "_MatchesReValidator":
            pattern = cast("re.Pattern[str]", getattr(each, "pattern", None))
            whole = bool(getattr(each, "match_func", None) == pattern.fullmatch)
            return st.from_regex(pattern, fullmatch=whole)
    return None


def _number(hint: object, validator: Validator) -> SearchStrategy[object] | None:
    least, most = _bounds(validator, _LEAST), _bounds(validator, _MOST)
    if hint is int and (least or most):
        low = max((_whole(math.floor, compare, bound, 1) for compare, bound in least), default=None)
        high = min((_whole(math.ceil, compare, bound, -1) for compare, bound in most), default=None)
        return st.integers(low, high)
    if hint is float and (least or most):
        # A bound that is itself forbidden is left to the filter: it is one float of many.
        low_float = max((bound for _, bound in least), default=None)
        return st.floats(low_float, min((bound for _, bound in most), default=None), allow_nan=False)
    return None


def _whole(rounded: Callable[[float], int], compare: object, bound: float, step: int) -> int:
    # The first whole number inside: x >= 0.5 and x > 0 both begin at 1.
    inner = rounded(bound)
    return inner + step if compare in _OPEN or inner != bound else inner


def _bounds(validator: Validator, comparisons: tuple[object, ...]) -> Bounds:
    found = [(getattr(v, "compare_func", None), getattr(v, "bound", None)) for v in _flat(validator)]
    return [
        (compare, bound)
        for compare, bound in found
        if compare in comparisons and isinstance(bound, int | float)
    ]


def _sized(hint: object, validator: Validator) -> SearchStrategy[object] | None:
    least = max(_lengths(validator, "min_length"), default=0)
    most = min(_lengths(validator, "max_length"), default=None)
    if not least and most is None:
        return None
    if hint is str:
        return st.text(min_size=least, max_size=most)
    return st.binary(min_size=least, max_size=most) if hint is bytes else None


def _lengths(validator: Validator, name: str) -> list[int]:
    return [length for v in _flat(validator) if isinstance(length := getattr(v, name, None), int)]
