"""Every Python value has a wire form."""

import asyncio
import dataclasses
import json
import threading
import time
from collections import OrderedDict, deque, namedtuple
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, ClassVar
from uuid import UUID

import attrs
import pytest
from cqrs_openobserve.redaction import LONGEST_TEXT
from cqrs_openobserve.wire_forms import BROADEST, kept, name_of, text_of, tree_of

from cqrs.secret import Secret


class Colour(Enum):
    """An enumeration."""

    RED = "#f00"


class Rank(IntEnum):
    """Numbers with names."""

    FIRST = 1


@attrs.frozen
class Card:
    """A class of attrs with a secret and a hidden field."""

    sku: str
    password: str = "hunter2"
    hidden: int = attrs.field(default=3, repr=False)


@dataclasses.dataclass
class Line:
    """A dataclass without slots."""

    quantity: int = 1
    note: object = None


class Model:
    """As pydantic keeps its fields."""

    __pydantic_fields__: ClassVar = {"a": object(), "b": object()}

    def __init__(self) -> None:
        self.a = 1
        self.b = "two"


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - an untyped one is meant


@pytest.mark.parametrize(
    ("value", "tree", "text"),
    [
        (None, None, None),
        ("plain", "plain", "plain"),
        ("a\ud800\x00\u2028", "a?\x00\u2028", "a?\x00\u2028"),
        (True, True, "true"),
        (False, False, "false"),
        (7, 7, "7"),
        (2**63 - 1, 2**63 - 1, "9223372036854775807"),
        (2**63, "9223372036854775808", "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809", "-9223372036854775809"),
        (0.1, 0.1, "0.1"),
        (-0.0, -0.0, "-0.0"),
        (float("nan"), "NaN", "NaN"),
        (float("inf"), "Infinity", "Infinity"),
        (float("-inf"), "-Infinity", "-Infinity"),
        (1 + 2j, "(1+2j)", "(1+2j)"),
        (b"\xff\x00", "/wA=", "/wA="),
        (bytearray(b"ab"), "YWI=", "YWI="),
        (memoryview(b"ab"), "YWI=", "YWI="),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05", "2026-01-02T03:04:05"),  # noqa: DTZ001 - naive on purpose
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00", "2026-01-02T00:00:00+00:00"),
        (datetime.min, "0001-01-01T00:00:00", "0001-01-01T00:00:00"),  # noqa: DTZ901 - naive on purpose
        (datetime.max, "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),  # noqa: DTZ901 - naive on purpose
        (date(2026, 1, 2), "2026-01-02", "2026-01-02"),
        (timedelta(seconds=1.5), 1.5, "1.5"),
        (Decimal("1.00"), "1.00", "1.00"),
        (Fraction(1, 3), "1/3", "1/3"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "RED", "RED"),
        (Rank.FIRST, "FIRST", "FIRST"),
        (PurePosixPath("/a/b"), "/a/b", "/a/b"),
        (Secret("hunter2"), "<redacted>", "<redacted>"),
        ([1, (2, {3})], [1, [2, [3]]], "[1,[2,[3]]]"),
        (deque([1]), [1], "[1]"),
        (Pair(1, 2), [1, 2], "[1,2]"),
        ({"a": {"b": None}}, {"a": {"b": None}}, '{"a":{"b":null}}'),
        (OrderedDict(a=1), {"a": 1}, '{"a":1}'),
        ({None: 1, 1: 2, "1": 3}, {"null": 1, "1": 2, "1_": 3}, '{"null":1,"1":2,"1_":3}'),
        (Card("s"), {"sku": "s", "password": "<redacted>", "hidden": "<redacted>"}, None),
        (Line(2, [1]), {"quantity": 2, "note": [1]}, '{"quantity":2,"note":[1]}'),
        (Model(), {"a": 1, "b": "two"}, '{"a":1,"b":"two"}'),
        (Card, "Card", "Card"),
        (len, "<function len>", "<function len>"),
        (json, "<module>", "<module>"),
        (ValueError("x"), "<ValueError>", "<ValueError>"),
        (object(), "<object>", "<object>"),
        (threading.Lock(), "<lock>", "<lock>"),
        ("write to bob@example.com", "write to <email>", "write to <email>"),
        ({"note": "bob@example.com", "token": 5}, {"note": "<email>", "token": "<redacted>"}, None),
    ],
)
def test_every_value_has_a_form(value: object, tree: Any, text: str | None) -> None:
    """The table of the documentation, value for value."""
    assert tree_of(value) == tree
    assert type(tree_of(value)) is type(tree)
    if text is not None or value is None:
        assert text_of(value) == text


def test_a_huge_integer_is_written_without_a_refusal() -> None:
    """Python itself refuses to write an integer of more than 4 300 digits in decimal."""
    assert str(text_of(10**5_000)).startswith("0x")
    assert text_of(-(10**4_000)) == str(-(10**4_000))


def test_what_contains_itself_ends() -> None:
    """A cycle is named, also through several values; the same value twice is none."""
    cycle: list[object] = []
    cycle.append({"back": cycle})
    twice = [1]

    assert tree_of(cycle) == [{"back": "<cycle>"}]
    assert tree_of([twice, twice]) == [[1], [1]]


def test_depth_and_breadth_are_bounded() -> None:
    """A hundred thousand levels, a million items: a few milliseconds and a small form."""
    deep: dict[str, object] = {}
    inner = deep
    for _ in range(100_000):
        inner["a"] = inner = {}
    began = time.process_time()
    forms = [text_of(deep), text_of([[0] * 1_000] * 1_000_000), text_of({i: i for i in range(1_000_000)})]
    seconds = time.process_time() - began
    while deep:  # taken apart here: the interpreter would recurse over it
        deep = deep.popitem()[1]  # type: ignore[assignment]  # what was put in above

    assert all(len(str(form)) <= LONGEST_TEXT + 40 for form in forms)
    assert "deeper than 8" in str(forms[0])
    assert f"<{1_000_000 - BROADEST} more>" in str(text_of([0] * 1_000_000))
    assert seconds < 1


def test_all_texts_of_a_value_share_one_cap() -> None:
    """What is looked at does not grow with the number of texts."""
    form = tree_of(["x" * 5_000] * 100)

    assert isinstance(form, list)
    assert sum(len(str(part)) for part in form) < LONGEST_TEXT + 100 * 40
    assert form[-1] == "… (5000 characters)"


def test_nothing_of_the_users_code_runs() -> None:
    """Properties, iterators, generators, coroutines and special methods of a user's class stay untouched."""
    ran: list[str] = []

    def trap(name: str) -> Any:
        return lambda *_: ran.append(name)

    traps = {
        name: trap(name)
        for name in (
            "__str__",
            "__repr__",
            "__iter__",
            "__len__",
            "__getattribute__",
            "__int__",
            "__eq__",
            "__hash__",
        )
    }
    for base in (str, int, float, list, dict, tuple, object, datetime, Decimal):
        made = type("Trap", (base,), {**traps, "lazy": property(trap("lazy"))})
        value = made.__new__(made, 2026, 1, 1) if base is datetime else made.__new__(made)
        tree_of(value)
    generator: Iterator[int] = (ran.append("next") or 1 for _ in [1])  # type: ignore[func-returns-value]  # a trap
    tree_of(generator)
    coroutine = asyncio.sleep(0)
    tree_of(coroutine)
    coroutine.close()

    assert ran == []
    assert next(generator) == 1


def test_a_time_zone_of_the_users_is_not_asked() -> None:
    """Only Python's own time zones are; another may raise or hang."""

    class Hangs(tzinfo):
        def utcoffset(self, _: object) -> timedelta:
            raise RuntimeError

    assert tree_of(datetime(2026, 1, 1, tzinfo=Hangs())) == "2026-01-01T00:00:00"
    assert tree_of(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == "2026-01-01T00:00:00+01:00"


def test_a_value_that_lies_about_itself_is_named() -> None:
    """A class whose declared fields are no fields costs its own form and raises nothing."""
    liar = type("Liar", (), {"__dataclass_fields__": {"a": 1, 2: 3}})()

    assert str(tree_of(liar)).startswith("<unreadable Liar") or tree_of(liar) == {"a": None, "2": None}
    assert tree_of([liar, 1])[1] == 1  # type: ignore[index]  # it is a list


def test_kept_reads_slots_and_instances_but_no_property() -> None:
    """An attribute comes from where the instance keeps it."""

    class Slotted:
        __slots__ = ("empty", "full")

        def __init__(self) -> None:
            self.full = 1

        @property
        def lazy(self) -> int:
            raise RuntimeError

    assert [kept(Slotted(), name) for name in ("full", "empty", "lazy", "none")] == [1, None, None, None]
    assert kept(Line(3), "quantity") == 3


def test_a_class_keeps_its_name() -> None:
    """Whatever its metaclass says."""

    class Meta(type):
        def __getattribute__(cls, name: str) -> object:
            raise RuntimeError(name)

    lying = Meta("Shown", (), {})

    assert name_of(lying) == "Shown"


def test_numpy_scalars_are_numbers() -> None:
    """A scalar of an array library is read by its class's module, without importing the library."""
    scalar = type("int64", (), {"__module__": "numpy", "ndim": 0, "item": lambda _: 5})()

    assert tree_of(scalar) == 5
