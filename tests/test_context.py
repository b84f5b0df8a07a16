import asyncio
import os
import subprocess
import sys
import threading
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import attrs
import pytest
from returns.result import Result, Success

from cqrs import (
    Command,
    Event,
    Feature,
    HandlerInfo,
    Instrument,
    MessageContext,
    Next,
    Query,
    current_context,
)


@attrs.frozen
class Outer(Command[None, str]):
    """A command whose handler sends others."""


@attrs.frozen
class Inner(Query[None, str]):
    """What the handler sends."""


@attrs.frozen
class Happened(Event):
    """What the handler publishes."""


@attrs.frozen
class Seen:
    """The numbers of one dispatch, as an instrument and the handler see them."""

    name: str
    message: int
    correlation: int
    causation: int | None
    trace: int
    parent_span: int


def snapshot(name: str) -> Seen:
    context = current_context()
    assert context is not None
    return Seen(
        name,
        context.message_number,
        context.correlation_number,
        context.causation_number,
        context.trace_number,
        context.parent_span_number,
    )


class Tracing(Instrument):
    """An instrument that gives each dispatch a span number of its own."""

    def around(self, next: Next, _handler: HandlerInfo, /) -> Next:
        """Number the span."""

        async def call(message: Any, /) -> Any:
            context = current_context()
            assert context is not None
            context.span_number = context.message_number & 0xFFFF | 1
            return await next(message)

        return call


@pytest.fixture
def seen() -> list[Seen]:
    """What each dispatch saw, in order."""
    return []


def shop(seen: list[Seen], send: Any) -> Feature:
    feature = Feature("shop")

    @feature.handles(Outer)
    async def outer(_command: Outer) -> Result[None, str]:
        seen.append(snapshot("outer"))
        await send()
        assert snapshot("outer") == seen[0]
        return Success(None)

    @feature.handles(Inner)
    async def inner(_query: Inner) -> Result[None, str]:
        seen.append(snapshot("inner"))
        return Success(None)

    async def hear(_event: Happened) -> Result[None, str]:
        seen.append(snapshot("event"))
        return Success(None)

    feature.subscribes(Happened, name="first")(hear)
    feature.subscribes(Happened, name="second")(hear)
    return feature


async def directly(bus: Any) -> None:
    await bus.queries.execute(Inner())


async def in_a_task(bus: Any) -> None:
    await asyncio.create_task(bus.queries.execute(Inner()))


async def in_a_task_group(bus: Any) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(bus.queries.execute, Inner())


async def from_a_thread(bus: Any) -> None:
    await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(bus.queries.execute, Inner()))


@pytest.mark.parametrize(
    "way", [directly, in_a_task, in_a_task_group, from_a_thread], ids=lambda way: way.__name__
)
async def test_a_child_dispatch_shares_the_correlation_and_is_caused_by_its_parent(
    way: Any, compose_app: Any, seen: list[Seen]
) -> None:
    """Across tasks, task groups and threads the child has the parent's correlation and trace, and names it as cause."""
    app = compose_app(shop(seen, lambda: way(app)), instruments=[Tracing()])
    async with app as bus:
        await bus.commands.execute(Outer())

    outer, inner = seen
    assert outer.correlation == outer.message == outer.trace
    assert (outer.causation, outer.parent_span) == (None, 0)
    assert (inner.correlation, inner.causation, inner.trace) == (
        outer.correlation,
        outer.message,
        outer.trace,
    )
    assert inner.parent_span == outer.message & 0xFFFF | 1
    assert inner.message != outer.message


async def test_deliveries_are_the_events_own_message(compose_app: Any, seen: list[Seen]) -> None:
    """Each delivery of an event has the event's identity, and the event was caused by the command that published it."""
    app = compose_app(shop(seen, lambda: app.events.publish(Happened())), instruments=[Tracing()])
    async with app as bus:
        await bus.commands.execute(Outer())

    outer, first, second = seen
    assert first == second
    assert first.message != outer.message
    assert (first.correlation, first.causation) == (outer.correlation, outer.message)


