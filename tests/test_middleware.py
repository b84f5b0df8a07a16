from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Command, Fault, Feature, HandlerInfo, Message, Middleware, Next, Refused, Rejection
from cqrs.faults import ContractBroken, HandlerCrashed


@attrs.frozen
class Place(Command[int, str]):
    """A command."""

    quantity: int


@attrs.frozen
class Forbidden(Rejection):
    """A reason to refuse."""


@pytest.fixture
def orders(journal: list[str]) -> Feature:
    """A feature whose one handler writes into the journal."""
    feature = Feature("orders")

    @feature.handles(Place)
    async def place(command: Place) -> Result[int, str]:
        journal.append("handler")
        return Success(command.quantity)

    return feature


@pytest.fixture
def journal() -> list[str]:
    """What happened, in order."""
    return []


def noting(name: str, journal: list[str]) -> Middleware:
    def factory(next: Next, _handler: HandlerInfo) -> Next:
        async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
            journal.append(f"{name} before")
            result = await next(message)
            journal.append(f"{name} after")
            return result

        return call

    return factory


def answering(answer: Any) -> Middleware:
    def factory(_next: Next, _handler: HandlerInfo) -> Next:
        async def call(_message: Message[Any, Any], /) -> Any:
            return answer

        return call

    return factory


def crashing(*, after: bool) -> Middleware:
    def factory(next: Next, _handler: HandlerInfo) -> Next:
        async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
            if after:
                await next(message)
            raise ValueError("middleware broke")

        return call

    return factory


async def test_the_first_middleware_is_the_outermost(
    compose_app: Any, orders: Feature, journal: list[str]
) -> None:
    """Middleware runs in the order given on the way in, and in reverse on the way out."""
    async with compose_app(orders, middleware=[noting("a", journal), noting("b", journal)]) as bus:
        assert await bus.commands.execute(Place(3)) == Success(3)

    assert journal == ["a before", "b before", "handler", "b after", "a after"]


async def test_a_middleware_may_refuse_without_calling_on(
    compose_app: Any, orders: Feature, journal: list[str]
) -> None:
    """A refusal comes back as it is; neither the handler nor the middleware inside runs."""
    refusal = Failure(Refused(Forbidden()))

    async with compose_app(orders, middleware=[answering(refusal), noting("inner", journal)]) as bus:
        assert await bus.commands.execute(Place(3)) is refusal

    assert journal == []


@pytest.mark.parametrize("after", [False, True])
async def test_a_middleware_that_crashes_is_a_crash_of_its_stage(
    compose_app: Any, orders: Feature, journal: list[str], *, after: bool
) -> None:
    """Before or after `next`, a crash of a middleware is told as one, with the handler that it was around."""
    async with compose_app(orders, middleware=[crashing(after=after)]) as bus:
        fault = (await bus.commands.execute(Place(3))).failure()

    assert isinstance(fault, HandlerCrashed)
    assert (fault.stage, fault.text) == ("middleware", "middleware broke")
    assert fault.handler.endswith(".place")
    assert journal == (["handler"] if after else [])


@pytest.mark.parametrize("junk", [None, 3, Success(Success(1))], ids=str)
async def test_a_middleware_that_answers_junk_breaks_the_contract(
    junk: Any, compose_app: Any, orders: Feature
) -> None:
    """What leaves the middleware is held to the contract like a handler's answer."""
    async with compose_app(orders, middleware=[answering(junk)]) as bus:
        fault = (await bus.commands.execute(Place(3))).failure()

    assert isinstance(fault, ContractBroken)
    assert fault.handler.startswith("a middleware around ")


async def test_a_middleware_sees_the_crash_of_its_handler_as_a_value(
    compose_app: Any, journal: list[str]
) -> None:
    """The handler is guarded inside of the middleware, which gets a Failure and never an exception."""
    feature = Feature("broken")

    @feature.handles(Place)
    async def place(command: Place) -> Result[int, str]:
        raise ValueError(command)

    async with compose_app(feature, middleware=[noting("a", journal)]) as bus:
        fault = (await bus.commands.execute(Place(3))).failure()

    assert isinstance(fault, HandlerCrashed)
    assert fault.stage == "handler"
    assert journal == ["a before", "a after"]


async def test_a_middleware_is_composed_once_per_handler_with_what_is_known_of_it(
    compose_app: Any, orders: Feature
) -> None:
    """The factory is called once when the app starts, with the handler's name, place and message."""
    composed: list[HandlerInfo] = []

    def watching(next: Next, handler: HandlerInfo) -> Next:
        composed.append(handler)
        return next

    async with compose_app(orders, middleware=[watching]) as bus:
        for quantity in range(3):
            await bus.commands.execute(Place(quantity))

    (handler,) = composed
    assert (handler.kind, handler.message, handler.message_type) == ("command", Place, "Place")
    assert handler.place.rpartition(":")[0].endswith("test_middleware.py")
    assert (handler.subscriber, handler.timeout) == (None, None)
