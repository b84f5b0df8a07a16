"""Emit, the context, the lifetimes of services and the edge of a program are checked like everything else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import assert_type

from returns.result import Result, Success

from cqrs import MESSAGE, CqrsModule, Emit, Feature, MessageContext, RetryPolicy, UnitOfWork
from cqrs import cqrs_context, current_context
from tests.typing.messages import Find, Forbidden, OutOfStock, Place, Placed, Stock

orders = Feature("orders")


class Session:
    """A unit of work."""

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...


class Half:
    """No unit of work."""

    async def commit(self) -> None: ...


@asynccontextmanager
async def session(stock: Stock) -> AsyncGenerator[Session]:
    yield Session()


def plain_session(stock: Stock) -> Session:
    return Session()


orders.provides(Session)
orders.provides(Session, session, lifetime=MESSAGE)
orders.provides(Session, plain_session)
orders.provides(Session, lifetime=1)  # refused
orders.provides(Session, Session())  # refused
orders.handles(Place, retry=RetryPolicy(3, base=0.5), log_fields=("sku",))
orders.handles(Place, retry=3)  # refused
orders.handles(Place, log_fields=1)  # refused


@orders.handles(Place)
async def emits(command: Place, *, emit: Emit, session: Session, context: MessageContext) -> Result[int, OutOfStock]:
    emit(Placed(1))
    emit(command)  # refused
    emit("placed")  # refused
    assert_type(context.tenant, str | None)
    assert_type(context.attempt, int)
    context.note("shop.size", 3)
    context.note(3, "shop.size")  # refused
    context.notes["shop.size"] = 3  # refused
    return Success(1)


@orders.handles(Find)
async def asks(query: Find, *, context: MessageContext | None = None) -> Result[str, Forbidden]:
    return Success("" if context is None else context.nonsense)  # refused


good: UnitOfWork = Session()
half: UnitOfWork = Half()  # refused
assert_type(current_context(), MessageContext | None)
with cqrs_context(tenant="acme", principal="ann", correlation_id="7"):
    pass
with cqrs_context("acme"):  # refused
    pass
with cqrs_context(tenant=7):  # refused
    pass
app = CqrsModule.for_root(orders)
with app.override(Session, Session()):
    pass
