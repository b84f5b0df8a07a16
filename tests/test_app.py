import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import (
    Command,
    CommandBus,
    CompositionError,
    CqrsModule,
    Event,
    Feature,
    HandlerInfo,
    Instrument,
    Next,
    Query,
)
from cqrs.instrumentation import RefreshedDetails
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.problems import Code, Problem


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Find(Query[int, str]):
    """A query."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Stock:
    """A service that nobody registers."""


async def place(_command: Place) -> Result[int, str]:
    return Success(1)


async def place_otherwise(_command: Place) -> Result[int, str]:
    return Success(2)


async def find(_query: Find, *, stock: Stock) -> Result[int, str]:
    return Success(id(stock))


async def send_receipt(_event: Placed) -> Result[None, str]:
    return Success(None)


class Journal(Plugin):
    """A plugin that notes when it starts and stops."""

    name = "journal"

    def __init__(self, steps: list[str], name: str = "journal", *, error: Exception | None = None) -> None:
        self.name = name  # type: ignore[misc]  # what no checker follows is tried on purpose
        self._steps = steps
        self._error = error

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Note it."""
        self._steps.append(f"{self.name} configured in {builder.env.get('STAGE', '?')}")
        return Success(None)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Note it."""
        if self._error is not None:
            raise self._error
        self._steps.append(f"{self.name} started")
        await anyio.sleep(0.001)
        yield
        self._steps.append(f"{self.name} stopped")


@pytest.fixture
def broken() -> Feature:
    """A feature with three different problems once the event bus is off."""
    feature = Feature("orders")
    feature.handles(Place)(place)
    feature.handles(Place)(place_otherwise)
    feature.handles(Find)(find)
    feature.subscribes(Placed)(send_receipt)
    return feature


@pytest.fixture
def orders() -> Feature:
    """A feature without problems."""
    feature = Feature("orders")
    feature.handles(Place)(place)
    return feature


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(text))


async def test_one_error_lists_everything_that_is_wrong(compose_app: Any, broken: Feature) -> None:
    """Duplicate handler, missing dependency and disabled bus come in one error, each with place, code and fix."""
    steps: list[str] = []
    app = compose_app(broken, enable_event_bus=False, plugins=(Journal(steps),))

    with pytest.raises(CompositionError) as refused:
        await app.__aenter__()

    lines = str(refused.value).splitlines()
    assert lines[0] == "3 problems found while composing the app:"
    for line, function, code, fix in zip(
        lines[1:],
        ["place_otherwise", "send_receipt", "find"],
        ["CQRS-001", "CQRS-003", "CQRS-002"],
        ["remove one of them", "remove enable_event_bus=False", r"container\.register\(Stock, \.\.\.\)"],
        strict=True,
    ):
        here = rf"tests/test_app\.py:{line_of(f'async def {function}(')}: {code} .* Fix: {fix}"
        assert re.search(here, line), line
    assert steps == ["journal configured in ?"]
    assert app.plugins == ()


async def test_a_refused_app_is_closed_and_may_be_tried_again(compose_app: Any, broken: Feature) -> None:
    """Nothing is left open by a refusal: the buses are closed, and mending the problems lets the app start."""
    app = compose_app(broken)
    with pytest.raises(CompositionError):
        await app.__aenter__()
    assert (await app.commands.execute(Place())).failure().bus == "command"

    del broken.handlings[1]
    app.container.register(Stock)

    async with app as bus:
        assert await bus.commands.execute(Place()) == Success(1)


def test_checking_finds_the_same_without_starting(compose_app: Any, broken: Feature) -> None:
    """`check()` gives the problems that starting would raise, opens nothing, and describes a sound app."""
    steps: list[str] = []
    app = compose_app(broken, plugins=(Journal(steps),), env={"STAGE": "test"})

    failed = app.check()
    del broken.handlings[1]
    app.container.register(Stock)
    passed = app.check()

    assert [p.code for p in failed.failure()] == [Code.DUPLICATE_HANDLER, Code.MISSING_DEPENDENCY]
    assert [h.messages for h in passed.unwrap().handlers] == [("Place",), ("Find",), ("Placed",)]
    assert steps == ["journal configured in test"] * 2
    assert vars(app.container).keys() == vars(type(app.container)()).keys()


async def test_plugins_start_in_order_and_stop_in_reverse(compose_app: Any, orders: Feature) -> None:
    """The lifespans enclose one another, and are left also when the body raises."""
    steps: list[str] = []
    app = compose_app(orders, plugins=(Journal(steps, "a"), Journal(steps, "b")))

    async def body() -> None:
        async with app:
            steps.append("body")
            raise ValueError("body")

    with pytest.raises(ValueError, match="body"):
        await body()

    assert steps[2:] == ["a started", "b started", "body", "b stopped", "a stopped"]


async def test_the_buses_close_before_the_plugins_stop(compose_app: Any, orders: Feature) -> None:
    """While a plugin stops nothing can be dispatched any more."""
    answers: list[object] = []

    class Late(Plugin):
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            yield
            answers.append(await app.commands.execute(Place()))

    app = compose_app(orders, plugins=(Late(),))
    async with app:
        pass

    assert isinstance(answers[0], Failure)


async def test_an_app_is_entered_once_at_a_time(compose_app: Any, orders: Feature) -> None:
    """Entering a running app, or one that is just starting, is refused; the first goes on undisturbed."""
    steps: list[str] = []
    app = compose_app(orders, plugins=(Journal(steps),))

    async def enter() -> object:
        async with app as bus:
            with pytest.raises(RuntimeError, match="running already"):
                await app.__aenter__()
            await anyio.sleep(0.01)
            return await bus.commands.execute(Place())

    outcomes = await asyncio.gather(enter(), enter(), return_exceptions=True)

    assert outcomes[0] == Success(1)
    assert isinstance(outcomes[1], RuntimeError)
    assert steps == ["journal configured in ?", "journal started", "journal stopped"]
    async with app as bus:
        assert await bus.commands.execute(Place()) == Success(1)


async def test_an_app_that_is_cancelled_while_it_starts_is_closed(compose_app: Any, orders: Feature) -> None:
    """A start that is cancelled stops the plugins that were started, and may be repeated."""
    steps: list[str] = []

    class Slow(Plugin):
        name = "slow"

        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            if steps.count("journal started") == 1:
                scope.cancel()
                await anyio.sleep_forever()
            yield

    app = compose_app(orders, plugins=(Journal(steps), Slow()))
    with anyio.CancelScope() as scope:
        await app.__aenter__()

    assert scope.cancelled_caught
    assert steps[1:] == ["journal started", "journal stopped"]
    async with app as bus:
        assert await bus.commands.execute(Place()) == Success(1)


async def test_a_middleware_that_cannot_be_composed_refuses_the_app(
    compose_app: Any, orders: Feature
) -> None:
    """A factory that raises is told as a problem with its handler's place; plugins are stopped again."""
    steps: list[str] = []

    def picky(_next: Next, _handler: HandlerInfo) -> Next:
        raise KeyError("no rule")

    app = compose_app(orders, middleware=[picky], plugins=(Journal(steps),))
    with pytest.raises(CompositionError) as refused:
        await app.__aenter__()

    (problem,) = refused.value.problems
    assert problem.code is Code.MIDDLEWARE_FAILED
    assert "KeyError: 'no rule'" in problem.text
    assert steps[-1] == "journal stopped"
    assert (await app.commands.execute(Place())).failure().bus == "command"


