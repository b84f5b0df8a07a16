import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from returns.result import Failure, Success

from cqrs import Event
from cqrs.event_json import decode, encode, unstorable
from cqrs.secret import Secret


class Colour(Enum):
    """An enumeration."""

    RED = "red"


@attrs.frozen
class Line:
    """A value inside of an event."""

    sku: str
    quantity: int


@attrs.frozen
class Special(Line):
    """A value with a field more than its base."""

    gift: bool = True


@attrs.frozen
class Everything(Event):
    """An event with a field of every type that is written."""

    number: int = 1
    share: float = 0.5
    flag: bool = True
    text: str = "é\u2028"
    nothing: int | None = None
    raw: bytes = b"\x00\xff"
    colour: Colour = Colour.RED
    when: datetime = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    day: date = date(2026, 1, 2)
    span: timedelta = timedelta(days=-1, microseconds=1)
    id: UUID = attrs.field(factory=lambda: UUID(int=1))
    price: Decimal = Decimal("1.10")
    path: Path = Path("a/b")
    lines: tuple[Line, ...] = (Line("apple", 1),)
    tags: frozenset[str] = frozenset({"a"})
    stock: dict[str, int] = attrs.field(factory=lambda: {"apple": 1})


@dataclass(frozen=True)
class Plain(Event):
    """A dataclass."""

    order: int
    note: str = ""


@attrs.frozen
class Holding(Event):
    """An event whose field says less than it may hold."""

    line: Line


@attrs.frozen
class Loose(Event):
    """An event whose field says nothing."""

    value: Any


@attrs.frozen(eq=False)
class ByIdentity(Event):
    """An event that is equal to itself alone."""

    order: int


class Neither(Event):
    """An event of a plain class."""


@attrs.frozen
class Unknown(Event):
    """An event with a field that nothing is known of."""

    field: Neither


@pytest.mark.parametrize(
    "event", [Everything(), Plain(1, "x"), Holding(Line("a", 1)), Loose([1, "a"])], ids=repr
)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    """Every field of every type that is written is read as the same value."""
    payload = encode(event).unwrap()

    assert payload.startswith("{")
    assert decode(payload, type(event)) == Success(event)


def test_an_event_that_cannot_be_compared_comes_back_too() -> None:
    """A class without equality is written as well."""
    payload = encode(ByIdentity(7)).unwrap()

    assert decode(payload, ByIdentity).unwrap().order == 7


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Neither(), "neither an attrs class nor a dataclass"),
        (Holding(Special("a", 1)), "another event would be read back"),
        (Loose({1, 2}), "another event would be read back|not JSON serializable"),
        (Loose(object()), "not JSON serializable"),
        (Loose(float("nan")), "not JSON compliant"),
        (Loose(Secret("hush")), "cannot be|not JSON serializable"),
        (
            Everything(number="many"),
            "it would not be read back: invalid value for type, expected int @ \\$.number",
        ),  # type: ignore[arg-type]  # the wrong type is the point
    ],
)
def test_what_would_not_come_back_is_not_written(event: Event, reason: str) -> None:
    """The reason is a value; nothing is raised, and nothing that is lost on the way is kept as if it were whole."""
    written = encode(event)

    assert isinstance(written, Failure)
    assert re.search(reason, written.failure()), written
    assert "hush" not in written.failure()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("{", "it is no JSON"),
        ('{"note": "x"}', "required field missing @ $.order"),
        ('{"order": "hush"}', "invalid value for type, expected int @ $.order"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
    ],
)
def test_what_does_not_fit_is_said_by_field(payload: str, reason: str) -> None:
    """Each field that is missing or wrong is named; its value is not."""
    read = decode(payload, Plain)

    assert isinstance(read, Failure)
    assert reason in read.failure()
    assert "hush" not in read.failure()


def test_a_field_less_does_no_harm_and_a_field_more_has_its_default() -> None:
    """A class may change between park and replay."""
    assert decode('{"order": 1, "gone": true}', Plain) == Success(Plain(1, ""))


def test_what_cannot_be_stored_is_known_before() -> None:
    """A class tells at the start whether its events can be parked in a file."""
    assert unstorable(Everything) == unstorable(Plain) == ""
    assert "neither" in unstorable(Neither)
    assert unstorable(Unknown)
