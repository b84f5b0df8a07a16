"""A handler is checked against its message: every line marked `refused` is, by both checkers; no other is."""

from returns.future import future_safe
from returns.result import Failure, Result, Success

from cqrs import EventBus, Fault, Feature, lift
from tests.typing.messages import Audit, Cancel, Cancelled, Find, Forbidden, OutOfStock, Place, Placed, Stock

orders = Feature("orders")


@orders.handles(Place, timeout=2.0)
async def right(command: Place, *, stock: Stock, events: EventBus) -> Result[int, OutOfStock]:
    return Success(len(command.sku))


@orders.handles(Find)
async def right_query(query: Find) -> Result[str, Forbidden]:
    return Failure(Forbidden()) if query.order < 0 else Success("found")


@orders.handles(Audit)
async def narrower_error(command: Audit) -> Result[str, Forbidden]:
    return Failure(Forbidden())


@orders.handles(Place)
async def passed_on_fault(command: Place) -> Result[int, OutOfStock | Fault]:
    return Success(1)


async def wrong_message(command: Cancel) -> Result[int, OutOfStock]:
    return Success(1)


async def wrong_value(command: Place) -> Result[str, OutOfStock]:
    return Success("1")


async def wrong_error(command: Place) -> Result[int, Forbidden]:
    return Failure(Forbidden())


async def wider_error(command: Place) -> Result[int, OutOfStock | str]:
    return Failure("no")


async def forgotten_result(command: Place) -> int:
    return 1


def sync(command: Place) -> Result[int, OutOfStock]:
    return Success(1)


orders.handles(Place)(wrong_message)  # refused
orders.handles(Place)(wrong_value)  # refused
orders.handles(Place)(wrong_error)  # refused
orders.handles(Place)(wider_error)  # refused
orders.handles(Place)(forgotten_result)  # refused
orders.handles(Place)(sync)  # refused
orders.handles(Placed)  # refused
orders.handles(Stock)  # refused


class RightHandler:
    def __init__(self, stock: Stock) -> None:
        self.stock = stock

    async def __call__(self, command: Place) -> Result[int, OutOfStock]:
        return Success(1)


class WrongHandler:
    def __init__(self, stock: Stock) -> None:
        self.stock = stock

    async def __call__(self, command: Place) -> Result[str, OutOfStock]:
        return Success("1")


class SyncHandler:
    def __call__(self, command: Place) -> Result[int, OutOfStock]:
        return Success(1)


orders.handles(Place)(RightHandler)
orders.handles(Place)(WrongHandler)  # refused
orders.handles(Place)(SyncHandler)  # refused
RightHandler(Stock())


@future_safe
async def may_raise(command: Cancel) -> None:
    return None


class CancelError(Exception):
    """What the lifted handler's message should have named."""


orders.handles(Cancel)(lift(may_raise))  # refused


@orders.subscribes(Placed, name="one")
async def hears_one(event: Placed, *, stock: Stock) -> Result[None, str]:
    return Success(None)


@orders.subscribes(Placed, Cancelled)
async def hears_two(event: Placed | Cancelled) -> Result[None, str]:
    return Success(None)


async def hears_another(event: Cancelled) -> Result[None, str]:
    return Success(None)


async def answers_nothing(event: Placed) -> None:
    return None


orders.subscribes(Placed)(hears_another)  # refused
orders.subscribes(Placed)(answers_nothing)  # refused
orders.subscribes(Placed, Cancelled)(hears_one)  # refused
orders.subscribes(Place)  # refused
