"""Wrong handlers."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import anyio
import attrs
from attrs import validators as v
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Feature, Rejection
from cqrs.testing import HANDLER_LAWS, HandlerSubject
from property_tests.mutants.mutant import Mutant, Suite


@attrs.frozen
class OutOfStock(Rejection):
    """There is less than was asked for."""

    left: int


@attrs.frozen
class Take(Command[int, OutOfStock]):
    """Take some of what is in stock, once for each order."""

    order: str
    quantity: int = attrs.field(default=1, validator=v.and_(v.ge(1), v.le(100)))


@attrs.define
class Stock:
    """What is there, and which orders were served."""

    left: int = 50
    orders: dict[str, int] = attrs.field(factory=dict)


Handle = Callable[[Take, Stock], Any]


async def right(command: Take, stock: Stock) -> Result[int, OutOfStock]:
    await anyio.lowlevel.checkpoint()
    if command.order in stock.orders:
        return Success(stock.orders[command.order])
    if command.quantity > stock.left:
        return Failure(OutOfStock(stock.left))
    stock.left -= command.quantity
    stock.orders[command.order] = command.quantity
    return Success(command.quantity)


async def raising(command: Take, stock: Stock) -> Any:
    if command.quantity == 100:
        raise KeyError(command.order)
    return await right(command, stock)


async def forgetting(command: Take, stock: Stock) -> Any:
    return await right(command, stock) if command.quantity <= stock.left else None


async def stringly(command: Take, stock: Stock) -> Any:
    answer = await right(command, stock)
    return answer if isinstance(answer, Success) else Failure(str(answer.failure().left))


calls = count()


async def counting(command: Take, stock: Stock) -> Any:
    await right(command, stock)
    return Success(next(calls))


async def repeating(command: Take, stock: Stock) -> Any:
    stock.orders.pop(command.order, None)
    return await right(command, stock)


async def torn(command: Take, stock: Stock) -> Any:
    stock.left -= command.quantity
    await anyio.lowlevel.checkpoint()
    stock.orders[command.order] = command.quantity
    return Success(command.quantity)


async def deaf(command: Take, stock: Stock) -> Any:
    try:
        return await right(command, stock)
    except anyio.get_cancelled_exc_class():
        return Failure(OutOfStock(stock.left))


tenant: ContextVar[str] = ContextVar("tenant", default="")
started: set[Any] = set()
opened: list[TextIO] = []


async def marking(command: Take, stock: Stock) -> Any:
    tenant.set(command.order)
    return await right(command, stock)


async def spawning(command: Take, stock: Stock) -> Any:
    started.add(asyncio.get_running_loop().create_task(asyncio.sleep(60)))
    return await right(command, stock)


async def opening(command: Take, stock: Stock) -> Any:
    opened.append(Path(__file__).open())  # noqa: ASYNC230, SIM115 - wrong on purpose
    return await right(command, stock)


@contextmanager
def tidied() -> Iterator[None]:
    """Close what a mutant leaves open."""
    yield
    started.clear()
    while opened:
        opened.pop().close()


def subject(handle: Handle) -> HandlerSubject:
    stocks: dict[int, Stock] = {}

    def compose() -> Any:
        stock = Stock()
        feature = Feature("stock")

        @feature.handles(Take)
        async def take(command: Take) -> Result[int, OutOfStock]:
            return await handle(command, stock)  # type: ignore[no-any-return]  # what the mutant gives

        app = CqrsModule.for_root(feature, plugins=(), env={})
        stocks[id(app)] = stock
        return app

    def state(app: Any) -> object:
        stock = stocks[id(app)]
        return stock.left, dict(stock.orders)

    return HandlerSubject(Take, compose, state=state, deterministic=True, idempotent=True)


def mutant(name: str, killed_by: str, handle: Handle) -> Mutant:
    return Mutant(name, killed_by, subject(handle), tidied)


HANDLERS = Suite(
    "handler",
    HANDLER_LAWS,
    (subject(right),),
    (
        mutant("raises for one quantity in a hundred", "never_raises", raising),
        mutant("returns nothing where it should fail", "never_raises", forgetting),
        mutant("fails with a text instead of the declared error", "answers_as_declared", stringly),
        mutant("answers with a number of its process", "is_deterministic", counting),
        mutant("serves an order a second time", "is_idempotent", repeating),
        mutant("takes before it waits and notes after it", "cancellation_leaves_no_half_state", torn),
        mutant("answers although it was cancelled", "cancellation_leaves_no_half_state", deaf),
        mutant("sets a context variable of its caller", "leaks_nothing", marking),
        mutant("leaves a task running", "leaks_nothing", spawning),
        mutant("leaves a file open", "leaks_nothing", opening),
    ),
)
