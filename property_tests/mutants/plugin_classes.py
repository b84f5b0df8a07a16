"""Wrong plugins, and a core that is wrong about them."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ClassVar

import attrs
from returns.result import Failure, Result, Success

from cqrs import HandlerInfo, Instrument, Next, Problem
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.settings import integer, setting
from cqrs.testing import PLUGIN_LAWS, PluginSubject
from property_tests.mutants.mutant import Mutant, Suite, replaced


@attrs.frozen
class Settings:
    """The settings of the plugins here."""

    size: int = setting("RIGHT_SIZE", integer(1, 100), doc="a size.", example="10")


class Service:
    """What a plugin registers."""


class Counting(Instrument):
    """An instrument."""

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Hang around."""
        del handler

        async def call(message: Any, /) -> Any:
            return await next(message)

        return call


class Right(Plugin):
    """Does everything that a plugin may."""

    name: ClassVar[str] = "right"
    settings: ClassVar[type[attrs.AttrsInstance] | None] = Settings

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Read settings, register, wrap, instrument."""
        loaded = builder.load(Settings)
        if isinstance(loaded, Failure):
            return self.refuse(loaded.failure())
        builder.instrument(Counting())
        builder.register(Service, Service())
        builder.wrap_commands(self.around, "outside")
        return Success(None)

    def refuse(self, problems: tuple[Problem, ...]) -> Result[None, tuple[Problem, ...]]:
        """Say what is wrong."""
        return Failure(problems)

    def around(self, next: Next, _handler: HandlerInfo, /) -> Next:
        """Wrap."""

        async def inner(message: Any, /) -> Any:
            return await self.call(message, next)

        return inner

    async def call(self, message: Any, next: Next) -> Any:
        """Pass on."""
        return await next(message)

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Run a task and a thread."""
        task = asyncio.get_running_loop().create_task(asyncio.sleep(60))
        end = threading.Event()
        thread = threading.Thread(target=end.wait)
        thread.start()
        try:
            yield
        finally:
            task.cancel()
            end.set()
            thread.join()


class Unwell(Right):
    """Is not well."""

    def health(self) -> Result[str, str]:
        """Say so."""
        return Failure("its queue is full")


class Answering(Right):
    """Changes what a dispatch comes to."""

    async def call(self, message: Any, next: Next) -> Any:
        """Refuse some."""
        return Failure("no") if message.number == 2 else await next(message)


class Repeating(Right):
    """Runs a command twice."""

    async def call(self, message: Any, next: Next) -> Any:
        """Go on twice."""
        await next(message)
        return await next(message)


class Ended(BaseException):
    """What a plugin raises that ends its program."""


class Exiting(Right):
    """Ends the program over a wrong setting."""

    def refuse(self, problems: tuple[Problem, ...]) -> Result[None, tuple[Problem, ...]]:
        """End it."""
        raise Ended(problems)


ending = threading.Event()


class LeavingThread(Right):
    """Leaves a thread."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start it."""
        threading.Thread(target=ending.wait, daemon=True).start()
        yield


class LeavingTask(Right):
    """Leaves a task."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start it."""
        self.task = asyncio.get_running_loop().create_task(asyncio.sleep(60))
        yield


class Once(Right):
    """Cannot be started again."""

    started = False

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start once."""
        if self.started:
            raise RuntimeError("already started")
        self.started = True
        yield


@contextmanager
def ended() -> Iterator[None]:
    """End the threads that a mutant leaves."""
    ending.clear()
    yield
    ending.set()


def not_rolled_back(asked: Any) -> Any:
    def wrong(loaded: Any, plugin: Plugin, env: Any) -> Any:
        builder = PluginBuilder(env, plugin.given, loaded.name)
        try:
            answer = plugin.configure(builder)
        except Exception:  # noqa: BLE001 - wrong on purpose
            answer = Failure(())
        right = (
            asked(loaded, plugin, env)
            if isinstance(answer, Success)
            else loaded.failed("configure", "it failed", "")
        )
        return attrs.evolve(right, builder=builder)

    return wrong


def fatal(fail: Any) -> Any:
    def wrong(self: Any, place: int, stage: str, reason: str, *more: Any) -> None:
        if stage == "start":
            raise RuntimeError(reason)
        fail(self, place, stage, reason, *more)

    return wrong


def subject(plugin: type[Plugin]) -> PluginSubject:
    return PluginSubject(plugin, env={"RIGHT_SIZE": "10"})


RIGHT = subject(Right)

PLUGIN_CLASSES = Suite(
    "plugin",
    PLUGIN_LAWS,
    (RIGHT,),
    (
        Mutant("is not well from the start", "runs", subject(Unwell)),
        Mutant("answers in place of a handler", "changes_no_result", subject(Answering)),
        Mutant("runs a handler twice", "changes_no_result", subject(Repeating)),
        Mutant(
            "ends the app when it fails",
            "fails_alone",
            RIGHT,
            replaced("cqrs.plugin_lifespan.Supervisor._fail", fatal),
            dies_of=RuntimeError,
        ),
        Mutant(
            "keeps what a failed configure registered",
            "configures_as_a_whole",
            RIGHT,
            replaced("cqrs.plugin_configuration._asked", not_rolled_back),
        ),
        Mutant(
            "ends the program over a wrong setting", "survives_any_settings", subject(Exiting), dies_of=Ended
        ),
        Mutant("leaves a thread running", "stops_for_good", subject(LeavingThread), ended),
        Mutant("leaves a task running", "stops_for_good", subject(LeavingTask)),
        Mutant("cannot be started again", "stops_for_good", subject(Once)),
    ),
)
