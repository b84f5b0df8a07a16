"""The laws of the buses, kept by the core and broken by what is hung around it."""

from typing import Any

import pytest
from hypothesis import Phase, settings
from returns.result import Failure, Success

from cqrs import CqrsModule, HandlerInfo, Next, Rejection
from cqrs.testing import BUS_LAWS, BusSubject, LawBroken, check_law

QUICK = settings(max_examples=30, derandomize=True, database=None, phases=[Phase.generate])
LAWS = {law.name: law for law in BUS_LAWS}


async def passing(message: Any, next: Next) -> Any:
    return await next(message)


async def twice(message: Any, next: Next) -> Any:
    await next(message)
    return await next(message)


async def optimistic(message: Any, next: Next) -> Any:
    answer = await next(message)
    return (
        Success(None) if isinstance(answer, Failure) and isinstance(answer.failure(), Rejection) else answer
    )


async def swallowing(message: Any, next: Next) -> Any:
    try:
        return await next(message)
    except BaseException as error:  # noqa: BLE001 - wrong on purpose
        return Failure(error)


def around(call: Any) -> BusSubject:
    def middleware(next: Next, _handler: HandlerInfo, /) -> Next:
        async def inner(message: Any, /) -> Any:
            return await call(message, next)

        return inner

    return BusSubject(
        lambda feature, instruments: CqrsModule.for_root(
            feature, instruments=instruments, middleware=[middleware], plugins=(), env={}
        )
    )


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("subject", [BusSubject(), around(passing)], ids=["plain", "middleware"])
@pytest.mark.parametrize("law", LAWS)
def test_the_core_keeps_every_law(law: str, subject: BusSubject, backend: Any) -> None:
    """With nothing around it and with middleware, on both event loops."""
    check_law(LAWS[law], subject, settings=QUICK, backend=backend)


@pytest.mark.parametrize(
    ("law", "call", "told"),
    [
        ("gives_one_outcome", twice, "the handlers heard"),
        ("gives_one_outcome", optimistic, "expected"),
        ("keeps_cancellation", swallowing, "cancelled where it waits for time 1, it answered"),
        ("keeps_contexts_apart", twice, "two messages have one identity"),
    ],
)
def test_a_middleware_that_breaks_a_promise_is_found(law: str, call: Any, told: str) -> None:
    """The law of the buses holds no longer."""
    with pytest.raises(LawBroken, match=told):
        check_law(LAWS[law], around(call), settings=QUICK)


def test_an_app_that_is_running_already_is_found() -> None:
    """A closed app that answers would be one that lost its gate."""
    with pytest.raises(LawBroken, match="before it ran, a command was answered with"):
        check_law(LAWS["says_that_it_is_closed"], BusSubject(Opened), settings=QUICK)


class Opened:
    """Looks like an app, and answers before it runs."""

    def __init__(self, feature: Any, instruments: Any) -> None:
        self.app = BusSubject().compose(feature, instruments)
        self.commands = self
        self.events = self.app.events

    async def execute(self, _command: Any) -> Any:
        """Answer at once."""
        return Success(1)


def test_an_app_that_takes_a_second_handler_is_found() -> None:
    """Duplicates must not overwrite one another."""

    class Careless:
        def __init__(self, feature: Any, instruments: Any) -> None:
            del feature.handlings[1:]
            self.check = BusSubject().compose(feature, instruments).check

    with pytest.raises(LawBroken, match="a second handler"):
        check_law(LAWS["refuses_a_second_handler"], BusSubject(Careless), settings=QUICK)  # type: ignore[arg-type]  # looks like one
