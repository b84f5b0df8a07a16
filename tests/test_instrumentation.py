import io
from collections.abc import Iterator
from typing import Any

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Command, ConsoleInstrument, Event, Feature, Instrument, Rejection
from cqrs.instrumentation import outcome_of, overrides


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Placed(Event):
    """An event."""


@pytest.fixture
def orders() -> Feature:
    """A feature with a handler and a subscriber."""
    feature = Feature("orders")

    async def place(_message: object) -> Result[int, str]:
        return Success(1)

    feature.handles(Place)(place)
    feature.subscribes(Placed, name="place")(place)
    return feature


@pytest.fixture
def slow() -> Feature:
    """A feature whose handler runs until it is cancelled."""
    feature = Feature("slow")

    @feature.handles(Place)
    async def place(_command: Place) -> Result[int, str]:
        await anyio.sleep_forever()
        return Success(1)

    return feature


def test_a_hook_that_is_not_overridden_is_told_apart() -> None:
    """What an instrument does not define is told apart at the start, so that it costs nothing later."""

    class Deaf(Instrument): ...

    assert not overrides(Deaf(), "around")
    assert not overrides(Deaf(), "published")
    assert overrides(ConsoleInstrument(), "finished")


class Forbidden(Rejection):
    """A correct no."""


@pytest.mark.parametrize(
    ("result", "outcome"),
    [(Success(None), "success"), (Failure(Forbidden()), "rejected"), (Failure("disk full"), "error")],
)
def test_an_outcome_has_a_name(result: Result[Any, Any], outcome: str) -> None:
    """A success, a correct no and a failed operation are told apart."""
    assert outcome_of(result) == outcome


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def console_lines() -> Iterator[io.StringIO]:
    """A stream for a console instrument."""
    with io.StringIO() as stream:
        yield stream


async def test_the_console_prints_one_line_per_message(
    compose_app: Any, orders: Feature, console_lines: io.StringIO
) -> None:
    """Outcome, duration, kind and name stand on one line without colours where there is no terminal."""
    async with compose_app(orders, instruments=[ConsoleInstrument(console_lines)]) as bus:
        await bus.commands.execute(Place())
        await bus.events.publish(Placed())

    command, event = console_lines.getvalue().splitlines()
    assert command.startswith("success")
    assert command.endswith("ms  command Place")
    assert event.endswith("ms  event   Placed → place")
    assert "\x1b" not in console_lines.getvalue()


async def test_the_console_names_the_error_and_a_cancellation(compose_app: Any, slow: Feature) -> None:
    """A failure shows the class of its error, a cancelled dispatch that it was cancelled; a terminal gets colours."""
    terminal = Terminal()

    @slow.subscribes(Placed)
    async def failing(_event: Placed) -> Result[None, ValueError]:
        return Failure(ValueError("no"))

    async with compose_app(slow, instruments=[ConsoleInstrument(terminal)]) as bus:
        await bus.events.publish(Placed())
        with anyio.move_on_after(0.01):
            await bus.commands.execute(Place())

    failed, cancelled = terminal.getvalue().splitlines()
    assert failed.startswith("\x1b[31merror")
    assert failed.endswith("  ValueError")
    assert cancelled.startswith("\x1b[35mcancelled")


async def test_the_console_writes_to_standard_error_of_the_moment(
    compose_app: Any, orders: Feature, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a stream of its own the line goes to what standard error is when it is written."""
    async with compose_app(orders, instruments=[ConsoleInstrument()]) as bus:
        await bus.commands.execute(Place())

    assert "command Place" in capsys.readouterr().err
