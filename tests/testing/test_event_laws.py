"""The laws of events, kept by the core and broken by what is hung around it."""

from typing import Any

import pytest
from hypothesis import Phase, settings
from returns.result import Failure, Success

from cqrs import CqrsModule, HandlerInfo, Next, Rejection
from cqrs.testing import BusSubject, LawBroken, check_law
from cqrs.testing.event_laws import EVENT_LAWS
from cqrs.testing.scripted import Happened

QUICK = settings(max_examples=30, derandomize=True, database=None, phases=[Phase.generate])
LAWS = {law.name: law for law in EVENT_LAWS}


async def optimistic(message: Any, next: Next) -> Any:
    answer = await next(message)
    return (
        Success(None) if isinstance(answer, Failure) and isinstance(answer.failure(), Rejection) else answer
    )


async def twice(message: Any, next: Next) -> Any:
    await next(message)
    return await next(message)


async def announcing(message: Any, next: Next) -> Any:
    if not isinstance(message, Happened):
        await apps[-1].events.publish(Happened(0))
    return await next(message)


apps: list[Any] = []


def around(call: Any) -> BusSubject:
    def middleware(next: Next, _handler: HandlerInfo, /) -> Next:
        async def inner(message: Any, /) -> Any:
            return await call(message, next)

        return inner

    def compose(feature: Any, instruments: Any) -> Any:
        options: dict[str, Any] = {
            "instruments": instruments,
            "middleware": [middleware],
            "plugins": (),
            "env": {},
        }
        apps[:] = [CqrsModule.for_root(feature, **options)]
        return apps[0]

    return BusSubject(compose)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("law", LAWS)
def test_the_core_keeps_every_law(law: str, backend: Any) -> None:
    """On both event loops."""
    check_law(LAWS[law], BusSubject(), settings=QUICK, backend=backend)


@pytest.mark.parametrize(
    ("law", "call", "told"),
    [
        ("isolates_subscribers", optimistic, "in this order; got"),
        ("emits_after_success", announcing, "there was .'heard'"),
        ("keeps_quiet_when_cancelled", announcing, "there was .'heard'"),
        ("keeps_the_order", twice, "expected"),
        ("tries_again_and_parks", optimistic, "after 1 attempts"),
    ],
)
def test_what_breaks_a_promise_is_found(law: str, call: Any, told: str) -> None:
    """A middleware that tells another outcome, and one that announces what has not happened yet."""
    with pytest.raises(LawBroken, match=told):
        check_law(LAWS[law], around(call), settings=QUICK)
