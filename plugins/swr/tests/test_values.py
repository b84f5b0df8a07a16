import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, TypeVar
from uuid import UUID

import attrs
import pytest
from cqrs_swr.values import JsonCodec, NotStorable, answer_type, described, same

from cqrs import Query

Thing = TypeVar("Thing")


class Colour(Enum):
    """An enumeration."""

    RED = 1


@attrs.frozen
class Line:
    """Part of an answer."""

    sku: str
    cents: Decimal


@attrs.frozen
class Order:
    """An answer with everything in it."""

    number: int
    lines: tuple[Line, ...]
    placed: datetime
    key: UUID
    day: date
    at: time
    took: timedelta
    colour: Colour
    notes: dict[int, list[str]]
    tags: frozenset[str]
    parent: "Order | None" = None


ORDER = Order(
    1, (Line("a", Decimal("1.50")),), datetime(2024, 1, 1, tzinfo=UTC), UUID(int=7), date(2024, 1, 1), time(1, 2, 3),
    timedelta(days=1, microseconds=5), Colour.RED, {1: ["x"]}, frozenset({"b", "a"}),
)  # fmt: skip


def test_an_answer_is_read_back_as_it_was() -> None:
    """All the way down, with the types that were declared, and it is JSON."""
    codec = JsonCodec(Order)
    order = attrs.evolve(ORDER, parent=ORDER)
    content = codec.encode(order)

    assert same(codec.decode(content), order)
    assert json.loads(content)["number"] == 1


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (int, True),
        (int, 1.5),
        (float, float("nan")),
        (tuple[int, ...], [1]),
        (list[int], (1,)),
        (Order, "order"),
        (str, 1),
        (dict[str, int], {1: 1}),
        (int, (number for number in (1,))),
    ],
)
def test_an_answer_that_would_come_back_as_another_is_not_written(declared: Any, value: Any) -> None:
    """A value that is not what the query declares is never stored as if it were."""
    with pytest.raises(NotStorable):
        JsonCodec(declared).encode(value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b'{"number": 1}', b"\xff\xfe", b"null"])
def test_what_is_no_answer_is_not_read(content: bytes) -> None:
    """Anything else than what was written is refused, whatever it is."""
    with pytest.raises(NotStorable):
        JsonCodec(Order).decode(content)


class Opaque:
    """A type that nobody knows how to write."""


def test_a_type_that_cannot_be_written_is_found_out() -> None:
    """When the codec is made, or at the latest when a value is written."""
    with pytest.raises(NotStorable):
        JsonCodec(Opaque).encode(Opaque())


@attrs.frozen
class Plain(Query[int, str]):
    """A query."""


@attrs.frozen
class Derived(Plain):
    """A query of a subclass."""


@attrs.frozen
class Union(Query[int | None, str]):
    """A query with a union."""


@attrs.frozen
class Open(Query[Thing, str], Generic[Thing]):
    """A query that does not say yet."""


@attrs.frozen
class Untold(Query[Any, str]):
    """A query that may answer anything."""


@attrs.frozen
class Quoted(Query["int", str]):
    """A query whose answer is named by a text."""


@pytest.mark.parametrize(
    ("query", "declared"),
    [
        (Plain, int),
        (Derived, int),
        (Union, int | None),
        (Open, None),
        (Untold, None),
        (Quoted, None),
        (int, None),
    ],
)
def test_the_declared_type_is_found_where_it_can_be_told(query: type, declared: Any) -> None:
    """Also in a base class; what is open is not guessed."""
    assert answer_type(query) == declared


@attrs.frozen
class Version1:
    """An answer before a deploy."""

    number: int


@attrs.frozen
class Version2:
    """The same after it."""

    number: int
    note: str


def test_a_change_of_the_type_changes_its_description() -> None:
    """A field more, a field of another type, deep down as well: a row of before is none of after."""
    renamed = attrs.make_class("Version1", {"number": attrs.field(type=str)})
    texts = {
        described(each) for each in (Version1, Version2, renamed, list[Version1], list[Version2], Colour)
    }

    assert len(texts) == 6
    assert described(Order) == described(Order)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1, True), (1, True, False), (1, 1.0, False), ([1], [1], True), ([1], (1,), False), ([1], [True], False),
        ({1: 2}, {1: 2}, True), ({1: 2}, {True: 2}, False), ({1: [1]}, {1: [True]}, False), ([1], [1, 2], False),
        (Line("a", Decimal(1)), Line("a", Decimal(1)), True), (Line("a", Decimal(1)), Line("b", Decimal(1)), False),
    ],
)  # fmt: skip
def test_same_is_equal_and_of_one_type(one: Any, other: Any, equal: bool) -> None:  # noqa: FBT001 - a table
    """All the way down."""
    assert same(one, other) is equal
