"""Plugins: what one is, what it may add to an app, and how one that failed is told."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import ClassVar, Final, Literal, TypeVar, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.hook_details import RefreshedDetails
from cqrs.hooks import Hooks
from cqrs.instrumentation import Instrument
from cqrs.letters import DeadLetterQueue
from cqrs.middleware import Kind, Middleware
from cqrs.problems import Code, Problem, place_of
from cqrs.settings import load
from cqrs.wrapping import SLOTS, Slot, Wrap

Settings = TypeVar("Settings", bound=attrs.AttrsInstance)
Stage = Literal["discover", "load", "order", "configure", "start", "run", "stop"]
State = Literal["active", "off", "failed", "excluded"]

API: Final = (1, 0)


@final
@attrs.frozen
class PluginProblem:
    """Why a plugin, or a part of it, does not run; the app does.

    Attributes:
        plugin: its name.
        distribution: the installed distribution that brings it, empty for one given in code.
        version: that distribution's version.
        stage: how far it came.
        reason: what went wrong.
        hint: what to do.
        place: ``file:line`` of the plugin's class, empty if it could not be loaded.
    """

    plugin: str
    distribution: str
    version: str
    stage: Stage
    reason: str
    hint: str
    place: str = attrs.field(default="", eq=False)

    def __str__(self) -> str:
        """One line that names everything."""
        return f"{self._text()} Fix: {self.hint}"

    def told(self) -> Problem:
        """Give it as a problem of the app."""
        return Problem(Code.PLUGIN_FAILED, self._text(), self.hint, self.place)

    def _text(self) -> str:
        origin = f" ({self.distribution} {self.version})" if self.distribution else ""
        return f"plugin {self.plugin}{origin} failed to {self.stage}: {self.reason}"


@final
@attrs.frozen
class PluginHealth:
    """How a plugin is, for a health check.

    Attributes:
        plugin: its name.
        ok: whether it does what it is there for; a plugin that is off or excluded is fine.
        text: a few words.
    """

    plugin: str
    ok: bool
    text: str


class Plugin:
    """Base of plugins; override what you need.

    Attributes:
        name: how ``CQRS_PLUGINS`` and messages call it.
        api: the version of this interface that it was written for.
        requires: names of the plugins that it cannot do without; it is configured and started after them.
        after: names of plugins that it comes after, if they are there.
        settings: its settings class; while none of the required variables is set, the plugin is off.
        given: values by field name that win over the environment.
        start_timeout: seconds that entering ``lifespan`` may take.
        stop_timeout: seconds that leaving ``lifespan`` may take.
    """

    name: ClassVar[str] = ""
    api: ClassVar[tuple[int, int]] = API
    requires: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[type[attrs.AttrsInstance] | None] = None
    given: Mapping[str, object] = {}
    start_timeout: float = 1.0
    stop_timeout: float = 1.0

    def configure(self, builder: "PluginBuilder", /) -> Result[None, tuple[Problem, ...]]:
        """Read settings and say what to add to the app; open nothing.

        Args:
            builder: takes what the plugin adds; dropped as a whole if this fails.

        Returns:
            ``Success(None)``, or everything that is wrong.
        """
        del builder
        return Success(None)

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Run while the app does: open resources before the yield, close them after it.

        It runs in a task of its own. A task group that is open at the yield is the place for background work: what it
        raises ends this plugin, not the app.
        """
        return nullcontext()

    def health(self) -> Result[str, str]:
        """Say how the running plugin is, from what it knows already; called by ``app.health()``, must not wait.

        Returns:
            ``Success`` with a few words, or ``Failure`` with what is wrong.
        """
        return Success("running")


