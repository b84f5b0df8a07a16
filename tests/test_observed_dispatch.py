"""An observed dispatch guards as one that nobody observes, and tells every end."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import attrs
import pytest
from returns.result import Result, Success

from cqrs import (
    Command,
    ContractBroken,
    Feature,
    HandlerCrashed,
    HandlerInfo,
    Instrument,
    MessageContext,
    Next,
    current_context,
)
from cqrs.instrumentation import Carried, Finished

VARIABLE: ContextVar[object] = ContextVar("observed", default=None)


@attrs.frozen
class Ask(Command[int, str]):
    """A command."""


@attrs.frozen
class Answer(Command[int, str]):
    """Another one."""


class Told(Instrument):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[MessageContext, object]] = []

    def finished(self, handler: HandlerInfo, /) -> Finished:
        """Keep context and answer."""
        del handler
        return lambda context, _, __, answer: self.told.append((context, answer))


class Carrying(Told):
    """Runs each dispatch with a variable, too."""

    def carried(self, handler: HandlerInfo, /) -> Carried:
        """Give the message."""
        del handler
        return Carried(VARIABLE, lambda _, message: message)


class Around(Told):
    """Stands around each dispatch, too."""

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Only pass on."""
        return passing(next, handler)


def passing(next: Next, handler: HandlerInfo) -> Next:
    """Only pass on."""
    del handler

    async def call(message: Any, /) -> Any:
        return await next(message)

    return call


def handling(handler: Callable[..., Any]) -> Feature:
    feature = Feature("asking")
    feature.handles(Ask)(handler)
    return feature


INSTRUMENTS = pytest.mark.parametrize("instrument", [Told, Carrying, Around])
MIDDLEWARE = pytest.mark.parametrize("middleware", [(), (passing,)], ids=["alone", "composed"])


@INSTRUMENTS
@MIDDLEWARE
async def test_what_is_no_result_is_told_as_the_fault_that_is_answered(
    instrument: type[Told], middleware: Any, compose_app: Any
) -> None:
    """The value never reaches the caller, and instrument and caller get the same one."""

    async def nested(_: Ask) -> Any:
        return Success(Success(1))

    watching = instrument()
    async with compose_app(handling(nested), instruments=[watching], middleware=middleware) as bus:
        answer = await bus.commands.execute(Ask())

    assert isinstance(answer.failure(), ContractBroken)
    assert [heard for _, heard in watching.told] == [answer]


@INSTRUMENTS
@MIDDLEWARE
async def test_a_crash_is_told_as_the_fault_that_is_answered(
    instrument: type[Told], middleware: Any, compose_app: Any
) -> None:
    """Whatever is raised becomes one value; nothing stays current behind it."""

    async def broken(_: Ask) -> Result[int, str]:
        raise KeyError("disk")

    watching = instrument()
    async with compose_app(handling(broken), instruments=[watching], middleware=middleware) as bus:
        answer = await bus.commands.execute(Ask())

    fault = answer.failure()
    assert isinstance(fault, HandlerCrashed)
    assert (fault.stage, fault.exception_type) == ("handler", "builtins.KeyError")
    assert [heard for _, heard in watching.told] == [answer]
    assert current_context() is None
    assert VARIABLE.get() is None


@INSTRUMENTS
async def test_a_cancellation_is_told_and_passes(instrument: type[Told], compose_app: Any) -> None:
    """It is no crash, whoever watches."""

    async def cancelled(_: Ask) -> Result[int, str]:
        raise asyncio.CancelledError

    watching = instrument()
    async with compose_app(handling(cancelled), instruments=[watching]) as bus:
        with pytest.raises(asyncio.CancelledError):
            await bus.commands.execute(Ask())

    ((context, heard),) = watching.told
    assert isinstance(heard, asyncio.CancelledError)
    assert context.stopped is None


@INSTRUMENTS
@MIDDLEWARE
async def test_a_context_that_is_kept_keeps_no_answer(
    instrument: type[Told], middleware: Any, compose_app: Any
) -> None:
    """Who keeps the context for later must not keep what may be large."""

    async def answers(_: Ask) -> Result[int, str]:
        return Success(1)

    watching = instrument()
    async with compose_app(handling(answers), instruments=[watching], middleware=middleware) as bus:
        assert await bus.commands.execute(Ask()) == Success(1)

    assert [context.answer for context, _ in watching.told] == [None]


@INSTRUMENTS
@MIDDLEWARE
async def test_a_cycle_names_each_message_once(
    instrument: type[Told], middleware: Any, compose_app: Any
) -> None:
    """However many functions stand around a handler, each dispatch of a cycle is one step."""

    async def ask(_: Ask) -> Any:
        return await bus.commands.execute(Answer())

    feature = handling(ask)

    @feature.handles(Answer)
    async def answers(_: Answer) -> Any:
        return await bus.commands.execute(Ask())

    async with compose_app(feature, instruments=[instrument()], middleware=middleware) as bus:
        answer = await bus.commands.execute(Ask())

    text = answer.failure().text
    assert "(Ask → Answer → Ask)" in text or "(Answer → Ask → Answer)" in text


@INSTRUMENTS
@MIDDLEWARE
async def test_a_message_that_sends_itself_is_a_cycle(
    instrument: type[Told], middleware: Any, compose_app: Any
) -> None:
    """Even if it is one and the same object each time."""

    async def endless(command: Ask) -> Any:
        return await bus.commands.execute(command)

    async with compose_app(handling(endless), instruments=[instrument()], middleware=middleware) as bus:
        answer = await bus.commands.execute(Ask())

    assert "(Ask → Ask)" in answer.failure().text


@MIDDLEWARE
async def test_a_handler_that_only_calls_itself_is_no_cycle(middleware: Any, compose_app: Any) -> None:
    """No message is named where none was sent."""

    def deep() -> int:
        return deep() + 1

    async def endless(_: Ask) -> Any:
        return Success(deep())

    async with compose_app(handling(endless), instruments=[Around()], middleware=middleware) as bus:
        answer = await bus.commands.execute(Ask())

    assert answer.failure().exception_type == "builtins.RecursionError"
    assert "→" not in answer.failure().text
