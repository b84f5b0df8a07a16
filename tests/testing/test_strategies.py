"""Strategies for messages."""

import re
from dataclasses import dataclass, field
from typing import Any

import attrs
import pytest
from attrs import validators as v
from hypothesis import find, given, settings
from hypothesis import strategies as st

from cqrs import Command
from cqrs.testing import messages

DRAWS = settings(max_examples=50, deadline=None, database=None, derandomize=True)


@attrs.frozen
class PlaceOrder(Command[int, str]):
    """Has validators and defaults."""

    sku: str = attrs.field(validator=v.and_(v.min_len(2), v.max_len(4)))
    quantity: int = attrs.field(default=1, validator=[v.ge(1), v.lt(10)])
    _note: str | None = None


@attrs.frozen
class Everything(Command[int, str]):
    """Has a validator of each kind."""

    kind: str = attrs.field(validator=v.in_(["a", "b"]))
    maybe: str | None = attrs.field(validator=v.optional(v.in_(["x"])))
    code: str = attrs.field(validator=v.matches_re(r"[A-Z]{3}-[0-9]{4}"))
    price: float = attrs.field(validator=v.gt(0.5))
    tags: list[str] = attrs.field(validator=v.deep_iterable(v.max_len(5)))
    raw: bytes = attrs.field(validator=v.max_len(3))
    amount: int = attrs.field(converter=int)


@attrs.frozen
class Span(Command[int, str]):
    """Has a rule over two fields."""

    start: int
    end: int

    def __attrs_post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("ends before it starts")


@dataclass(frozen=True)
class Record(Command[int, str]):
    """A dataclass."""

    name: str
    size: int = 0
    made: list[int] = field(default_factory=list, init=False)


class Bare(Command[int, str]):
    """Has no field."""


class Opaque:
    """Takes what only type checkers see."""

    def __init__(self, handle: "Unknown") -> None: ...  # type: ignore[name-defined]  # noqa: F821 - the point of it


@attrs.frozen
class Holds(Command[int, str]):
    """Has a field of which nothing is known."""

    opaque: Opaque


@DRAWS
@given(messages(PlaceOrder))
def test_validators_are_kept(order: PlaceOrder) -> None:
    """Whatever is drawn could be made, so its validators took it."""
    assert 2 <= len(order.sku) <= 4
    assert 1 <= order.quantity < 10


@DRAWS
@given(messages(Everything))
def test_every_validator_of_attrs_is_drawn_for(message: Everything) -> None:
    """Bounds, lengths, choices, patterns and nested ones give values without throwing most of them away."""
    assert message.kind in {"a", "b"}
    assert message.maybe in {None, "x"}
    assert re.match(r"[A-Z]{3}-[0-9]{4}", message.code)
    assert message.price > 0.5
    assert all(len(tag) <= 5 for tag in message.tags)


@DRAWS
@given(messages(Span))
def test_what_a_class_refuses_is_not_given_out(span: Span) -> None:
    """A rule over several fields holds too."""
    assert span.start <= span.end


@pytest.mark.parametrize(
    "wanted",
    [
        lambda order: order.quantity == 1,
        lambda order: order.quantity == 9,
        lambda order: order._note is None,
        lambda order: order._note == "",
    ],
    ids=["default", "other", "none", "text"],
)
def test_defaults_vary(wanted: Any) -> None:
    """A field with a default is left out in some messages and drawn in others."""
    find(messages(PlaceOrder), wanted, settings=settings(DRAWS, max_examples=2000))


@DRAWS
@given(messages(Record), messages(Bare))
def test_other_classes_are_messages_too(record: Record, bare: Bare) -> None:
    """Dataclasses, with what is not for __init__ left out, and classes without fields."""
    assert isinstance(record.name, str)
    assert record.made == []
    assert isinstance(bare, Bare)


@DRAWS
@given(messages(PlaceOrder, sku=st.just("ab")))
def test_a_field_can_be_given(order: PlaceOrder) -> None:
    """A strategy by name replaces that of the type."""
    assert order.sku == "ab"


def test_a_field_that_is_none_is_refused() -> None:
    """A name that is spelled wrongly would be drawn for nobody."""
    with pytest.raises(ValueError, match="PlaceOrder has no field skew; it has sku, quantity, note"):
        messages(PlaceOrder, skew=st.just("ab"))


def test_a_type_that_nothing_is_known_of_is_named() -> None:
    """The problem says which field needs a strategy."""
    with pytest.raises(ValueError, match=r"Nothing is known of the type of Holds.opaque: pass opaque="):
        messages(Holds)
