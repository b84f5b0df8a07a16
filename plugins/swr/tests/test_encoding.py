import dataclasses
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from cqrs_swr.encoding import Unkeyable, encode, every_field, fields_of


class Colour(Enum):
    """An enumeration."""

    RED = 1
    BLUE = 2


class Shade(Enum):
    """Another with the same members."""

    RED = 1


@attrs.frozen
class Point:
    """A class with fields."""

    x: Any
    y: Any = 0


@dataclasses.dataclass(frozen=True)
class Spot:
    """A dataclass with the same fields."""

    x: Any
    y: Any = 0


ALL_DIFFERENT: list[Any] = [
    None, False, True, 0, 1, 2, -1, 2**63, 2**64, -(2**63) - 1, 10**50, 0.0, 1.0, 1.5, float("inf"), float("-inf"),
    float("nan"), "", "0", "1", "None", "true", "a", "b", "ab", "é", "\ud800", "a\0b", b"", b"1", b"a",
    Decimal(0), Decimal(1), Decimal("1.5"), Decimal("NaN"), Decimal("Infinity"),
    UUID(int=1), UUID(int=2), date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), time(1, 2), timedelta(1), timedelta(0, 1),
    Colour.RED, Colour.BLUE, Shade.RED, (), (1,), (1, 2), (2, 1), ((1,), 2), (1, (2,)), ("a", "b"), ("a:b",), ("ab", ""),
    [], [1], [1, 2], set(), {1}, frozenset(), frozenset({1}), {}, {1: 2}, {2: 1}, {"1": 2}, {1: "2"},
    Point(1), Point(1, 1), Point((1, 0)), Spot(1), Point(Point(1)),
]  # fmt: skip


def test_values_that_differ_in_value_or_type_have_different_encodings() -> None:
    """No two of them would share a key: not 1 and True, not ("a", "b") and ("a:b",)."""
    encodings = [encode(value) for value in ALL_DIFFERENT]

    assert len(set(encodings)) == len(ALL_DIFFERENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, -0.0),
        (Decimal("1.0"), Decimal("1.00")),
        (Decimal(100), Decimal("1E+2")),
        (Decimal(0), Decimal("-0.000")),
        (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))),
        ({1: 2, 3: 4}, {3: 4, 1: 2}),
        ({"b", "a", "c"}, {"c", "b", "a"}),
        (("x" * 3, "xxx"), ("xxx", "x" * 3)),
        (Point((1, "a")), Point((1, "a"))),
    ],
)
def test_values_that_are_equal_have_one_encoding(one: Any, other: Any) -> None:
    """Spelling, order of sets and mappings and identity do not count."""
    assert one == other
    assert encode(one) == encode(other)


class Stranger:
    """A class that says nothing of what it is made of."""


class Text(str):
    """A text that may mean something else."""

    __slots__ = ()


def cyclic() -> list[Any]:
    """A list that holds itself."""
    held: list[Any] = []
    held.append(held)
    return held


@pytest.mark.parametrize(
    "value",
    [
        Stranger(),
        Text("a"),
        datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        object(),
        len,
        iter(()),
        (1, [Stranger()]),
        {"a": Stranger()},
        cyclic(),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    """It is said, deep down as well: no address and no `repr` gets into a key."""
    with pytest.raises(Unkeyable):
        encode(value)


@attrs.frozen
class Asked:
    """Two fields, of which one does not make a difference."""

    order: int
    trace: str = attrs.field(eq=False)


@dataclasses.dataclass(frozen=True)
class AskedToo:
    """The same as a dataclass."""

    order: int
    trace: str = dataclasses.field(compare=False)


class Struct(msgspec.Struct, frozen=True):
    """A class of msgspec."""

    order: int


class Model(pydantic.BaseModel):
    """A class of pydantic."""

    order: int


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (Asked, ("order",)),
        (AskedToo, ("order",)),
        (Struct, ("order",)),
        (Model, ("order",)),
        (Stranger, None),
    ],
)
def test_the_fields_are_those_that_make_instances_equal(cls: type, names: Any) -> None:
    """A field that is left out of equality is left out of keys."""
    assert fields_of(cls) == names


@pytest.mark.parametrize(
    ("cls", "names"), [(Asked, ("order", "trace")), (AskedToo, ("order", "trace")), (Struct, ("order",))]
)
def test_every_field_counts_for_what_a_value_is_made_of(cls: type, names: Any) -> None:
    """What is written has all of them."""
    assert every_field(cls) == names


def test_the_encoding_does_not_depend_on_the_process() -> None:
    """Three processes with other hash seeds encode sets and mappings alike."""
    code = "from cqrs_swr.encoding import encode; print(encode(({'a', 'b', 'c'}, {'x': 1, 'y': 2})).hex())"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }

    assert printed == {encode(({"a", "b", "c"}, {"x": 1, "y": 2})).hex() + "\n"}