@pytest.mark.parametrize("strict", [False, True])
async def test_a_plugin_that_fails_refuses_a_strict_app_only(
    compose_app: Any, orders: Feature, *, strict: bool
) -> None:
    """With `strict` a failed plugin is a problem that names it; without, the app runs on without it."""
    steps: list[str] = []
    plugins = (Journal(steps), Journal(steps, "bad", error=OSError("port taken")))
    app = compose_app(orders, plugins=plugins, strict=strict)

    if strict:
        with pytest.raises(CompositionError) as refused:
            await app.__aenter__()
        (problem,) = refused.value.problems
        assert problem.code is Code.PLUGIN_FAILED
        assert "plugin bad failed to start: OSError: port taken" in problem.text
    else:
        async with app as bus:
            assert [p.state for p in bus.plugins] == ["active", "failed"]
            assert await bus.commands.execute(Place()) == Success(1)

    assert steps[-1] == "journal stopped"


def test_composing_is_pure(monkeypatch: pytest.MonkeyPatch) -> None:
    """`for_root` reads no environment, looks for no plugin and registers nothing."""
    with monkeypatch.context() as nothing:
        nothing.setattr(os, "environ", None)
        nothing.setattr(sys, "path", None)
        app = CqrsModule.for_root(Feature("orders"))

    assert app.plugins == ()


