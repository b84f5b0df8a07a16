from collections.abc import Callable
from functools import wraps
from typing import Any

import attrs
import pytest
from returns.future import future_safe
from returns.result import Result, Success

from cqrs import Event, EventBus, lift
from cqrs.named_events import named_events


@attrs.frozen
class Placed(Event):
    """An event."""


@attrs.frozen
class Cancelled(Event):
    """Another event."""


async def naming(_message: Any, *, events: EventBus) -> Result[int, str]:
    await events.publish(Placed())
    await events.publish(Placed())
    return Success(1)


async def naming_inside(_message: Any) -> Result[list[Event], str]:
    def both() -> list[Event]:
        return [Cancelled(), Placed()]

    return Success(both())


async def silent(_message: Any) -> Result[int, str]:
    return Success(len("Placed"))


@lift
@future_safe
async def lifted(_message: Any) -> int:
    return id(Placed)


class Handler:
    """A class handler."""

    async def __call__(self, _message: Any) -> Result[int, str]:
        """Name an event."""
        return Success(id(Cancelled))


def enclosing() -> Callable[..., Any]:
    @attrs.frozen
    class Local(Event):
        pass

    async def handler(_message: Any) -> Result[Event, str]:
        return Success(Local())

    return handler


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("handler", "names"),
    [
        (naming, ("order placed",)),
        (naming_inside, ("Cancelled", "order placed")),
        (silent, ()),
        (lifted, ("order placed",)),
        (Handler, ("Cancelled",)),
        (enclosing(), (f"{enclosing.__name__}.<locals>.Local",)),
        (decorated(naming), ("order placed",)),
        (len, ()),
        (5, ()),
    ],
    ids=["twice", "inside", "none", "lifted", "class", "enclosed", "decorated", "built in", "no function"],
)
def test_the_events_that_a_handler_names_are_read_from_its_code(handler: Any, names: tuple[str, ...]) -> None:
    """Each once, also from inner functions and behind decorators, by the name that the app knows it by."""
    assert named_events(handler, {Placed: "order placed"}) == names


def test_a_name_that_is_not_bound_yet_is_no_event() -> None:
    """A variable of the enclosing function that has no value yet is passed over."""

    def early() -> tuple[str, ...]:
        return named_events(handler, {})

    async def handler(_message: Any) -> Result[int, str]:
        return Success(later)

    assert early() == ()
    later = 5
    assert early() == ()
