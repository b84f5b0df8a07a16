import dataclasses
from typing import Generic, TypeVar

import attrs
import pytest

from cqrs.messages import Command, Event, Message, Query, has_type_id, type_id, type_ids

Row = TypeVar("Row")


@attrs.frozen
class Place(Command[int, str]):
    """A message of the kind that is recommended."""

    sku: str


@pytest.mark.parametrize("base", [Command, Query, Event, Message])
def test_the_bases_add_nothing_to_an_instance(base: type) -> None:
    """A slotted message has no dictionary: its bases bring slots of their own, empty."""
    assert base.__slots__ == ()
    assert not hasattr(Place("a"), "__dict__")


def test_commands_and_queries_are_messages_and_events_are_not() -> None:
    """The kinds are told apart by their base class alone."""
    assert issubclass(Command, Message)
    assert issubclass(Query, Message)
    assert not issubclass(Command, Query)
    assert not issubclass(Event, Message)


def test_nothing_of_the_typing_is_there_at_run_time() -> None:
    """What ties a message to its handler for type checkers is no attribute that a payload field could clash with."""
    assert not hasattr(Place, "__handler__")
    assert [name for name in dir(Command) if not name.startswith("_")] == []


def test_messages_may_be_attrs_dataclasses_or_plain_and_generic() -> None:
    """Every way to write a value class works as a message, generic ones included."""

    @dataclasses.dataclass(frozen=True, slots=True)
    class AsDataclass(Query[int, str]):
        sku: str

    @attrs.frozen
    class OfRows(Query[list[Row], str], Generic[Row]):
        row: Row

    class Plain(Event): ...

    assert AsDataclass("a") == AsDataclass("a")
    assert type(OfRows[int](1)) is OfRows
    assert isinstance(Plain(), Event)


def test_an_event_is_stored_under_the_name_it_was_given() -> None:
    """The first name is written, all of them are read; an event without one goes by module and qualified name."""

    @type_id("shop.Placed", aliases=("old.Placed", "older.Placed"))
    @attrs.frozen
    class Placed(Event):
        order: int

    class Plain(Event): ...

    assert type_ids(Placed) == ("shop.Placed", "old.Placed", "older.Placed")
    assert has_type_id(Placed)
    assert type_ids(Plain) == (f"{__name__}.{Plain.__qualname__}",)
    assert not has_type_id(Plain)


def test_a_name_is_not_inherited_and_no_field() -> None:
    """What derives from a named event has a name of its own; the payload has no attribute more."""

    @type_id("shop.Happened")
    @attrs.frozen
    class Happened(Event):
        order: int

    @attrs.frozen
    class Placed(Happened): ...

    assert type_ids(Placed) == (f"{__name__}.{Placed.__qualname__}",)
    assert attrs.asdict(Happened(1)) == {"order": 1}


@pytest.mark.parametrize("decorate", ["above", "below"])
def test_it_does_not_matter_where_the_name_is_given(decorate: str) -> None:
    """Above or below the decorator that makes a new class with slots."""
    named = type_id("shop.Placed")
    plain = type("Placed", (Event,), {"__annotations__": {"order": int}})
    event = named(attrs.frozen(plain)) if decorate == "above" else attrs.frozen(named(plain))

    assert type_ids(event) == ("shop.Placed",)
