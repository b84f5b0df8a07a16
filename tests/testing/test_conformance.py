"""What a message class declares, and what is of that type."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, NewType, Protocol, TypeVar

import pytest
from returns.result import Failure, Success

from cqrs import Command, Query
from cqrs.testing.conformance import conforms, declared

T = TypeVar("T")
OrderId = NewType("OrderId", int)


class Plain(Command[int, str]):
    """Names both."""


class Bare(Command):  # type: ignore[type-arg]  # what a user without type checker writes
    """Names nothing."""


class Paged(Query[list[T], str], Generic[T]):
    """A generic base."""


class Orders(Paged[OrderId]):
    """Says of what."""


class Later(Command["Invoice", None]):
    """Names what comes later."""


class Invoice:
    """Comes later."""


class Named(Protocol):
    """Cannot be looked at while running."""

    name: str


@pytest.mark.parametrize(
    ("message", "types"),
    [
        (Plain, (int, str)),
        (Orders, (list[OrderId], str)),
        (Later, (Invoice, type(None))),
        (Bare, (object, object)),
        (int, (object, object)),
    ],
)
def test_the_declared_types_are_found(message: type, types: tuple[object, object]) -> None:
    """Through generic bases, and by a name that is defined later."""
    assert declared(message) == types


@pytest.mark.parametrize(
    ("value", "annotation", "fits"),
    [
        (1, int, True),
        ("1", int, False),
        (1, float, True),
        (None, None, True),
        (0, None, False),
        (1, int | None, True),
        ("1", int | None, False),
        (1, OrderId, True),
        ("1", OrderId, False),
        ("a", Literal["a", "b"], True),
        ("c", Literal["a", "b"], False),
        (True, Literal[1], False),
        ([1, 2], list[int], True),
        ([1, "2"], list[int], False),
        ((1, 2), list[int], False),
        ((1, "a"), tuple[int, str], True),
        ((1,), tuple[int, str], False),
        ((1, 2, 3), tuple[int, ...], True),
        ((1, "2"), tuple[int, ...], False),
        ((1, 2), Sequence[int], True),
        ((1, "2"), Sequence[int], False),
        ({"a": 1}, Mapping[str, int], True),
        ({"a": "1"}, Mapping[str, int], False),
        (1, Annotated[int, "positive"], True),
        ("1", Annotated[int, "positive"], False),
        (Success(1), Success[int], True),
        (Failure(1), Success[int], False),
        (object(), Any, True),
        (object(), object, True),
        (object(), T, True),
        (object(), Named, True),
    ],
)
def test_a_value_is_of_a_type_or_not(value: object, annotation: object, *, fits: bool) -> None:
    """As a type checker sees it; what it cannot be asked at run time counts as true."""
    assert conforms(value, annotation) is fits
