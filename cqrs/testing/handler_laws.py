"""The laws of a handler: what everybody who sends a message relies on."""

import gc
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from inspect import isawaitable
from pathlib import Path
from typing import Final, cast, final

import anyio
import attrs
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Result

from cqrs.app import CqrsApp
from cqrs.faults import ContractBroken, Fault, HandlerCrashed, HandlerNotFound
from cqrs.messages import Command, Event, Query
from cqrs.testing.conformance import conforms, declared
from cqrs.testing.interruption import MOST_SUSPENSIONS, interrupt
from cqrs.testing.laws import Law, hold, law
from cqrs.testing.strategies import messages

Answers = tuple[Result[object, object], ...]


@final
@attrs.frozen(eq=False)
class HandlerSubject:
    """A handler, as its laws look at it.

    Attributes:
        message: its command, query or event class.
        compose: makes an app with this handler, its dependencies fresh: called for each example.
        state: what the handler may change, as a value that can be compared; a function of the app, async or not.
        deterministic: whether the same message and the same dependencies always give the same answer.
        idempotent: whether a message that comes twice changes no more than one that comes once; needs ``state``.
    """

    message: type
    compose: Callable[[], CqrsApp]
    state: Callable[[CqrsApp], object | Awaitable[object]] | None = None
    deterministic: bool = False
    idempotent: bool = False

    def __attrs_post_init__(self) -> None:
        if self.idempotent and self.state is None:
            raise ValueError("idempotent=True needs state=…: what a second message must not change.")

    async def look(self, app: CqrsApp) -> object:
        """Give the state as it is now; None if there is nothing to look at."""
        seen = None if self.state is None else self.state(app)
        return await cast("Awaitable[object]", seen) if isawaitable(seen) else seen


async def dispatch(app: CqrsApp, message: object) -> Answers:
    """Send a message by the bus of its kind; an event is answered by each of its subscribers.

    Args:
        app: a running app.
        message: a command, query or event.

    Raises:
        TypeError: if it is none of them.
    """
    match message:
        case Command():
            return (await app.commands.execute(cast("Command[object, object]", message)),)
        case Query():
            return (await app.queries.execute(cast("Query[object, object]", message)),)
        case Event():
            return tuple(delivery.result for delivery in (await app.events.publish(message)).deliveries)
        case _:
            raise TypeError(f"{type(message).__qualname__} is no Command, Query or Event.")


def _message(subject: HandlerSubject) -> SearchStrategy[object]:
    cls: type[object] = subject.message
    return messages(cls)


@law(
    "Whatever the message, the handler answers with one Result: it raises nothing and returns nothing else.",
    message=_message,
)
async def never_raises(subject: HandlerSubject, message: object) -> None:
    """Dispatch once; the guard's faults name what the handler did."""
    async with subject.compose() as app:
        answers = await dispatch(app, message)
    hold(answers, f"nothing handles {type(message).__qualname__} in the app of compose().")
    for fault in map(_error, answers):
        hold(not isinstance(fault, HandlerNotFound), f"{fault}")
        hold(not isinstance(fault, ContractBroken), f"it returned what is no Result: {fault}")
        if isinstance(fault, HandlerCrashed):
            hold(condition=False, text=f"it raised:\n{fault.traceback}")


@law(
    "A Success holds the value type that the message names, a Failure its error type or a Fault.",
    message=_message,
)
async def answers_as_declared(subject: HandlerSubject, message: object) -> None:
    """Compare what came with the type arguments of the message class."""
    value, error = declared(subject.message)
    async with subject.compose() as app:
        answers = await dispatch(app, message)
    for answer in answers:
        if isinstance(answer, Failure):
            failure = answer.failure()
            hold(
                isinstance(failure, Fault) or conforms(failure, error),
                f"Failure({failure!r}), declared is {error}.",
            )
        else:
            hold(conforms(answer.unwrap(), value), f"Success({answer.unwrap()!r}), declared is {value}.")


@law(
    "The same message to the same dependencies gets the same answer.",
    applies=lambda subject: subject.deterministic,
    message=_message,
)
async def is_deterministic(subject: HandlerSubject, message: object) -> None:
    """Answer in two apps that know nothing of one another."""
    async with subject.compose() as app:
        first = await dispatch(app, message)
    async with subject.compose() as app:
        second = await dispatch(app, message)
    hold(first == second, f"first {first}, then {second}.")


@law(
    "A message that comes twice changes no more than one that comes once.",
    applies=lambda subject: subject.idempotent,
    message=_message,
)
async def is_idempotent(subject: HandlerSubject, message: object) -> None:
    """Compare the state after the first dispatch with that after the second."""
    async with subject.compose() as app:
        await dispatch(app, message)
        once = await subject.look(app)
        await dispatch(app, message)
        twice = await subject.look(app)
    hold(once == twice, f"after the first {once!r}, after the second {twice!r}.")


@law(
    "Cancelled wherever it waits, the handler passes the cancellation on, and the state is as before or as after "
    "a whole run.",
    message=_message,
)
async def cancellation_leaves_no_half_state(subject: HandlerSubject, message: object) -> None:
    """Cancel at the first suspension, then at the second, until one run gets through."""
    async with subject.compose() as app:
        before = await subject.look(app)
        whole = await dispatch(app, message)
        after = await subject.look(app)
    for at in range(1, MOST_SUSPENSIONS + 1):
        async with subject.compose() as app:
            run = await interrupt(lambda app=app: dispatch(app, message), at)  # type: ignore[misc]  # mypy infers no default
            state = await subject.look(app)
        if not run.reached:
            return
        where = f"cancelled where it waits for time {at}"
        hold(state in (before, after), f"{where}: {state!r} is neither {before!r} nor {after!r}.")
        same = run.answer is not None and list(map(type, run.answer)) == list(map(type, whole))
        hold(run.ended or same, f"{where}, it answered {run.answer} instead of passing the cancellation on.")


@law("A dispatch leaves no task, no context variable and no open file behind.", message=_message)
async def leaks_nothing(subject: HandlerSubject, message: object) -> None:
    """Look at a second dispatch: what the first one opens may be kept for all others."""
    async with subject.compose() as app:
        variables = dict(copy_context().items())
        await dispatch(app, message)
        changed = [v.name for v, value in copy_context().items() if variables.get(v, ...) is not value]
        hold(not changed, f"context variables that it set for its caller: {', '.join(changed)}.")
        before = await _settled()
        await dispatch(app, message)
        tasks, files = await _settled()
    hold(tasks <= before[0], f"tasks left running: {', '.join(sorted(tasks - before[0]))}.")
    hold(files <= before[1], f"{files - before[1]} more open files than before.")


async def _settled() -> tuple[set[str], int]:
    # A task that has been told to end needs a few rounds of the event loop for it.
    for _ in range(3):
        await anyio.lowlevel.checkpoint()
    gc.collect(0)
    return {f"{task.name} ({task.id})" for task in anyio.get_running_tasks()}, _open_files()


def _open_files() -> int:
    for folder in map(Path, ("/proc/self/fd", "/dev/fd")):
        if folder.is_dir():
            return sum(1 for _ in folder.iterdir())
    return 0


def _error(answer: Result[object, object]) -> object:
    return answer.failure() if isinstance(answer, Failure) else None


HANDLER_LAWS: Final[tuple[Law[HandlerSubject], ...]] = (
    never_raises,
    answers_as_declared,
    is_deterministic,
    is_idempotent,
    cancellation_leaves_no_half_state,
    leaks_nothing,
)
