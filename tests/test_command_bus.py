import asyncio
import dataclasses
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import AppClosed, BusDisabled, Command, CommandBus, Feature, HandlerNotFound
from cqrs.faults import HandlerCrashed

Row = TypeVar("Row")


@attrs.frozen
class Place(Command[int, str]):
    """A command."""

    quantity: int


@attrs.frozen
class PlaceAgain(Place):
    """A subclass of it that nobody handles."""


@attrs.frozen
class Import(Command[list[Row], str], Generic[Row]):
    """A generic command."""

    row: Row


@dataclasses.dataclass
class Mutable(Command[int, str]):
    """A command that cannot be hashed."""

    tags: list[str]


@pytest.fixture
def orders() -> Feature:
    """A feature that handles each command but the subclass."""
    feature = Feature("orders")

    @feature.handles(Place)
    async def place(command: Place) -> Result[int, str]:
        await asyncio.sleep(0)
        return Success(command.quantity)

    @feature.handles(Import)
    async def import_rows(command: Import[Any]) -> Result[list[Any], str]:
        return Success([command.row])

    @feature.handles(Mutable)
    async def mutable(command: Mutable) -> Result[int, str]:
        return Success(len(command.tags))

    return feature


def same_name(module: str) -> type[Command[Any, Any]]:
    made: Any = attrs.make_class("Place", ["at"], bases=(Command,), frozen=True)
    made.__module__ = module
    return made  # type: ignore[no-any-return]  # the test knows what it holds


async def test_a_command_goes_to_its_handler(compose_app: Any, orders: Feature) -> None:
    """The handler of the command's class answers, for generic and unhashable commands too."""
    async with compose_app(orders) as bus:
        assert await bus.commands.execute(Place(3)) == Success(3)
        assert await bus.commands.execute(Import[str]("a")) == Success(["a"])
        assert await bus.commands.execute(Mutable(["a", "b"])) == Success(2)


async def test_a_command_without_a_handler_is_told_with_its_nearest_names(
    compose_app: Any, orders: Feature
) -> None:
    """A subclass of a handled command has no handler of its own; the answer names what is near."""
    async with compose_app(orders) as bus:
        fault = (await bus.commands.execute(PlaceAgain(1))).failure()

    assert isinstance(fault, HandlerNotFound)
    assert fault.message_type == f"{__name__}.PlaceAgain"
    assert fault.nearest[0] == f"{__name__}.Place"
    assert "feature.handles(PlaceAgain)" in fault.hint


async def test_classes_of_one_name_are_kept_apart(compose_app: Any) -> None:
    """Two commands of the same name in two modules each have their own handler, and longer names for people."""
    feature, seen = Feature("two"), []
    commands = [same_name("north.orders"), same_name("south.orders")]

    def handler(answer: int) -> Any:
        async def handle(_command: Any) -> Result[int, str]:
            return Success(answer)

        return handle

    def watching(next: Any, info: Any) -> Any:
        seen.append(info.message_type)
        return next

    for answer, command in enumerate(commands):
        feature.handles(command)(handler(answer))
    async with compose_app(feature, middleware=[watching]) as bus:
        assert [await bus.commands.execute(command("x")) for command in commands] == [Success(0), Success(1)]

    assert seen == ["north.orders.Place", "south.orders.Place"]


async def test_a_bus_answers_before_and_after_its_app_runs(compose_app: Any, orders: Feature) -> None:
    """Outside of `async with` every command is answered with AppClosed, handled or not; inside by its handler."""
    app = compose_app(orders)
    closed = Failure(AppClosed("command"))

    assert await app.commands.execute(Place(1)) == closed
    async with app as bus:
        assert await bus.commands.execute(Place(1)) == Success(1)
    assert await app.commands.execute(Place(1)) == closed
    assert await app.commands.execute(PlaceAgain(1)) == closed
    async with app as bus:
        assert await bus.commands.execute(Place(2)) == Success(2)


async def test_a_disabled_bus_says_so(compose_app: Any) -> None:
    """A bus that is switched off answers BusDisabled while the app runs."""
    async with compose_app(enable_command_bus=False) as bus:
        assert await bus.commands.execute(Place(1)) == Failure(BusDisabled("command"))


async def test_ten_thousand_dispatches_at_once_each_get_their_own_answer(
    compose_app: Any, orders: Feature
) -> None:
    """Concurrent dispatches do not mix."""
    async with compose_app(orders) as bus:
        answers = await asyncio.gather(*(bus.commands.execute(Place(n)) for n in range(10_000)))

    assert [answer.unwrap() for answer in answers] == list(range(10_000))


async def test_a_handler_that_dispatches_itself_for_ever_is_a_crash(compose_app: Any) -> None:
    """Endless recursion ends in HandlerCrashed with the RecursionError and the handler, and the app goes on."""
    feature = Feature("endless")

    @feature.handles(Place)
    async def place(command: Place, *, bus: CommandBus) -> Result[int, Any]:
        if command.quantity < 0:
            return Success(command.quantity)
        return await bus.execute(Place(command.quantity + 1))

    async with compose_app(feature) as bus:
        fault = (await bus.commands.execute(Place(0))).failure()
        assert await bus.commands.execute(Place(-1)) == Success(-1)

    assert isinstance(fault, HandlerCrashed)
    assert fault.exception_type == "builtins.RecursionError"
    assert fault.handler.endswith(".place")
    assert fault.message_type == "Place"


async def test_execute_gives_a_coroutine(compose_app: Any, orders: Feature) -> None:
    """What comes back can be made a task of."""
    async with compose_app(orders) as bus:
        pending = bus.commands.execute(Place(1))
        assert isinstance(pending, Coroutine)
        assert await asyncio.create_task(pending) == Success(1)
