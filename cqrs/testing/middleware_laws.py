"""The laws of a middleware: what the handlers inside it and the callers outside rely on."""

from collections.abc import Callable
from contextvars import copy_context
from typing import Final, TypeVar, final

import anyio
import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Result, Success

from cqrs.app import CqrsModule
from cqrs.faults import Fault, HandlerCrashed, Rejection
from cqrs.features import Feature
from cqrs.messages import AnyMessage, Command, Message, Query
from cqrs.middleware import HandlerInfo, Kind, Middleware, Next
from cqrs.testing.handler_laws import dispatch
from cqrs.testing.interruption import MOST_SUSPENSIONS, interrupt
from cqrs.testing.laws import Law, hold, law
from cqrs.testing.strategies import messages

Value = TypeVar("Value")
Error = TypeVar("Error")
Answer = Result[object, object]


@final
@attrs.frozen
class Probe(Command[object, object]):
    """A message to send through a middleware that is around everything."""

    number: int = 0


@final
@attrs.frozen
class No(Rejection):
    """A correct "no" of a handler."""

    why: str


@final
@attrs.frozen(eq=False)
class MiddlewareSubject:
    """A middleware, as its laws look at it.

    Attributes:
        make: gives the middleware; called for each example, so that nothing is left from the one before.
        message: the command or query class to send, for a middleware that is not around every message.
        repeats: whether it may call ``next`` again, as one that retries does.
    """

    make: Callable[[], Middleware]
    message: type[AnyMessage] = Probe
    repeats: bool = False


def _message(subject: MiddlewareSubject) -> SearchStrategy[object]:
    return messages(subject.message)


def _answer(_subject: MiddlewareSubject) -> SearchStrategy[object]:
    return _success(_subject) | _failure(_subject)


def _success(_subject: MiddlewareSubject) -> SearchStrategy[object]:
    return st.builds(Success, st.none() | st.integers() | st.text(max_size=3))


def _failure(_subject: MiddlewareSubject) -> SearchStrategy[object]:
    return st.builds(Failure, st.text(max_size=3) | st.builds(No, st.text(max_size=3)))


@final
class _Handled:
    """One handler inside of the middleware: what it heard, and what came out of the whole."""

    def __init__(self, subject: MiddlewareSubject, answer: Answer, *around: Middleware) -> None:
        self.heard: list[object] = []
        feature = Feature("laws")

        async def handle(message: AnyMessage) -> Answer:
            self.heard.append(message)
            await anyio.lowlevel.checkpoint()
            return answer

        feature.handles(subject.message)(handle)
        self.app = CqrsModule.for_root(feature, middleware=around or (subject.make(),), plugins=(), env={})

    async def answer(self, message: object) -> Answer:
        """Send one message."""
        async with self.app:
            (answer,) = await dispatch(self.app, message)
            return answer


@law("The middleware raises nothing of its own.", message=_message, answer=_answer)
async def raises_nothing(subject: MiddlewareSubject, message: object, answer: Answer) -> None:
    """Look for the fault that stands for an exception."""
    given = await _Handled(subject, answer).answer(message)
    fault = given.failure() if isinstance(given, Failure) else None
    if isinstance(fault, HandlerCrashed):
        hold(condition=False, text=f"it raised:\n{fault.traceback}")


@law("A Success that next gave comes out as it is.", message=_message, answer=_success)
async def keeps_success(subject: MiddlewareSubject, message: object, answer: Answer) -> None:
    """Compare what came out with what the handler answered."""
    inside = _Handled(subject, answer)
    given = await inside.answer(message)
    hold(not inside.heard or given == answer, f"next gave {answer}, it gave {given}.")


@law("A Failure that next gave comes out as it is.", message=_message, answer=_failure)
async def keeps_failure(subject: MiddlewareSubject, message: object, answer: Answer) -> None:
    """Compare what came out with what the handler answered."""
    inside = _Handled(subject, answer)
    given = await inside.answer(message)
    hold(not inside.heard or given == answer, f"next gave {answer}, it gave {given}.")


@law("It answers with a Success only if next did.", message=_message, answer=_answer)
async def invents_no_value(subject: MiddlewareSubject, message: object, answer: Answer) -> None:
    """Whatever it does without calling next is a Failure."""
    inside = _Handled(subject, answer)
    given = await inside.answer(message)
    invented = isinstance(given, Success) and (not inside.heard or isinstance(answer, Failure))
    hold(not invented, f"next {f'gave {answer}' if inside.heard else 'was not called'}, it gave {given}.")