@final
class PluginBuilder:
    """What a plugin adds to an app; nothing of it counts if ``configure`` fails, and nothing after it can be added.

    Args:
        env: the environment, as it was when the app started.
        given: values by field name that win over the environment.
        plugin: the plugin's name.

    Attributes:
        env: the environment, as it was when the app started.
        instruments: what ``instrument`` was given.
        services: what ``register`` was given.
        wraps: what ``wrap_commands``, ``wrap_queries`` and ``wrap_events`` were given, outermost first.
        queues: what ``dead_letters`` was given.
        hooks: the app's instruments; None until the app has taken what the plugin adds.
        off: why the plugin stands down; empty if it does not.
        loaded: the settings that ``load`` has read.
    """

    def __init__(
        self, env: Mapping[str, str], given: Mapping[str, object] | None = None, plugin: str = ""
    ) -> None:
        self.env = env
        self.instruments: list[Instrument] = []
        self.services: dict[type, object] = {}
        self.wraps: dict[Kind, list[Wrap]] = {"command": [], "query": [], "event": []}
        self.queues: list[DeadLetterQueue] = []
        self.hooks: Hooks | None = None
        self.off: str = ""
        self.loaded: tuple[attrs.AttrsInstance, ...] = ()
        self._given = given or {}
        self._plugin = plugin
        self._closed = False

    def load(self, settings: type[Settings]) -> Result[Settings, tuple[Problem, ...]]:
        """Read a settings class from the environment; the plugin's ``given`` values win.

        Args:
            settings: the class.
        """
        result = load(settings, self.env, self._given)
        self.loaded += () if isinstance(result, Failure) else (result.unwrap(),)
        return result

    def instrument(self, instrument: Instrument) -> None:
        """Add an instrument.

        Args:
            instrument: it sees every dispatch and changes none.
        """
        self._open()
        self.instruments.append(instrument)

    def register(self, service: type, instance: object) -> None:
        """Make an object injectable.

        Args:
            service: the type that handlers ask for; a type that the app or another plugin provides fails this plugin.
            instance: what they get.
        """
        self._open()
        self.services[service] = instance

    def wrap_commands(self, middleware: Middleware, slot: Slot = "outside") -> None:
        """Hang a middleware around every command's handler.

        Args:
            middleware: one that raises is left out of that dispatch and counted; ``next`` given back adds nothing.
            slot: ``outside`` of the user's middleware, or ``invalidation`` inside it, after the commit.
        """
        self._wrap("command", middleware, slot)

    def wrap_queries(self, middleware: Middleware, slot: Slot = "outside") -> None:
        """Hang a middleware around every query's handler.

        Args:
            middleware: one that raises is left out of that dispatch and counted; ``next`` given back adds nothing.
            slot: ``outside`` of the user's middleware, or ``cache`` inside it.
        """
        self._wrap("query", middleware, slot)

    def wrap_events(self, middleware: Middleware, slot: Slot = "outside") -> None:
        """Hang a middleware around every delivery of an event.

        Args:
            middleware: one that raises is left out of that dispatch and counted; ``next`` given back adds nothing.
            slot: ``outside`` of the user's middleware, or ``invalidation`` inside it, after the commit.
        """
        self._wrap("event", middleware, slot)

    def dead_letters(self, queue: DeadLetterQueue) -> None:
        """Keep the app's dead letters, unless it was given a queue or the environment names one.

        Args:
            queue: opened when the app starts, closed when it has stopped.
        """
        self._open()
        self.queues.append(queue)

    def refreshed(self, details: RefreshedDetails) -> None:
        """Tell the app's instruments that a cache has asked a query anew; for while the app runs.

        Args:
            details: what happened.
        """
        if self.hooks is not None and self.hooks.refreshed is not None:
            self.hooks.refreshed(details)

    def stand_down(self, reason: str) -> None:
        """Do not take part: the plugin is reported as off, not as failed.

        Args:
            reason: why, for people.
        """
        self._open()
        self.off = reason

    def close(self) -> None:
        """Take nothing more; the app calls it when ``configure`` has answered."""
        self._closed = True

    def _wrap(self, kind: Kind, middleware: Middleware, slot: Slot) -> None:
        self._open()
        if slot not in SLOTS[kind]:
            raise ValueError(f"the slots around a {kind} are {' and '.join(SLOTS[kind])}, not {slot!r}")
        self.wraps[kind].append(Wrap(slot, middleware, self._plugin))

    def _open(self) -> None:
        if self._closed:
            raise RuntimeError("configure has ended: what a plugin adds, it adds there")


@final
@attrs.frozen
class LoadedPlugin:
    """A plugin that answered, or the problem that it is.

    Attributes:
        name: its name.
        distribution: the distribution that brings it.
        version: that distribution's version.
        state: whether it runs.
        reason: why not, empty if it runs.
        plugin: the plugin, None if it could not be loaded.
        builder: what it adds.
        problem: set if it failed.
    """

    name: str
    distribution: str
    version: str
    state: State
    reason: str = ""
    plugin: Plugin | None = None
    builder: PluginBuilder | None = attrs.field(default=None, repr=False)
    problem: PluginProblem | None = None

    def failed(self, stage: Stage, reason: str, hint: str) -> "LoadedPlugin":
        """Give this plugin as failed."""
        place = "" if self.plugin is None else place_of(type(self.plugin))
        problem = PluginProblem(self.name, self.distribution, self.version, stage, reason, hint, place)
        return attrs.evolve(self, state="failed", reason=reason, problem=problem, builder=None)
