"""A middleware may refuse, but not invent a value or an error that the message does not name."""

from typing import TypeVar

from returns.result import Failure, Result, Success

from cqrs import CqrsModule, Fault, Feature, HandlerInfo, Message, Middleware, Next, Refused
from cqrs.middleware import targeted
from tests.typing.messages import Find, Forbidden, Place

Value = TypeVar("Value")
Error = TypeVar("Error")


def passing(next: Next, handler: HandlerInfo) -> Next:
    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        return await next(message)

    return call


def refusing(next: Next, handler: HandlerInfo) -> Next:
    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        return Failure(Refused(Forbidden()))

    return call


def inventing(next: Next, handler: HandlerInfo) -> Next:
    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        return Success(1)  # refused

    return call


def inventing_an_error(next: Next, handler: HandlerInfo) -> Next:
    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        return Failure("no")  # refused

    return call


def bare_rejection(next: Next, handler: HandlerInfo) -> Next:
    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        return Failure(Forbidden())  # refused

    return call


def not_composing(handler: HandlerInfo) -> None: ...


chain: list[Middleware] = [passing, refusing]
CqrsModule.for_root(Feature("orders"), middleware=chain)
CqrsModule.for_root(Feature("orders"), middleware=[not_composing])  # refused
CqrsModule.for_root("orders")  # refused
CqrsModule.for_root(Feature("orders"), middleware=[targeted(passing, only=Place), targeted(refusing, except_=(Find,))])
targeted(not_composing)  # refused
targeted(passing, only="Place")  # refused


async def inventing_a_function(message: Message[int, str]) -> Result[int, str | Fault]:
    return Success(1)


def inventing_for_one(next: Next, handler: HandlerInfo) -> Next:
    return inventing_a_function  # refused
