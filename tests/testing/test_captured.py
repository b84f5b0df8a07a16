"""What an app did while a test ran, as lists."""

import logging

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Event, Feature
from cqrs.testing.captured import capturing


@attrs.frozen
class Order(Command[int, str]):
    """A command."""

    number: int


@attrs.frozen
class Ordered(Event):
    """An event."""

    number: int


@attrs.frozen
class Unheard(Event):
    """An event without subscribers."""


async def test_everything_is_there_as_lists() -> None:
    """Dispatches, events, publishes and log lines of what happened within the block."""
    feature = Feature("shop")

    @feature.handles(Order)
    async def order(command: Order) -> Result[int, str]:
        await app.events.publish(Ordered(command.number))
        await app.events.publish(Unheard())
        return Failure("none") if command.number else Success(1 // command.number)

    @feature.subscribes(Ordered)
    async def ordered(_event: Ordered) -> Result[None, str]:
        return Success(None)

    with capturing() as captured:
        app = CqrsModule.for_root(feature, instruments=[captured.instrument], plugins=(), env={})
        async with app as bus:
            await bus.commands.execute(Order(1))
            await bus.commands.execute(Order(0))

    assert [each.outcome for each in captured.observations if each.handler.kind == "command"] == ["error"] * 2
    assert captured.events == [Ordered(1), Ordered(0)]
    assert [each.event_type for each in captured.publishes] == ["Ordered", "Unheard"] * 2
    assert ["ZeroDivisionError" in record.getMessage() for record in captured.logs] == [True]
    assert (captured.retries, captured.dead_letters) == ([], [])


def test_nothing_is_captured_afterwards(caplog: pytest.LogCaptureFixture) -> None:
    """The block leaves the logger as it was."""
    logger = logging.getLogger("cqrs")
    before = list(logger.handlers)

    with capturing() as captured:
        logger.error("within")
    logger.error("after")

    assert [record.getMessage() for record in captured.logs] == ["within"]
    assert logger.handlers == before
    assert [record.getMessage() for record in caplog.records] == ["within", "after"]
