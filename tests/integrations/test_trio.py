"""Plugins and publishing on trio, where a task belongs to a task group and an app is left in the task that entered it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Emit, Event, Feature, QueueFull
from cqrs.plugins import Plugin

pytestmark = pytest.mark.parametrize("anyio_backend", ["trio", "asyncio"])


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


orders = Feature("orders")


@orders.handles(Place)
async def place(_command: Place) -> Result[int, str]:
    await anyio.lowlevel.checkpoint()
    return Success(1)


@attrs.frozen
class Placed(Event):
    """An event."""


@orders.subscribes(Placed, name="good")
async def good(_event: Placed) -> Result[int, str]:
    await anyio.lowlevel.checkpoint()
    return Success(1)


@orders.subscribes(Placed, name="bad")
async def bad(_event: Placed) -> Result[int, str]:
    return Failure("no")


class Working(Plugin):
    """A plugin with background work that can be made to crash."""

    name = "working"

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.crash = anyio.Event()
        self.ended = anyio.Event()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Work, and note when that begins and ends."""

        async def work() -> None:
            await self.crash.wait()
            raise OSError("connection lost")

        self.steps.append("started")
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(work)
                yield
                await anyio.sleep(0.01)
                group.cancel_scope.cancel()
        finally:
            self.steps.append("stopped")
            self.ended.set()


async def test_a_plugin_starts_and_stops() -> None:
    """Its lifespan encloses the app's."""
    plugin = Working()
    async with CqrsModule.for_root(orders, plugins=(plugin,), env={}) as bus:
        assert await bus.commands.execute(Place()) == Success(1)
        assert plugin.steps == ["started"]

    assert plugin.steps == ["started", "stopped"]


async def test_a_plugin_that_crashes_cancels_nobody() -> None:
    """The task group that it runs in is not the app's body: dispatches go on, the plugin is failed."""
    plugin = Working()
    async with CqrsModule.for_root(orders, plugins=(plugin,), env={}) as bus:
        plugin.crash.set()
        await plugin.ended.wait()
        await anyio.sleep(0.01)
        assert await bus.commands.execute(Place()) == Success(1)
        assert bus.plugins[0].reason == "OSError: connection lost."


async def test_a_cancelled_app_gives_its_plugin_its_time() -> None:
    """The plugin stops in its own time though everything around it is cancelled."""
    plugin = Working()
    with anyio.move_on_after(0.05) as scope:
        async with CqrsModule.for_root(orders, plugins=(plugin,), env={}):
            await anyio.sleep_forever()

    assert scope.cancelled_caught
    assert plugin.steps == ["started", "stopped"]


async def test_several_subscribers_hear_an_event() -> None:
    """Where there is no asyncio, an anyio task group delivers."""
    async with CqrsModule.for_root(orders, plugins=(), env={}) as bus:
        report = await bus.events.publish(Placed())

    assert [(d.subscriber, d.ok, d.dead_lettered) for d in report.deliveries] == [
        ("good", True, False),
        ("bad", False, True),
    ]


async def test_nothing_is_published_later_where_no_task_outlives_its_caller(anyio_backend: str) -> None:
    """On trio the caller gets a value that says that there is no place, and can publish at once instead."""
    full = Failure(QueueFull("events to publish later", 0))
    async with CqrsModule.for_root(orders, plugins=(), env={}) as bus:
        answer = await bus.events.publish_later(Placed())
        await bus.events.drain()

    assert answer == (full if anyio_backend == "trio" else Success(None))


class Ended(BaseException):
    """What ends a program, but not the event loop of this test."""


async def test_what_ends_a_program_is_raised_as_it_is() -> None:
    """From one of several subscribers too: the publisher gets what was raised, not a group of it."""
    feature = Feature("orders")
    feature.subscribes(Placed, name="good")(good)

    @feature.subscribes(Placed, name="ends")
    async def ends(_event: Placed) -> Result[int, str]:
        raise Ended

    async with CqrsModule.for_root(feature, plugins=()) as app:
        with pytest.raises(Ended):
            await app.events.publish(Placed())


async def test_an_emitted_event_whose_publish_is_cancelled_is_not_lost(anyio_backend: str) -> None:
    """A caller that gives up cuts off the publish of what is committed: it goes out again, or is parked."""
    heard: list[str] = []
    slow = anyio.Event()
    feature = Feature("orders")

    @feature.handles(Place)
    async def places(_command: Place, *, emit: Emit) -> Result[int, str]:
        emit(Placed())
        return Success(1)

    @feature.subscribes(Placed, name="slow")
    async def hears(_event: Placed) -> Result[int, str]:
        await slow.wait()
        heard.append("slow")
        return Success(1)

    app = CqrsModule.for_root(feature, plugins=())
    async with app as bus:
        with anyio.move_on_after(0.05) as scope:
            await bus.commands.execute(Place())
        slow.set()
        await bus.events.drain()
        parked = (await app.dead_letters.queue.page()).unwrap().letters

    assert scope.cancelled_caught
    assert (heard, len(parked)) == ((["slow"], 0) if anyio_backend == "asyncio" else ([], 1))