async def test_an_event_from_outside_begins_a_cause_of_its_own(compose_app: Any, seen: list[Seen]) -> None:
    """An event published by no handler is the first of its correlation."""
    async with compose_app(shop(seen, None), instruments=[Tracing()]) as bus:
        await bus.events.publish(Happened())

    assert seen[0].correlation == seen[0].message
    assert seen[0].causation is None


async def test_two_dispatches_side_by_side_have_nothing_in_common(compose_app: Any, seen: list[Seen]) -> None:
    """Concurrent dispatches from outside are causes of their own."""

    async def rest() -> None:
        await asyncio.sleep(0.001)

    feature = Feature("side by side")

    @feature.handles(Outer)
    async def outer(_command: Outer) -> Result[None, str]:
        before = snapshot("outer")
        await rest()
        assert snapshot("outer") == before
        seen.append(before)
        return Success(None)

    async with compose_app(feature, instruments=[Tracing()]) as bus:
        await asyncio.gather(*(bus.commands.execute(Outer()) for _ in range(50)))
        assert current_context() is None

    assert len({each.correlation for each in seen}) == 50


async def test_there_is_no_context_while_nobody_observes(compose_app: Any) -> None:
    """An app without instruments makes no context at all."""
    found: list[object] = []
    feature = Feature("unobserved")

    @feature.handles(Outer)
    async def outer(_command: Outer) -> Result[None, str]:
        found.append(current_context())
        return Success(None)

    async with compose_app(feature) as bus:
        await bus.commands.execute(Outer())

    assert found == [None]


def test_identifiers_are_32_hexadecimal_digits() -> None:
    """The numbers are shown in full length; a first message has no cause."""
    first = MessageContext().begin()
    second = MessageContext().follow(first)

    assert first.message_id == first.correlation_id == f"{first.message_number:032x}"
    assert len(first.message_id) == 32
    assert first.causation_id is None
    assert second.causation_id == first.message_id
    first.message_number = 1
    assert first.message_id == "0" * 31 + "1"


def test_a_child_of_what_is_not_traced_hangs_on_the_nearest_span() -> None:
    """A dispatch without a span of its own hands its parent's span on."""
    top = MessageContext().begin()
    top.span_number = 7
    middle = MessageContext().follow(top)
    leaf = MessageContext().follow(middle)

    assert (middle.parent_span_number, leaf.parent_span_number) == (7, 7)


FORK = """
import os
from cqrs.context import MessageContext
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, MessageContext().begin().message_id.encode())
    os._exit(0)
os.wait()
child = os.read(read, 64).decode()
print(child != MessageContext().begin().message_id and len(child) == 32)
"""


def test_a_fork_has_identifiers_of_its_own() -> None:
    """Parent and child of a fork do not draw the same numbers."""
    if not hasattr(os, "fork"):
        return
    run = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "True"


def test_seeding_the_global_generator_repeats_no_identifier() -> None:
    """A program that seeds `random` still gets fresh identifiers."""
    import random

    random.seed(1)
    first = MessageContext().begin().message_id
    random.seed(1)

    assert MessageContext().begin().message_id != first


def test_a_context_that_nobody_set_is_a_first_message_with_one_number() -> None:
    """What is not asked for is not made; once asked for it stays, however many threads ask first."""
    lazy = MessageContext()
    assert (lazy.causation_number, lazy.attempt, lazy.published, lazy.finished_at) == (None, 1, (), None)

    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.append(lazy.message_number)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(numbers) == {lazy.correlation_number} == {lazy.trace_number}
    assert MessageContext().follow(lazy).causation_number == lazy.message_number
    with pytest.raises(AttributeError, match="MessageContext has no attribute 'nonsense'"):
        _ = lazy.nonsense  # type: ignore[attr-defined]  # there is none
