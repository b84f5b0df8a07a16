import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import punq
import pytest
from returns.result import Failure, Result, Success

from cqrs import (
    AppClosed,
    Command,
    CommandBus,
    CompositionError,
    Event,
    EventBus,
    Feature,
    HandlerCrashed,
    Query,
)
from cqrs.plugins import Plugin


@attrs.frozen
class Place(Command[int, str]):
    """A command."""

    sku: str = "apple"


@attrs.frozen
class Find(Query[str, str]):
    """A query."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Stepping(Plugin):
    """A plugin that notes when it starts and stops."""

    name = "stepping"

    def __init__(self) -> None:
        self.steps: list[str] = []

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Note it."""
        self.steps.append("started")
        yield
        self.steps.append("stopped")


@pytest.fixture
def orders() -> Feature:
    """Handlers that answer, refuse, crash and end the program."""
    feature = Feature("orders")

    @feature.handles(Place)
    async def place(command: Place) -> Result[int, str]:
        await anyio.lowlevel.checkpoint()
        if command.sku == "crash":
            raise OSError("no disk")
        if command.sku in {"interrupt", "exit"}:
            raise KeyboardInterrupt if command.sku == "interrupt" else SystemExit(3)
        return Success(threading.get_ident()) if command.sku == "apple" else Failure(command.sku)

    @feature.handles(Find)
    async def find(_query: Find) -> Result[str, str]:
        return Success("found")

    @feature.subscribes(Placed)
    async def receive(_event: Placed) -> Result[None, str]:
        return Failure("mailbox full")

    return feature


def test_the_buses_answer_as_they_do_when_awaited(compose_app: Any, orders: Feature) -> None:
    """Values, errors, crashes and reports come back; the handlers run in another thread; plugins start and stop."""
    plugin = Stepping()
    with compose_app(orders, plugins=(plugin,)).blocking() as bus:
        assert plugin.steps == ["started"]
        assert bus.commands.execute(Place()).unwrap() != threading.get_ident()
        assert bus.commands.execute(Place("pear")) == Failure("pear")
        crashed = bus.commands.execute(Place("crash")).failure()
        assert bus.queries.execute(Find()) == Success("found")
        report = bus.events.publish(Placed())
        assert bus.events.publish_later(Placed()) == Success(None)
        bus.events.drain()

    assert isinstance(crashed, HandlerCrashed)
    assert [delivery.result for delivery in report.deliveries] == [Failure("mailbox full")]
    assert plugin.steps == ["started", "stopped"]


def test_a_script_finds_the_container_and_the_plugins(compose_app: Any, orders: Feature) -> None:
    """As in async code: what is registered, and the state that each plugin has now."""
    container = punq.Container().register(str, instance="shop")
    app = compose_app(orders, plugins=(Stepping(),), container=container)
    with app.blocking() as bus:
        assert bus.container.resolve(str) == "shop"
        assert isinstance(bus.container.resolve(CommandBus), CommandBus)
        assert [(plugin.name, plugin.state) for plugin in bus.plugins] == [("stepping", "active")]
        app.plugins = ()
        assert bus.plugins == ()


def test_a_bus_that_was_left_says_that_the_app_is_closed(compose_app: Any, orders: Feature) -> None:
    """As with the async buses, it is an answer and no exception."""
    with compose_app(orders).blocking() as bus:
        pass

    assert bus.commands.execute(Place()) == Failure(AppClosed("command"))
    assert bus.queries.execute(Find()) == Failure(AppClosed("query"))
    assert bus.events.publish(Placed()).fault == AppClosed("event")
    assert bus.events.publish_later(Placed()) == Failure(AppClosed("event"))
    bus.events.drain()


def test_an_app_may_be_entered_again(compose_app: Any, orders: Feature) -> None:
    """Each time has an event loop of its own."""
    app = compose_app(orders)

    answers = []
    for _ in range(2):
        with app.blocking() as bus:
            answers.append(bus.queries.execute(Find()))

    assert answers == [Success("found")] * 2


def test_many_threads_share_one_bus(compose_app: Any, orders: Feature) -> None:
    """Calls of several threads are answered side by side, each with its own answer."""
    answers: dict[int, object] = {}

    with compose_app(orders).blocking() as bus:

        def ask(number: int) -> None:
            answers[number] = bus.commands.execute(Place(f"sku-{number}"))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers == {number: Failure(f"sku-{number}") for number in range(20)}


async def test_it_is_refused_in_an_event_loop(compose_app: Any, orders: Feature) -> None:
    """Where it would make an event loop stand still it says so and how to do it, and starts nothing."""
    plugin = Stepping()
    with pytest.raises(
        RuntimeError, match=r"app.blocking\(\) was used in async code: .* Fix: await the app's own buses"
    ):
        compose_app(orders, plugins=(plugin,)).blocking().__enter__()

    assert plugin.steps == []


