"""Messages, and handlers that do what an example says: what the suites about a whole app are played with."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal, cast, final

import anyio
import anyio.lowlevel
import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Result, Success

from cqrs.faults import ContractBroken, Fault, HandlerCrashed, HandlerNotFound, Rejection
from cqrs.messages import AnyMessage, Command, Event, Query

Behaviour = Literal["success", "failure", "rejection", "crash", "junk", "nested", "gives up"]
Answer = Result[object, object]
Handle = Callable[[object], Coroutine[Any, Any, Answer]]


@final
@attrs.frozen
class First(Command[object, object]):
    """A command."""

    number: int


@final
@attrs.frozen
class Second(Command[object, object]):
    """Another command."""

    number: int


@final
@attrs.frozen
class Asked(Query[object, object]):
    """A query."""

    number: int


@final
@attrs.frozen
class Happened(Event):
    """An event."""

    number: int


@final
@attrs.frozen
class Otherwise(Event):
    """Another event."""

    number: int


@final
@attrs.frozen
class No(Rejection):
    """A correct "no"."""

    number: int


@final
@attrs.frozen
class Passing:
    """An error that another attempt may not meet."""

    transient: bool = True


MESSAGES: Final[tuple[type[AnyMessage], ...]] = (First, Second, Asked)
EVENTS: Final[tuple[type[Event], ...]] = (Happened, Otherwise)


def numbered(message: type, number: int) -> object:
    """Make one of the messages or events.

    Args:
        message: its class.
        number: what it holds.
    """
    return cast("Callable[[int], object]", message)(number)


def behaviours(*, giving_up: bool = False) -> SearchStrategy[Behaviour]:
    """Draw what a handler does.

    Args:
        giving_up: whether it may also raise the cancellation of something that it awaited.
    """
    usual: tuple[Behaviour, ...] = ("success", "failure", "rejection", "crash", "junk", "nested")
    return st.sampled_from((*usual, "gives up") if giving_up else usual)


def scripted(behaviour: Behaviour, heard: list[object]) -> Handle:
    """Make a handler.

    Args:
        behaviour: what it does.
        heard: where it writes down each message that it gets.
    """

    async def handle(message: object) -> Answer:
        heard.append(message)
        await anyio.lowlevel.checkpoint()
        return done(behaviour, getattr(message, "number", 0))

    return handle


def answer_of(behaviour: Behaviour | None, number: int) -> object:
    """Give what a dispatch has to come to, in the form of ``shape``.

    Args:
        behaviour: of the handler; None if there is none.
        number: of the message.
    """
    match behaviour:
        case None:
            return HandlerNotFound
        case "crash" | "gives up":
            return HandlerCrashed
        case "junk" | "nested":
            return ContractBroken
        case _:
            return done(behaviour, number)


def shape(answer: Answer) -> object:
    """Give an answer as a value that can be compared: of a fault its class, anything else as it is.

    Args:
        answer: what a dispatch came to.
    """
    error = answer.failure() if isinstance(answer, Failure) else None
    return type(error) if isinstance(error, Fault) else answer


def done(behaviour: Behaviour, number: int) -> Answer:
    """Do what a handler does.

    Args:
        behaviour: what.
        number: of the message.
    """
    match behaviour:
        case "success":
            return Success(number)
        case "failure":
            return Failure(number)
        case "rejection":
            return Failure(No(number))
        case "nested":
            return Success(Success(number))
        case "junk":
            return cast("Answer", number)
        case _:
            raise _given_up() if behaviour == "gives up" else ValueError(number)


def _given_up() -> BaseException:
    # On trio only the event loop may raise a cancellation.
    error = anyio.get_cancelled_exc_class()
    return error() if error is asyncio.CancelledError else ValueError("given up")
