"""Messages may be classes of attrs, dataclasses, msgspec or pydantic: every one is dispatched, checked and described."""

from dataclasses import dataclass
from typing import Any

import attrs
import msgspec
import pydantic
import pytest
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Event, Feature, HandlerCrashed, HandlerNotFound, Query
from cqrs.frozen import is_frozen


@attrs.frozen
class AttrsPlace(Command[int, str]):
    """A command of attrs."""

    sku: str


@attrs.frozen
class AttrsFind(Query[int, str]):
    """A query of attrs."""

    sku: str


@attrs.frozen
class AttrsPlaced(Event):
    """An event of attrs."""

    sku: str


@dataclass(frozen=True)
class DataclassPlace(Command[int, str]):
    """A command that is a dataclass."""

    sku: str


@dataclass(frozen=True, slots=True)
class DataclassFind(Query[int, str]):
    """A query that is a dataclass with slots."""

    sku: str


@dataclass(frozen=True)
class DataclassPlaced(Event):
    """An event that is a dataclass."""

    sku: str


class MsgspecPlace(Command[int, str], msgspec.Struct, frozen=True):
    """A command of msgspec."""

    sku: str


class MsgspecFind(Query[int, str], msgspec.Struct, frozen=True):
    """A query of msgspec."""

    sku: str


class MsgspecPlaced(Event, msgspec.Struct, frozen=True):
    """An event of msgspec."""

    sku: str


class PydanticPlace(pydantic.BaseModel, Command[int, str]):
    """A command of pydantic."""

    model_config = pydantic.ConfigDict(frozen=True)
    sku: str


class PydanticFind(pydantic.BaseModel, Query[int, str]):
    """A query of pydantic."""

    model_config = pydantic.ConfigDict(frozen=True)
    sku: str


class PydanticPlaced(pydantic.BaseModel, Event):
    """An event of pydantic."""

    model_config = pydantic.ConfigDict(frozen=True)
    sku: str


class OpenMsgspec(Command[int, str], msgspec.Struct):
    """A command of msgspec that can be changed."""

    sku: str


class OpenPydantic(pydantic.BaseModel, Command[int, str]):
    """A command of pydantic that can be changed."""

    sku: str


LIBRARIES: dict[str, tuple[Any, Any, Any]] = {
    "attrs": (AttrsPlace, AttrsFind, AttrsPlaced),
    "dataclasses": (DataclassPlace, DataclassFind, DataclassPlaced),
    "msgspec": (MsgspecPlace, MsgspecFind, MsgspecPlaced),
    "pydantic": (PydanticPlace, PydanticFind, PydanticPlaced),
}

each_library = pytest.mark.parametrize(("place", "find", "placed"), LIBRARIES.values(), ids=LIBRARIES)


def feature_of(place: Any, find: Any, placed: Any) -> Feature:
    feature = Feature("orders")

    async def handle(message: Any) -> Result[int, str]:
        if message.sku == "crash":
            raise OSError("no disk")
        return Success(len(message.sku)) if message.sku else Failure("nothing")

    async def receive(event: Any) -> Result[str, str]:
        return Success(event.sku)

    feature.handles(place)(handle)
    feature.handles(find, timeout=5.0)(handle)
    feature.subscribes(placed)(receive)
    return feature


@each_library
async def test_messages_of_every_library_are_dispatched(place: Any, find: Any, placed: Any) -> None:
    """Values, errors, crashes, missing handlers and deliveries are those of any message."""
    app = CqrsModule.for_root(feature_of(place, find, placed), plugins=(), env={})
    bare = CqrsModule.for_root(plugins=(), env={})

    async with app as bus, bare as empty:
        assert await bus.commands.execute(place(sku="apple")) == Success(5)
        assert await bus.queries.execute(find(sku="")) == Failure("nothing")
        crashed = (await bus.commands.execute(place(sku="crash"))).failure()
        report = await bus.events.publish(placed(sku="apple"))
        missing = (await empty.commands.execute(place(sku="apple"))).failure()

    assert isinstance(crashed, HandlerCrashed)
    assert [delivery.result for delivery in report.deliveries] == [Success("apple")]
    assert isinstance(missing, HandlerNotFound)


@each_library
def test_frozen_messages_of_every_library_pass_the_check(place: Any, find: Any, placed: Any) -> None:
    """They are described by their names, and nothing is warned of."""
    description = CqrsModule.for_root(feature_of(place, find, placed), plugins=(), env={}).check().unwrap()

    assert [handler.messages for handler in description.handlers] == [
        (place.__name__,), (find.__name__,), (placed.__name__,),
    ]  # fmt: skip
    assert description.warnings == ()


@pytest.mark.parametrize("cls", [OpenMsgspec, OpenPydantic])
def test_messages_that_can_be_changed_are_told_in_every_library(cls: type) -> None:
    """A struct or model without `frozen` is one that can be changed."""
    assert not is_frozen(cls)


@each_library
async def test_a_subclass_of_an_event_is_heard(place: Any, find: Any, placed: Any) -> None:
    """A base event class receives its subclasses, whatever made them."""
    derived = type("Derived", (placed,), {})
    async with CqrsModule.for_root(feature_of(place, find, placed), plugins=(), env={}) as bus:
        report = await bus.events.publish(derived(sku="pear"))

    assert [delivery.result for delivery in report.deliveries] == [Success("pear")]
