import dataclasses
from typing import Generic, TypeVar

import attrs
import pytest

from cqrs.messages import Command, Event, Message, Query

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
