from typing import Any

import attrs
import pytest
from returns.result import Result, Success

from cqrs import Command, Event, Feature, HandlerInfo, Next, Query, current_context
from cqrs.middleware import applies, name_of_middleware, needs_context, targeted


class Audited:
    """A marker of the user's own."""


@attrs.frozen
class Place(Command[int, str], Audited):
    """An audited command."""


@attrs.frozen
class Cancel(Command[int, str]):
    """Another command."""


@attrs.frozen
class Find(Query[int, str]):
    """A query."""


@attrs.frozen
class Placed(Event, Audited):
    """An event."""


@attrs.frozen
class PlacedAgain(Placed):
    """A subclass that no subscriber names."""


def noting(journal: list[str]) -> Any:
    def note(next: Next, handler: HandlerInfo) -> Next:
        async def call(message: Any, /) -> Any:
            journal.append(handler.message_type)
            return await next(message)

        return call

    return note


def feature() -> Feature:
    orders = Feature("orders")

    async def handle(_message: Any) -> Result[int, str]:
        return Success(1)

    for message in (Place, Cancel, Find):
        orders.handles(message)(handle)
    orders.subscribes(Placed, name="hear")(handle)
    return orders


async def send_all(bus: Any) -> None:
    for command in (Place(), Cancel()):
        await bus.commands.execute(command)
    await bus.queries.execute(Find())
    await bus.events.publish(Placed())
    await bus.events.publish(PlacedAgain())


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, ["Place", "Cancel", "Find", "Placed", "PlacedAgain"]),
        ({"only": Place}, ["Place"]),
        ({"only": Command}, ["Place", "Cancel"]),
        ({"only": Audited}, ["Place", "Placed", "PlacedAgain"]),
        ({"only": (Find, Event)}, ["Find", "Placed", "PlacedAgain"]),
        ({"except_": Query}, ["Place", "Cancel", "Placed", "PlacedAgain"]),
        ({"only": Command, "except_": Place}, ["Cancel"]),
    ],
    ids=str,
)
async def test_a_middleware_is_for_whom_it_is_meant(
    target: Any, expected: list[str], compose_app: Any
) -> None:
    """By message class, base class or marker, for commands, queries and events, found late ones included."""
    journal: list[str] = []

    async with compose_app(feature(), middleware=[targeted(noting(journal), **target)]) as bus:
        await send_all(bus)

    assert journal == expected


async def test_it_is_not_in_the_other_pipelines(compose_app: Any) -> None:
    """Where it is not meant there is no barrier either: the pipeline is the bare one."""
    app = compose_app(feature(), middleware=[targeted(noting([]), only=Place)])
    bare = compose_app(feature())

    stages = {each.messages: each.stages for each in app.check().unwrap().handlers}

    assert "middleware noting.<locals>.note" in stages["Place",]
    assert stages["Cancel",][0] == "guard"
    async with app as targeted_bus, bare as bare_bus:
        assert (
            targeted_bus._pipelines["command"][Cancel].__code__
            is bare_bus._pipelines["command"][Cancel].__code__
        )
        assert (
            targeted_bus._pipelines["command"][Place].__code__
            is bare_bus._pipelines["command"][Place].__code__
        )


async def test_a_middleware_that_needs_the_context_gets_it(compose_app: Any) -> None:
    """`needs_context = True` on the factory turns the context on for the whole app, targeted or not."""
    seen: list[object] = []

    def watching(next: Next, _handler: HandlerInfo) -> Next:
        async def call(message: Any, /) -> Any:
            seen.append(current_context())
            return await next(message)

        return call

    async with compose_app(feature(), middleware=[watching]) as bus:
        await bus.commands.execute(Place())
    watching.needs_context = True  # type: ignore[attr-defined]  # a function may have it
    async with compose_app(feature(), middleware=[targeted(watching, only=Place)]) as bus:
        await bus.commands.execute(Place())

    assert seen[0] is None
    assert seen[1] is not None
    assert needs_context(targeted(watching, only=Find))
    assert not needs_context(noting([]))


def test_a_targeted_middleware_keeps_its_name(info: HandlerInfo) -> None:
    """Reports and `cqrs handlers` call it as people know it."""
    middleware = noting([])

    assert name_of_middleware(targeted(middleware)) == name_of_middleware(middleware)
    assert applies(middleware, info)
    assert not applies(targeted(middleware, only=Place), info)