@law("next gets the message that came in.", message=_message, answer=_answer)
async def passes_the_message_on(subject: MiddlewareSubject, message: object, answer: Answer) -> None:
    """Compare what the handler heard with what was sent, by identity."""
    inside = _Handled(subject, answer)
    await inside.answer(message)
    hold(all(heard is message for heard in inside.heard), f"sent {message}, next got {inside.heard}.")


@law(
    "next is called at most once.",
    applies=lambda subject: not subject.repeats,
    message=_message,
    answer=_answer,
)
async def calls_next_at_most_once(subject: MiddlewareSubject, message: object, answer: Answer) -> None:
    """Count what the handler heard."""
    inside = _Handled(subject, answer)
    await inside.answer(message)
    hold(len(inside.heard) <= 1, f"next was called {len(inside.heard)} times.")


@law("Cancelled wherever it waits, it passes the cancellation on.", message=_message, answer=_answer)
async def keeps_cancellation(subject: MiddlewareSubject, message: object, answer: Answer) -> None:
    """Cancel at the first suspension, then at the second, until one run gets through."""
    for at in range(1, MOST_SUSPENSIONS + 1):
        inside = _Handled(subject, answer)
        async with inside.app:
            run = await interrupt(lambda app=inside.app: dispatch(app, message), at)  # type: ignore[misc]  # mypy infers no default
        if not run.reached:
            return
        hold(run.ended, f"cancelled where it waits for time {at}, it answered {run.answer}.")


@law("It leaves the context variables of its caller as they were.", message=_message, answer=_answer)
async def leaks_no_context(subject: MiddlewareSubject, message: object, answer: Answer) -> None:
    """Compare the caller's context before and after."""
    inside = _Handled(subject, answer)
    async with inside.app:
        before = dict(copy_context().items())
        await dispatch(inside.app, message)
        changed = [v.name for v, value in copy_context().items() if before.get(v, ...) is not value]
    hold(not changed, f"set for its caller: {', '.join(changed)}.")


@law(
    "Around several handlers, and with others around or inside it, it is what it is alone.",
    message=_message,
    answers=lambda subject: st.lists(_answer(subject), min_size=3, max_size=3),
)
async def composes_associatively(
    subject: MiddlewareSubject, message: AnyMessage, answers: list[Answer]
) -> None:
    """One middleware object in three pipelines, each with a next of its own, against one that is alone."""
    shared = subject.make()
    orders = [(shared,), (_passing, shared), (shared, _passing)]
    pipelines = [
        _piped(order, answer, subject.message) for order, answer in zip(orders, answers, strict=True)
    ]
    for (pipeline, heard), answer in zip(pipelines, answers, strict=True):
        alone, heard_alone = _piped((subject.make(),), answer, subject.message)
        together: Answer = await pipeline(message)
        expected: Answer = await alone(message)
        same = (together, heard) == (expected, heard_alone)
        hold(
            same,
            f"alone it gave {expected} and next heard {heard_alone}; among others {together} and {heard}.",
        )


def _piped(
    order: tuple[Middleware, ...], answer: Answer, message: type[AnyMessage]
) -> tuple[Next, list[object]]:
    heard: list[object] = []

    async def inside(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        heard.append(message)
        await anyio.lowlevel.checkpoint()
        return answer  # type: ignore[return-value]  # a scripted answer, of whatever type

    kind: Kind = "query" if issubclass(message, Query) else "command"
    pipeline: Next = inside
    for each in reversed(order):
        pipeline = each(pipeline, HandlerInfo(kind, message, message.__qualname__, "laws.inside", ""))
    return pipeline, heard


def _passing(next: Next, _handler: HandlerInfo, /) -> Next:
    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        return await next(message)

    return call


MIDDLEWARE_LAWS: Final[tuple[Law[MiddlewareSubject], ...]] = (
    raises_nothing,
    keeps_success,
    keeps_failure,
    invents_no_value,
    passes_the_message_on,
    calls_next_at_most_once,
    keeps_cancellation,
    leaks_no_context,
    composes_associatively,
)
