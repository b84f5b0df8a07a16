import logging
from typing import Any

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event, Fault, HandlerInfo, MessageContext, PublishReport
from cqrs.context import current
from cqrs.faults import QueueFull
from cqrs.unit_of_work import (
    Emissions,
    Emitted,
    commit,
    is_unit_of_work,
    releasing,
    roll_back,
    undo,
)


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int = 0


class Unit:
    """A unit of work that does as it is told."""

    def __init__(self, journal: list[str], name: str = "unit", answer: Any = None) -> None:
        self.journal, self.name, self.answer = journal, name, answer

    async def commit(self) -> Any:
        """Commit."""
        return self._done("commit")

    async def rollback(self) -> Any:
        """Roll back."""
        return self._done("rollback")

    def _done(self, what: str) -> Any:
        self.journal.append(f"{what} {self.name}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Bus:
    """Keeps what is published."""

    def __init__(self, capacity: int = 100) -> None:
        self.published: list[Event] = []
        self.later: list[Event] = []
        self.parked: list[Event] = []
        self.capacity = capacity

    async def publish(self, event: Event, /) -> PublishReport:
        """Keep it."""
        self.published.append(event)
        await anyio.lowlevel.checkpoint()
        return PublishReport(())

    async def publish_later(self, event: Event, /) -> Result[None, Fault]:
        """Keep it apart."""
        if len(self.later) == self.capacity:
            return Failure(QueueFull("events", self.capacity))
        self.later.append(event)
        return Success(None)

    async def abandon(self, event: Event, /) -> None:
        """Keep it apart, too."""
        await anyio.lowlevel.checkpoint()
        self.parked.append(event)


class Blocking:
    """A unit of work of plain functions, as `sqlite3.Connection` is one."""

    def __init__(self) -> None:
        self.journal: list[str] = []

    def commit(self) -> None:
        """Commit."""
        self.journal.append("commit")

    def rollback(self) -> None:
        """Roll back."""
        self.journal.append("rollback")


def emitting(answer: Any, *events: Event) -> Any:
    async def attempt(_message: object, emissions: Emissions) -> Any:
        buffer = emissions.begin("shop.place")
        for event in events:
            buffer(event)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return attempt


async def test_events_go_out_after_success_and_before_the_answer(info: HandlerInfo) -> None:
    """In the order in which they were emitted; their reports and the time of the success stand on the context."""
    bus, context = Bus(), MessageContext().begin()
    token = current.set(context)

    answer = await releasing(emitting(Success(1), Placed(1), Placed(2)), info, bus)(None)  # type: ignore[arg-type]  # any message does

    current.reset(token)
    assert answer == Success(1)
    assert bus.published == [Placed(1), Placed(2)]
    assert len(context.published) == 2
    assert context.finished_at is not None


async def test_without_events_nothing_is_told(info: HandlerInfo) -> None:
    """A handler that emitted nothing has finished when its dispatch has."""
    context = MessageContext().begin()
    token = current.set(context)

    await releasing(emitting(Success(1)), info, Bus())(None)  # type: ignore[arg-type]  # any message does

    current.reset(token)
    assert (context.finished_at, context.published) == (None, ())


@pytest.mark.parametrize("answer", [Failure("no"), KeyboardInterrupt()], ids=["failure", "interrupt"])
async def test_after_anything_but_success_events_are_dropped(answer: Any, info: HandlerInfo) -> None:
    """What did not happen is not told."""
    bus = Bus()
    call = releasing(emitting(answer, Placed()), info, bus)

    if isinstance(answer, BaseException):
        with pytest.raises(type(answer)):
            await call(None)  # type: ignore[arg-type]  # any message does
    else:
        assert await call(None) == answer  # type: ignore[arg-type]  # any message does

    assert bus.published == []


@pytest.mark.parametrize("capacity", [3, 1, 0])
async def test_events_that_a_cancellation_keeps_from_going_out_go_to_the_background(
    capacity: int, info: HandlerInfo, caplog: pytest.LogCaptureFixture
) -> None:
    """What happened is told in its order, the event that was being published once more; without a place it is parked."""
    bus = Bus(capacity)

    with anyio.CancelScope() as scope:

        async def attempt(_message: object, emissions: Emissions) -> Any:
            emit = emissions.begin("shop.place")
            for order in range(3):
                emit(Placed(order))
            scope.cancel()
            return Success(1)

        await releasing(attempt, info, bus)(None)  # type: ignore[arg-type]  # any message does

    assert scope.cancelled_caught
    events = [Placed(0), Placed(1), Placed(2)]
    assert bus.published == [Placed(0)]
    assert (bus.later, bus.parked) == (events[:capacity], events[capacity:])
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * (3 - capacity)


async def test_what_is_emitted_for_later_is_not_waited_for(
    info: HandlerInfo, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes to the background in its turn; without a place there it is published at once, and that is said."""
    bus, context = Bus(capacity=1), MessageContext().begin()
    token = current.set(context)

    async def attempt(_message: object, emissions: Emissions) -> Any:
        emit = emissions.begin("shop.place")
        emit(Placed(1))
        emit.later(Placed(2))
        emit.later(Placed(3))
        return Success(1)

    await releasing(attempt, info, bus)(None)  # type: ignore[arg-type]  # any message does

    current.reset(token)
    assert (bus.published, bus.later) == ([Placed(1), Placed(3)], [Placed(2)])
    assert len(context.published) == 2
    assert context.notes["emit.not_later"] == QueueFull("events", 1)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_new_attempt_begins_with_nothing() -> None:
    """What a failed attempt emitted is not told by the next one, nor by the attempt itself any more."""
    emissions = Emissions()
    first = emissions.begin("shop.place")
    first(Placed(1))

    second = emissions.begin("shop.place")
    second(Placed(2))

    assert emissions.close() == [Emitted(Placed(2))]
    assert emissions.close() == ()
    with pytest.raises(RuntimeError, match=r"Placed is emitted after shop\.place has ended"):
        first(Placed(3))
    with pytest.raises(RuntimeError, match="nothing would publish it"):
        second.later(Placed(4))


async def test_units_are_committed_in_order_and_rolled_back_in_reverse() -> None:
    """Last opened, first undone."""
    journal: list[str] = []
    units = [Unit(journal, "a"), Unit(journal, "b")]

    await commit(units)
    await roll_back(units)

    assert journal == ["commit a", "commit b", "rollback b", "rollback a"]


async def test_a_rollback_that_fails_keeps_no_other_from_its_own() -> None:
    """Every unit is rolled back; the first failure is raised."""
    journal: list[str] = []
    units = [Unit(journal, "a", OSError("first")), Unit(journal, "b", OSError("second"))]

    with pytest.raises(OSError, match="second"):
        await roll_back(units)

    assert journal == ["rollback b", "rollback a"]


async def test_a_commit_that_answers_with_a_failure_has_failed() -> None:
    """A value is an error here too: it is not taken for a commit."""
    with pytest.raises(RuntimeError, match=r"Unit\.commit\(\) answered <Failure: no>"):
        await commit([Unit([], answer=Failure("no"))])


async def test_plain_functions_will_do() -> None:
    """A database connection of the standard library is a unit of work as it is."""
    unit: Any = Blocking()

    assert is_unit_of_work(unit)
    await commit([unit])
    await roll_back([unit])

    assert unit.journal == ["commit", "rollback"]
    assert not is_unit_of_work(object())


async def test_a_cancelled_dispatch_is_rolled_back_all_the_same() -> None:
    """Rolling back awaits in peace, however cancelled the caller is."""
    journal: list[str] = []

    class Slow(Unit):
        async def rollback(self) -> None:
            await anyio.lowlevel.checkpoint()
            journal.append("rolled back")

    with anyio.CancelScope() as scope:
        scope.cancel()
        await roll_back([Slow(journal)])

    assert journal == ["rolled back"]


async def test_after_an_exception_a_failed_rollback_is_said_and_not_raised(
    info: HandlerInfo, caplog: pytest.LogCaptureFixture
) -> None:
    """The exception on its way stays the outcome."""
    await undo([Unit([], answer=OSError("gone"))], info)

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert info.handler in record.getMessage()
    assert record.exc_info is not None
