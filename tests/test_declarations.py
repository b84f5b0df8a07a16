from typing import Any

import attrs
from returns.result import Result, Success

from cqrs import Command, Event, Feature
from cqrs.declarations import Handling, Options, Registration


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Handler:
    """A class handler."""

    async def __call__(self, _command: Place) -> Result[int, str]:
        """Handle."""
        return Success(1)


async def place(_message: Any) -> Result[int, str]:
    return Success(1)


def test_declaring_gives_the_function_back() -> None:
    """Handlers and subscribers stay what they were: decorating changes nothing but the feature."""
    feature = Feature("orders")

    assert feature.handles(Place)(place) is place
    assert feature.subscribes(Placed)(place) is place
    assert feature.handles(Place)(Handler) is Handler


def test_nothing_is_declared_before_the_second_step() -> None:
    """`handles(Message)` alone adds no handler: there is none yet."""
    handlings: list[Handling] = []
    step = Registration(Place, Options(timeout=2.0), handlings)

    assert handlings == []
    step(place)
    assert [(h.message, h.handler, h.options.timeout) for h in handlings] == [(Place, place, 2.0)]
