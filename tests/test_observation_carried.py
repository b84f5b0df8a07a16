"""A context variable that a dispatch runs with."""

import asyncio
from contextvars import ContextVar

import attrs
import pytest
from returns.result import Result, Success

from cqrs import Command, CqrsModule, Feature, HandlerInfo, Instrument, MessageContext
from cqrs.instrumentation import Carried, Finished

FIRST: ContextVar[object] = ContextVar("first", default="unset")
SECOND: ContextVar[object] = ContextVar("second", default="unset")


@attrs.frozen
class Look(Command[tuple[object, object], str]):
    """Asks what the variables are."""

    raises: BaseException | None = None


class Carrying(Instrument):
    """Has each dispatch run with a variable, and hears of its end."""

    def __init__(self, variable: ContextVar[object], value: object) -> None:
        self.variable, self.value = variable, value
        self.heard: list[object] = []

    def carried(self, handler: HandlerInfo, /) -> Carried:
        """Set it to the value, the message and whether there is an identity; a value that is an error is raised."""

        def value(context: MessageContext, message: object) -> object:
            if isinstance(self.value, BaseException):
                raise self.value
            return self.value, type(message).__name__, handler.message_type, context.message_number > 0

        return Carried(self.variable, value)

    def finished(self, handler: HandlerInfo, /) -> Finished:
        """Keep what the variable is at the end."""
        del handler
        return lambda *_: self.heard.append(self.variable.get())


class OnlyCarrying(Carrying):
    """Hears of no end."""

    finished = Instrument.finished


async def dispatched(
    *instruments: Instrument, message: Look | None = None
) -> Result[tuple[object, object], object]:
    """Ask a handler what it sees."""
    feature = Feature("looking")

    @feature.handles(Look)
    async def look(command: Look) -> Result[tuple[object, object], str]:
        await asyncio.sleep(0)
        if command.raises is not None:
            raise command.raises
        return Success((FIRST.get(), SECOND.get()))

    async with CqrsModule.for_root(feature, instruments=instruments, plugins=()) as app:
        result = await app.commands.execute(message or Look())
        assert (FIRST.get(), SECOND.get()) == ("unset", "unset")
        return result


@pytest.mark.parametrize("kind", [Carrying, OnlyCarrying])
async def test_a_dispatch_runs_with_the_variable_and_nothing_else_does(kind: type[Carrying]) -> None:
    """It is set for what runs inside and has its former value for the caller."""
    instrument = kind(FIRST, 1)

    assert await dispatched(instrument) == Success(((1, "Look", "Look", True), "unset"))
    assert instrument.heard == (["unset"] if kind is Carrying else [])


async def test_several_instruments_carry_one_each() -> None:
    """None hides another's."""
    one, two = Carrying(FIRST, 1), OnlyCarrying(SECOND, 2)

    assert await dispatched(one, two) == Success(((1, "Look", "Look", True), (2, "Look", "Look", True)))
    assert await dispatched(two, one) == Success(((1, "Look", "Look", True), (2, "Look", "Look", True)))


@pytest.mark.parametrize("broken_first", [True, False])
async def test_a_value_that_cannot_be_given_changes_nothing(
    broken_first: bool,  # noqa: FBT001 - a table
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The dispatch goes on without it, and the failure is said once."""
    broken, sound = Carrying(FIRST, ValueError("broken")), Carrying(SECOND, 2)
    instruments = (broken, sound) if broken_first else (sound, broken)

    assert await dispatched(*instruments) == Success(("unset", (2, "Look", "Look", True)))
    assert [record.getMessage() for record in caplog.records] == [
        "Instrument Carrying failed in carried; dispatches go on without it."
    ]
    assert broken.heard == sound.heard == ["unset"]


@pytest.mark.parametrize("several", [True, False])
async def test_the_variable_is_reset_when_a_dispatch_is_cancelled(several: bool) -> None:  # noqa: FBT001 - a table
    """Cancellation passes and leaves nothing set."""
    instruments = (Carrying(SECOND, 2), Carrying(FIRST, 1)) if several else (Carrying(FIRST, 1),)

    with pytest.raises(asyncio.CancelledError):
        await dispatched(*instruments, message=Look(asyncio.CancelledError()))
    assert (FIRST.get(), SECOND.get()) == ("unset", "unset")
    assert all(len(instrument.heard) == 1 for instrument in instruments)


async def test_an_instrument_that_carries_nothing_is_not_in_the_way() -> None:
    """None for a handler leaves its dispatches as they are."""

    class Nothing(Instrument):
        def carried(self, handler: HandlerInfo, /) -> Carried | None:
            """Carry nothing."""
            del handler

    assert await dispatched(Nothing()) == Success(("unset", "unset"))
