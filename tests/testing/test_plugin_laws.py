"""The laws of a plugin, each with one that keeps it and one that breaks it."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import Phase, settings
from returns.result import Failure, Result, Success

from cqrs import HandlerInfo, Instrument, Next, Problem
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.settings import integer, setting
from cqrs.testing import PLUGIN_LAWS, LawBroken, PluginSubject, check_law, laws_for

QUICK = settings(max_examples=25, derandomize=True, database=None, phases=[Phase.generate])
LAWS = {law.name: law for law in PLUGIN_LAWS}


@attrs.frozen
class Settings:
    """The settings of the plugins here."""

    size: int = setting("GOOD_SIZE", integer(1, 100), doc="a size.", example="10")


class Service:
    """What a plugin registers."""


class Seeing(Instrument):
    """An instrument."""

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Hang around."""
        del handler

        async def call(message: Any, /) -> Any:
            return await next(message)

        return call


class Good(Plugin):
    """Does everything that a plugin may."""

    name: ClassVar[str] = "good"
    settings: ClassVar[type[attrs.AttrsInstance] | None] = Settings

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Read settings, register, wrap, instrument."""
        loaded = builder.load(Settings)
        if isinstance(loaded, Failure):
            return Failure(loaded.failure())
        builder.instrument(Seeing())
        builder.register(Service, Service())
        builder.wrap_commands(around(self.call), "outside")
        return Success(None)

    async def call(self, message: Any, next: Next) -> Any:
        """Pass on."""
        return await next(message)

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Run a task."""
        task = asyncio.get_running_loop().create_task(asyncio.sleep(60))
        yield
        task.cancel()


def around(call: Any) -> Any:
    def middleware(next: Next, _handler: HandlerInfo, /) -> Next:
        async def inner(message: Any, /) -> Any:
            return await call(message, next)

        return inner

    return middleware


class Off(Good):
    """Stands down."""

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Stand down."""
        builder.stand_down("not today")
        return Success(None)


class Broken(Good):
    """Never runs, and so changes nothing."""

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Raise."""
        del builder
        raise RuntimeError("broken")


class Unwell(Good):
    """Is not well."""

    def health(self) -> Result[str, str]:
        """Say so."""
        return Failure("a queue is full")


class Refusing(Good):
    """Changes what a dispatch comes to."""

    async def call(self, message: Any, next: Next) -> Any:
        """Refuse without asking."""
        return Failure("no") if message.number else await next(message)


class Threading(Good):
    """Leaves a thread."""

    ended: ClassVar[threading.Event] = threading.Event()

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start it."""
        threading.Thread(target=self.ended.wait, name="left behind", daemon=True).start()
        yield


class Leaking(Good):
    """Leaves a task."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start it."""
        self.task = asyncio.get_running_loop().create_task(asyncio.sleep(60), name="left behind")
        yield


class Once(Good):
    """Cannot be started a second time."""

    started = False

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start once."""
        if self.started:
            raise RuntimeError("already started")
        self.started = True
        yield


def subject(plugin: type[Plugin], **options: Any) -> PluginSubject:
    return PluginSubject(plugin, env={"GOOD_SIZE": "10"}, **options)


@pytest.fixture(autouse=True)
def _threads_ended() -> Any:
    """The thread that is left on purpose ends with its test."""
    Threading.ended.clear()
    yield
    Threading.ended.set()


@pytest.mark.parametrize("law", LAWS)
def test_a_good_plugin_keeps_every_law(law: str) -> None:
    """One that reads settings, registers, wraps, instruments and runs a task."""
    check_law(LAWS[law], subject(Good), settings=QUICK)


@pytest.mark.parametrize(
    ("law", "plugin", "told"),
    [
        ("runs", Off, "not today"),
        ("runs", Unwell, "a queue is full"),
        ("changes_no_result", Refusing, "without it"),
        ("changes_no_result", Broken, "it is failed, so that nothing can be said"),
        ("stops_for_good", Threading, "threads left running: left behind"),
        ("stops_for_good", Leaking, "tasks left running: left behind"),
        ("stops_for_good", Once, "the second time it is failed"),
    ],
)
def test_a_bad_plugin_breaks_its_law(law: str, plugin: type[Plugin], told: str) -> None:
    """The text says what was seen instead."""
    with pytest.raises(LawBroken, match=told):
        check_law(LAWS[law], subject(plugin), settings=QUICK)


def test_a_plugin_that_means_to_change_results_says_so() -> None:
    """The law about results is not claimed."""
    made = laws_for("TestRefusing", PLUGIN_LAWS, subject=subject(Refusing, transparent=False))

    assert not hasattr(made, "test_changes_no_result")


def test_a_plugin_brings_those_that_it_needs() -> None:
    """Beside it they run."""

    class Needing(Good):
        name: ClassVar[str] = "needing"
        requires: ClassVar[tuple[str, ...]] = ("good",)

        def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
            del builder
            return Success(None)

    needing = PluginSubject(Needing, env={"GOOD_SIZE": "10"}, beside=lambda: [Good()])

    for law in PLUGIN_LAWS:
        check_law(law, needing, settings=settings(QUICK, max_examples=10))
