"""The laws of a middleware, each with one that keeps it and one that breaks it."""

from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import anyio
import attrs
import pytest
from hypothesis import Phase, settings
from returns.result import Failure, Success

from cqrs import HandlerInfo, Middleware, Next, Query, Refused
from cqrs.testing import MIDDLEWARE_LAWS, LawBroken, MiddlewareSubject, check_law, laws_for
from cqrs.testing.middleware_laws import No

QUICK = settings(max_examples=30, derandomize=True, database=None, phases=[Phase.generate])
LAWS = {law.name: law for law in MIDDLEWARE_LAWS}
seen: ContextVar[int] = ContextVar("seen", default=0)


@attrs.frozen
class Ask(Query[int, str]):
    """Asks for a number."""

    number: int


def middleware(call: Any) -> Middleware:
    def around(next: Next, handler: HandlerInfo, /) -> Next:
        async def inner(message: Any, /) -> Any:
            return await call(message, next, handler)

        return inner

    return around


async def passing(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    return await next(message)


async def refusing(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    return Failure(Refused(No("odd"))) if message.number % 2 else await next(message)


async def raising(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    await next(message)
    raise ValueError("after")


async def wrapping(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    result = await next(message)
    return Success(str(result.unwrap())) if isinstance(result, Success) else result


async def renaming(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    result = await next(message)
    return Failure("failed") if isinstance(result, Failure) else result


async def inventing(_message: Any, _next: Next, _handler: HandlerInfo) -> Any:
    return Success(None)


async def changing(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    return await next(attrs.evolve(message, number=0))


async def twice(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    await next(message)
    return await next(message)


async def swallowing(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    with suppress(anyio.get_cancelled_exc_class()):
        return await next(message)
    return Failure(No("cancelled"))


async def leaking(message: Any, next: Next, _handler: HandlerInfo) -> Any:
    seen.set(message.number + 1)
    return await next(message)


class Forgetful:
    """Keeps the last next that it was given."""

    def __call__(self, next: Next, _handler: HandlerInfo, /) -> Next:
        """Compose."""
        self.next = next
        return self.call

    async def call(self, message: Any, /) -> Any:
        """Answer."""
        return await self.next(message)


def check(law: str, made: Any, **options: Any) -> None:
    check_law(LAWS[law], MiddlewareSubject(made, **options), settings=QUICK)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("message", [None, Ask])
@pytest.mark.parametrize("call", [passing, refusing])
@pytest.mark.parametrize("law", LAWS)
def test_a_good_middleware_keeps_every_law(law: str, call: Any, message: Any, backend: Any) -> None:
    """One that looks on and one that refuses, around a command and a query, on both event loops."""
    good = MiddlewareSubject(lambda: middleware(call), **({"message": message} if message else {}))

    check_law(LAWS[law], good, settings=QUICK, backend=backend)


@pytest.mark.parametrize(
    ("law", "call", "told"),
    [
        ("raises_nothing", raising, "ValueError: after"),
        ("keeps_success", wrapping, "next gave <Success: None>, it gave <Success: None>"),
        ("keeps_failure", renaming, "it gave <Failure: failed>"),
        ("invents_no_value", inventing, "next was not called, it gave <Success"),
        ("passes_the_message_on", changing, "next got"),
        ("calls_next_at_most_once", twice, "next was called 2 times"),
        ("keeps_cancellation", swallowing, "cancelled where it waits for time 1, it answered"),
        ("leaks_no_context", leaking, "set for its caller: seen"),
    ],
)
def test_a_bad_middleware_breaks_its_law(law: str, call: Any, told: str) -> None:
    """The text says what was seen instead."""
    with pytest.raises(LawBroken, match=told):
        check(law, lambda: middleware(call))


def test_a_middleware_that_keeps_one_next_breaks_its_law() -> None:
    """An object that is around two handlers must not mix them up."""
    with pytest.raises(LawBroken, match="among others"):
        check("composes_associatively", Forgetful)


def test_one_that_repeats_may_call_next_again() -> None:
    """It says so, and the law about calls is not claimed."""
    made = laws_for(
        "TestTwice", MIDDLEWARE_LAWS, subject=MiddlewareSubject(lambda: middleware(twice), repeats=True)
    )

    assert not hasattr(made, "test_calls_next_at_most_once")
