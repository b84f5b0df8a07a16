import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Self

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import (
    Command,
    ContractBroken,
    Event,
    Feature,
    HandlerCrashed,
    HandlerInfo,
    Instrument,
    MessageContext,
    TimedOut,
)
from cqrs.attempt import Retrying
from cqrs.context import Emit
from cqrs.declarations import MESSAGE
from cqrs.hook_details import RetriedDetails
from cqrs.hooks import Hooks
from cqrs.retry import NONE, RetryPolicy

Do = Callable[["Session", Emit], Any]


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Session:
    """A unit of work that is opened and closed."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.fails = ""

    async def __aenter__(self) -> Self:
        self.journal.append("open")
        self._fail("open")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_error: object) -> bool:
        self.journal.append(f"close after {kind.__name__}" if kind else "close")
        self._fail("close")
        return True  # would swallow whatever is raised in it

    async def commit(self) -> None:
        """Commit."""
        self.journal.append("commit")
        self._fail("commit")

    async def rollback(self) -> None:
        """Roll back."""
        self.journal.append("rollback")
        self._fail("rollback")

    def _fail(self, step: str) -> None:
        if self.fails == step:
            raise OSError(step)


class Clock:
    """Time that passes by being slept through."""

    def __init__(self) -> None:
        self.now = 0
        self.slept: list[float] = []

    def time_ns(self) -> int:
        """Now."""
        return self.now

    def monotonic_ns(self) -> int:
        """Now."""
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += int(seconds * 1e9)


def feature(journal: list[str], do: Do, fails: str = "", **options: Any) -> Feature:
    """A handler with a session of its own and a subscriber that says when the event arrives."""
    orders = Feature("orders")

    def session() -> Session:
        made = Session(journal)
        made.fails = fails
        return made

    orders.provides(Session, session, lifetime=MESSAGE)

    @orders.handles(Place, **options)
    async def place(_command: Place, *, session: Session, emit: Emit) -> Result[int, str]:
        journal.append("handle")
        answer = do(session, emit)
        return await answer if hasattr(answer, "__await__") else answer  # type: ignore[no-any-return]  # whatever came

    @orders.subscribes(Placed, name="hear")
    async def hear(_event: Placed) -> Result[None, str]:
        journal.append("heard")
        return Success(None)

    return orders


def succeed(_session: Session, emit: Emit) -> Any:
    emit(Placed())
    return Success(1)


def reject(_session: Session, emit: Emit) -> Any:
    emit(Placed())
    return Failure("no")


def crash(_session: Session, emit: Emit) -> Any:
    emit(Placed())
    raise ValueError("crash")


def answer_nothing(_session: Session, emit: Emit) -> Any:
    emit(Placed())


async def hang(_session: Session, emit: Emit) -> Any:
    emit(Placed())
    await anyio.sleep_forever()


async def execute(compose_app: Any, orders: Feature, **options: Any) -> Any:
    async with compose_app(orders, **options) as bus:
        return await bus.commands.execute(Place())


async def test_success_is_committed_closed_and_then_told(compose_app: Any) -> None:
    """Open, handle, commit, close, and only then the events; all of it before the answer."""
    journal: list[str] = []

    assert await execute(compose_app, feature(journal, succeed)) == Success(1)
    assert journal == ["open", "handle", "commit", "close", "heard"]


async def test_what_is_emitted_for_later_is_published_in_the_background(compose_app: Any) -> None:
    """`execute` does not wait for it, and the app does not close without it."""
    journal: list[str] = []

    def succeed_later(_session: Session, emit: Emit) -> Any:
        emit.later(Placed())
        return Success(1)

    async with compose_app(feature(journal, succeed_later)) as bus:
        assert await bus.commands.execute(Place()) == Success(1)
        assert journal == ["open", "handle", "commit", "close"]

    assert journal[4:] == ["heard"]


@pytest.mark.parametrize(
    ("do", "options", "kind", "closed"),
    [
        (reject, {}, str, "close"),
        (answer_nothing, {}, ContractBroken, "close"),
        (hang, {"timeout": 0.01}, TimedOut, "close"),
        (crash, {}, HandlerCrashed, "close after ValueError"),
    ],
    ids=["failure", "no result", "timeout", "crash"],
)
async def test_anything_else_is_rolled_back_and_not_told(
    do: Do, options: Any, kind: type, closed: str, compose_app: Any
) -> None:
    """A Failure, a broken contract, a timeout and a crash undo what was done, and drop what was emitted."""
    journal: list[str] = []

    answer = await execute(compose_app, feature(journal, do, **options))

    assert isinstance(answer.failure(), kind)
    assert journal == ["open", "handle", "rollback", closed]


@pytest.mark.parametrize(
    ("fails", "do", "stage", "expected"),
    [
        ("open", succeed, "dependency", ["open"]),
        ("commit", succeed, "commit", ["open", "handle", "commit", "rollback", "close after OSError"]),
        ("rollback", reject, "commit", ["open", "handle", "rollback", "close after OSError"]),
        ("close", succeed, "dependency", ["open", "handle", "commit", "close"]),
    ],
)
async def test_a_scope_that_fails_is_a_crash_that_says_where(
    fails: str, do: Do, stage: str, expected: list[str], compose_app: Any
) -> None:
    """Opening, committing, rolling back or closing: one HandlerCrashed with its stage, and nothing is told."""
    journal: list[str] = []

    fault = (await execute(compose_app, feature(journal, do, fails))).failure()

    assert isinstance(fault, HandlerCrashed)
    assert (fault.stage, fault.text) == (stage, fails)
    assert journal == expected


async def test_a_crash_whose_rollback_fails_stays_that_crash(
    compose_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """What went wrong first is the answer; what went wrong after it is logged."""
    fault = (await execute(compose_app, feature([], crash, "rollback"))).failure()

    assert (fault.stage, fault.text) == ("handler", "crash")
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.ERROR]


async def test_cancellation_is_rolled_back_and_passes(compose_app: Any) -> None:
    """Even a session that swallows what is raised in it swallows no cancellation."""
    journal: list[str] = []

    async with compose_app(feature(journal, hang)) as bus:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(bus.commands.execute, Place())
                await anyio.wait_all_tasks_blocked()
                scope.cancel()

    assert scope.cancelled_caught
    assert journal == ["open", "handle", "rollback", "close after CancelledError"]


async def test_each_attempt_has_a_scope_and_a_buffer_of_its_own(compose_app: Any) -> None:
    """A retry opens and rolls back anew; of the emitted events only those of the attempt that succeeded are told."""
    journal: list[str] = []
    answers = [TimeoutError("first"), TimeoutError("second")]

    def unsteady(_session: Session, emit: Emit) -> Any:
        emit(Placed())
        return Failure(answers.pop()) if answers else Success(1)

    clock = Clock()
    orders = feature(journal, unsteady, retry=RetryPolicy(5, base=1.0, jitter=NONE))

    assert await execute(compose_app, orders, clock=clock) == Success(1)
    failed = ["open", "handle", "rollback", "close"]
    assert journal == [*failed, *failed, "open", "handle", "commit", "close", "heard"]
    assert clock.slept == [1.0, 2.0]


async def test_a_class_handler_is_made_for_each_attempt_if_it_needs_what_lives_for_one(
    compose_app: Any,
) -> None:
    """Dependencies of its constructor may live for one message."""
    made: list[Session] = []
    orders = Feature("orders")
    orders.provides(list, list)
    orders.provides(Session, lambda: Session([]), lifetime=MESSAGE)

    class Handler:
        def __init__(self, session: Session) -> None:
            made.append(session)

        async def __call__(self, _command: Place) -> Result[int, str]:
            return Success(len(made))

    orders.handles(Place)(Handler)

    async with compose_app(orders) as bus:
        assert made == []
        assert [await bus.commands.execute(Place()) for _ in range(2)] == [Success(1), Success(2)]
    assert made[0] is not made[1]


async def test_dependencies_of_one_message_share_what_lives_for_it(compose_app: Any) -> None:
    """A repository and the handler get the same session; another message gets another. Opened first, closed last."""
    journal: list[str] = []
    orders = Feature("orders")

    class Repository:
        def __init__(self, session: Session, context: MessageContext) -> None:
            self.session, self.context = session, context

    @asynccontextmanager
    async def repository(session: Session, context: MessageContext) -> AsyncGenerator[Repository]:
        journal.append("open repository")
        yield Repository(session, context)
        journal.append("close repository")

    orders.provides(Repository, repository, lifetime=MESSAGE)
    orders.provides(Session, lambda: Session(journal), lifetime=MESSAGE)
    seen: list[Session] = []

    @orders.handles(Place)
    async def place(
        _command: Place, *, repository: Repository, session: Session, context: MessageContext
    ) -> Result[int, str]:
        assert repository.session is session
        assert repository.context is context
        seen.append(session)
        return Success(1)

    async with compose_app(orders) as bus:
        for _ in range(2):
            await bus.commands.execute(Place())

    assert seen[0] is not seen[1]
    assert journal[:5] == ["open", "open repository", "commit", "close repository", "close"]


class Telling(Instrument):
    """Keeps what it is told of retries."""

    def __init__(self) -> None:
        self.told: list[RetriedDetails] = []

    def retried(self, details: RetriedDetails, /) -> None:
        """Keep it."""
        self.told.append(details)


async def test_retries_are_told_and_counted_on_the_context(compose_app: Any) -> None:
    """An instrument hears of every attempt that is followed by another; the handler sees which attempt it is."""
    attempts: list[int] = []
    telling = Telling()
    orders = Feature("orders")

    @orders.handles(Place, retry=RetryPolicy(3, base=1.0, jitter=NONE))
    async def place(_command: Place, *, context: MessageContext) -> Result[int, Any]:
        attempts.append(context.attempt)
        return Failure(TimeoutError("again"))

    answer = await execute(compose_app, orders, instruments=[telling], clock=Clock())

    assert isinstance(answer.failure(), TimeoutError)
    assert attempts == [1, 2, 3]
    assert [(told.attempt, told.delay) for told in telling.told] == [(1, 1.0), (2, 2.0)]
    assert telling.told[0].context.attempt == 3


async def test_a_policy_that_raises_ends_the_attempts(
    info: HandlerInfo, caplog: pytest.LogCaptureFixture
) -> None:
    """The last answer stands, and the policy's crash is logged: `execute` raises nothing."""

    def undecided(_error: object) -> bool:
        raise LookupError("undecided")

    async def fail() -> Any:
        return Failure("no")

    retrying = Retrying(fail, info, RetryPolicy(3, retry_on=undecided), Clock(), Hooks(), Random(0))

    assert await retrying.call() == Failure("no")
    (record,) = caplog.records
    assert "LookupError: undecided" in record.getMessage()
