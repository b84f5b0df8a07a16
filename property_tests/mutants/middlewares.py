"""Wrong middleware."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import anyio
import attrs
from returns.result import Failure, Success

from cqrs import HandlerInfo, Middleware, Next, Refused
from cqrs.faults import is_rejection
from cqrs.testing import MIDDLEWARE_LAWS, MiddlewareSubject
from cqrs.testing.middleware_laws import No
from property_tests.mutants.mutant import Mutant, Suite

Call = Callable[[Any, Next], Any]


def middleware(call: Call) -> Middleware:
    def around(next: Next, _handler: HandlerInfo, /) -> Next:
        async def inner(message: Any, /) -> Any:
            return await call(message, next)

        return inner

    return around


async def audited(message: Any, next: Next) -> Any:
    await anyio.lowlevel.checkpoint()
    return await next(message)


async def refusing(message: Any, next: Next) -> Any:
    return Failure(Refused(No("odd"))) if message.number % 2 else await next(message)


async def raising(message: Any, next: Next) -> Any:
    answer = await next(message)
    if message.number > 1000:
        raise OverflowError(message.number)
    return answer


async def unwrapping(message: Any, next: Next) -> Any:
    answer = await next(message)
    return Success(answer.unwrap() or 0) if isinstance(answer, Success) else answer


async def softening(message: Any, next: Next) -> Any:
    answer = await next(message)
    softened = isinstance(answer, Failure) and is_rejection(answer.failure())
    return Failure("refused") if softened else answer


async def defaulting(message: Any, next: Next) -> Any:
    answer = await next(message)
    return Success(None) if isinstance(answer, Failure) else answer


async def answering(message: Any, next: Next) -> Any:
    return Success(0) if message.number == 0 else await next(message)


async def normalising(message: Any, next: Next) -> Any:
    return await next(attrs.evolve(message, number=abs(message.number)))


async def retrying(message: Any, next: Next) -> Any:
    answer = await next(message)
    return await next(message) if isinstance(answer, Failure) else answer


async def deaf(message: Any, next: Next) -> Any:
    try:
        return await next(message)
    except BaseException as error:  # noqa: BLE001 - wrong on purpose
        return Failure(error)


tenant: ContextVar[int] = ContextVar("tenant", default=0)


async def marking(message: Any, next: Next) -> Any:
    tenant.set(message.number)
    return await next(message)


class LastNext:
    """Keeps what it was given last."""

    def __call__(self, next: Next, _handler: HandlerInfo, /) -> Next:
        """Compose."""
        self.next = next
        return self.call

    async def call(self, message: Any, /) -> Any:
        """Answer."""
        return await self.next(message)


def subject(call: Call) -> MiddlewareSubject:
    return MiddlewareSubject(lambda: middleware(call))


def mutant(name: str, killed_by: str, call: Call) -> Mutant:
    return Mutant(name, killed_by, subject(call))


MIDDLEWARES = Suite(
    "middleware",
    MIDDLEWARE_LAWS,
    (subject(audited), subject(refusing)),
    (
        mutant("raises for large numbers", "raises_nothing", raising),
        mutant("turns a Success of nothing into one of 0", "keeps_success", unwrapping),
        mutant("replaces a rejection by a text", "keeps_failure", softening),
        mutant("turns a Failure into a Success of nothing", "keeps_failure", defaulting),
        mutant("answers by itself with a Success", "invents_no_value", answering),
        mutant("hands on a changed message", "passes_the_message_on", normalising),
        mutant("calls next twice after a Failure", "calls_next_at_most_once", retrying),
        mutant("stores a cancellation as a Failure", "keeps_cancellation", deaf),
        mutant("leaves a context variable set", "leaks_no_context", marking),
        Mutant(
            "mixes up the handlers that it is around", "composes_associatively", MiddlewareSubject(LastNext)
        ),
    ),
)