def test_a_bus_is_refused_in_an_event_loop(compose_app: Any, orders: Feature) -> None:
    """A bus that was handed into async code, of this or of another event loop, is refused there too."""
    with compose_app(orders).blocking() as bus:

        async def misuse() -> None:
            bus.queries.execute(Find())

        with pytest.raises(RuntimeError, match=r"a bus of app\.blocking"):
            anyio.run(misuse)
        assert bus.queries.execute(Find()) == Success("found")


def test_what_the_body_raises_goes_on_its_way(compose_app: Any, orders: Feature) -> None:
    """The app and its plugins are stopped, and the exception is the body's own."""
    plugin = Stepping()
    app = compose_app(orders, plugins=(plugin,))

    with pytest.raises(ValueError, match="body"), app.blocking():
        raise ValueError("body")

    assert plugin.steps == ["started", "stopped"]


def test_an_app_that_cannot_start_says_why(compose_app: Any, orders: Feature) -> None:
    """The CompositionError is that of the app, and no thread is left."""

    async def again(_query: Find) -> Result[str, str]:
        return Success("again")

    orders.handles(Find)(again)

    with pytest.raises(CompositionError, match="CQRS-001"):
        compose_app(orders).blocking().__enter__()


@pytest.mark.parametrize(("sku", "stop"), [("interrupt", KeyboardInterrupt), ("exit", SystemExit)])
def test_a_handler_that_ends_the_program_ends_it_in_order(
    sku: str, stop: type[BaseException], compose_app: Any, orders: Feature
) -> None:
    """What passes every `except Exception` reaches the caller's thread, and the app is stopped on the way."""
    plugin = Stepping()
    app = compose_app(orders, plugins=(plugin,))

    with pytest.raises(stop), app.blocking() as bus:
        bus.commands.execute(Place(sku))

    assert plugin.steps == ["started", "stopped"]


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
from contextlib import asynccontextmanager
import anyio, attrs
from returns.result import Result, Success
from cqrs import Command, CqrsModule, Feature
from cqrs.plugins import Plugin

@attrs.frozen
class Hang(Command[int, str]): ...
@attrs.frozen
class Ping(Command[int, str]): ...

orders = Feature("orders")

@orders.handles(Ping)
async def ping(command: Ping) -> Result[int, str]:
    await anyio.sleep(0.05)
    return Success(1)

@orders.handles(Hang)
async def hang(command: Hang) -> Result[int, str]:
    print("waiting", flush=True)
    try:
        await anyio.sleep_forever()
    finally:
        print("handler cancelled", flush=True)

class Stepping(Plugin):
    name = "stepping"
    @asynccontextmanager
    async def lifespan(self):
        yield
        print("plugin stopped", flush=True)

app = CqrsModule.for_root(orders, plugins=[Stepping()])
with app.blocking() as bus:
    try:
        bus.commands.execute(Hang())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        if sys.argv[1:] == ["go on"]:
            print(bus.commands.execute(Ping()), flush=True)
        else:
            sys.exit(130)
"""


@pytest.mark.parametrize(("going_on", "status"), [(False, 130), (True, 0)], ids=["ends", "goes on"])
def test_an_interrupt_cancels_what_is_waited_for(tmp_path: Path, *, going_on: bool, status: int) -> None:
    """Ctrl-C in a real process: the handler is cancelled, also if the program goes on; plugins stop in order."""
    command = [sys.executable, "-c", INTERRUPTED, *(["go on"] if going_on else [])]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.1)  # until the caller's thread waits
        os.kill(process.pid, signal.SIGINT)
        try:
            out, errors = process.communicate(timeout=15)
        finally:
            process.kill()

    lines = out.splitlines()
    assert (process.returncode, errors, lines[-1]) == (status, "", "plugin stopped"), out
    # Two threads print at the same time: their lines may stand in one.
    assert "interrupted" in out
    before = "<Success: 1>" if going_on else "plugin stopped"
    assert 0 <= out.find("handler cancelled") < out.index(before)


def test_handlers_are_given_the_async_buses(compose_app: Any, orders: Feature) -> None:
    """Inside of the app nothing is different: injection gives the buses that are awaited."""
    kinds: list[type] = []
    feature = Feature("asking")
    feature.imports(orders)

    @attrs.frozen
    class Ask(Command[str, str]):
        pass

    @feature.handles(Ask)
    async def ask(_command: Ask, *, commands: CommandBus, events: EventBus) -> Result[str, str]:
        kinds.extend([type(commands), type(events)])
        return Success("asked")

    with compose_app(feature).blocking() as bus:
        assert bus.commands.execute(Ask()) == Success("asked")
    assert kinds == [CommandBus, EventBus]