async def test_the_environment_is_replaced_as_a_whole(
    compose_app: Any, orders: Feature, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `env` given, plugins see that mapping, as it was when the app started, and not the process's."""
    monkeypatch.setenv("STAGE", "process")
    steps: list[str] = []
    env = {"STAGE": "given"}

    async with compose_app(orders, plugins=(Journal(steps, "a"),), env=env):
        env["STAGE"] = "changed"
    async with compose_app(orders, plugins=(Journal(steps, "b"),), env=None):
        pass

    assert [step for step in steps if "configured" in step] == [
        "a configured in given",
        "b configured in process",
    ]


async def test_two_apps_side_by_side_do_not_mix(compose_app: Any, orders: Feature) -> None:
    """The same feature in two apps has two sets of pipelines; closing one leaves the other open."""
    async with compose_app(orders) as one:
        async with compose_app(orders) as two:
            assert await two.commands.execute(Place()) == Success(1)
        assert await one.commands.execute(Place()) == Success(1)
        assert (await two.commands.execute(Place())).failure().bus == "command"


async def test_a_dispatch_under_way_ends_though_the_app_closes(compose_app: Any) -> None:
    """What was begun before the buses closed is answered by its handler."""
    feature = Feature("slow")
    going = anyio.Event()

    @feature.handles(Place)
    async def slow(_command: Place) -> Result[int, str]:
        going.set()
        await anyio.sleep(0.01)
        return Success(1)

    async with compose_app(feature) as bus:
        task = asyncio.ensure_future(bus.commands.execute(Place()))
        await going.wait()

    assert await task == Success(1)


class Doubling(Plugin):
    """A plugin whose middleware doubles what a query answers, until its background work crashes."""

    name = "doubling"

    def __init__(self) -> None:
        self.crash = anyio.Event()

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Double, and be injectable."""

        def double(next: Next, _handler: HandlerInfo) -> Next:
            async def call(message: Any, /) -> Any:
                return (await next(message)).map(lambda value: 2 * value)

            return call

        builder.wrap_commands(double)
        builder.register(Doubling, self)
        return Success(None)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Wait for the crash."""

        async def work() -> None:
            await self.crash.wait()
            raise OSError("connection lost")

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            yield
            group.cancel_scope.cancel()


async def test_an_app_goes_on_without_a_plugin_that_crashed(compose_app: Any, orders: Feature) -> None:
    """From then on pipelines are those without it; the buses stay open, its state and health say what happened."""
    plugin = Doubling()
    async with compose_app(orders, plugins=(plugin,)) as bus:
        assert await bus.commands.execute(Place()) == Success(2)
        assert [each.ok for each in bus.health()] == [True]
        plugin.crash.set()
        for _ in range(10_000):
            if bus.plugins[0].state != "active":
                break
            await anyio.sleep(0.001)

        assert await bus.commands.execute(Place()) == Success(1)
        assert bus.plugins[0].reason == "OSError: connection lost."
        assert [each.ok for each in bus.health()] == [False]
    assert bus.health() == ()
    assert (await bus.commands.execute(Place())).failure().bus == "command"


@pytest.mark.parametrize("optional", [True, False], ids=["optional", "needed"])
async def test_what_a_plugin_registered_is_gone_if_it_cannot_start(
    compose_app: Any, *, optional: bool
) -> None:
    """A handler that can do without it does; one that cannot keeps the app from starting, and says what is missing."""
    feature = Feature("orders")

    class Failing(Doubling):
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            raise OSError("port taken")
            yield

    async def asking(_command: Place, *, plugin: Doubling | None = None) -> Result[int, str]:
        return Success(0 if plugin is None else 1)

    async def needing(_command: Place, *, plugin: Doubling) -> Result[int, str]:
        return Success(id(plugin))

    feature.handles(Place)(asking if optional else needing)
    app = compose_app(feature, plugins=(Failing(),))
    if optional:
        async with app as bus:
            assert await bus.commands.execute(Place()) == Success(0)
    else:
        with pytest.raises(CompositionError) as refused:
            await app.__aenter__()
        assert [problem.code for problem in refused.value.problems] == [Code.MISSING_DEPENDENCY]


async def test_a_plugin_cannot_replace_what_the_app_has(compose_app: Any, orders: Feature) -> None:
    """A plugin that registers a bus, or what the user's container has, fails; the app's own stays."""

    class Greedy(Plugin):
        name = "greedy"

        def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
            builder.register(Stock, Stock())
            return Success(None)

    class Usurper(Plugin):
        name = "usurper"

        def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
            builder.register(CommandBus, object())
            return Success(None)

    app = compose_app(orders, plugins=(Greedy(), Usurper()))
    app.container.register(Stock, instance=(own := Stock()))

    async with app as bus:
        assert [plugin.state for plugin in bus.plugins] == ["failed", "failed"]
        assert bus.container.resolve(Stock) is own
        assert bus.container.resolve(CommandBus) is bus.commands


async def test_looking_at_a_running_app_configures_no_plugin_again(compose_app: Any, orders: Feature) -> None:
    """What a plugin uses while the app runs is not made anew under it: its own state is described."""
    steps: list[str] = []
    app = compose_app(orders, plugins=(Journal(steps), Journal(steps, "bad", error=OSError("port taken"))))

    async with app:
        before = list(steps)
        states = [plugin.state for plugin in app.configuration()[1:]]
        checked = app.check().unwrap()
        assert steps == before

    assert states == ["active", "failed"]
    assert [plugin.state for plugin in checked.plugins] == states


async def test_a_plugin_tells_instruments_what_its_cache_did(compose_app: Any, orders: Feature) -> None:
    """A builder that the plugin keeps reaches the app's instruments while the app runs; before and after it nobody."""
    heard: list[object] = []
    kept: list[PluginBuilder] = []

    class Hearing(Instrument):
        def refreshed(self, details: RefreshedDetails, /) -> None:
            heard.append(details)

    class Caching(Plugin):
        name = "caching"

        def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
            kept.append(builder)
            builder.refreshed(details)
            return Success(None)

    info = HandlerInfo("query", Find, "Find", "shop.find", "shop.py:1")
    details = RefreshedDetails(info, "stale", "success", 5)
    async with compose_app(orders, plugins=(Caching(),), instruments=[Hearing()]):
        kept[0].refreshed(details)
    kept[0].refreshed(details)

    assert heard == [details]
