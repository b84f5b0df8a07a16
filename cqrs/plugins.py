"""Plugins: what one is, what it may add to an app, and how one that failed is told."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import ClassVar, Final, Literal, TypeVar, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.instrumentation import Instrument
from cqrs.problems import Problem
from cqrs.settings import load

Settings = TypeVar("Settings", bound=attrs.AttrsInstance)
Stage = Literal["discover", "load", "configure", "start", "stop"]
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
    """

    plugin: str
    distribution: str
    version: str
    stage: Stage
    reason: str
    hint: str

    def __str__(self) -> str:
        """One line that names everything."""
        origin = f" ({self.distribution} {self.version})" if self.distribution else ""
        return f"plugin {self.plugin}{origin} failed to {self.stage}: {self.reason} Fix: {self.hint}"


class Plugin:
    """Base of plugins; override what you need.

    Attributes:
        name: how ``CQRS_PLUGINS`` and messages call it.
        api: the version of this interface that it was written for.
        settings: its settings class; while none of the required variables is set, the plugin is off.
        given: values by field name that win over the environment.
        stop_timeout: seconds that leaving ``lifespan`` may take.
    """

    name: ClassVar[str] = ""
    api: ClassVar[tuple[int, int]] = API
    settings: ClassVar[type[attrs.AttrsInstance] | None] = None
    given: Mapping[str, object] = {}
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
        """Run while the app does: open resources before the yield, close them after it."""
        return nullcontext()


@final
class PluginBuilder:
    """What a plugin adds to an app.

    Attributes:
        env: the environment, as it was when the app started.
        instruments: what ``instrument`` was given.
        services: what ``register`` was given.
        off: why the plugin stands down; empty if it does not.
        loaded: the settings that ``load`` has read.
    """

    def __init__(self, env: Mapping[str, str], given: Mapping[str, object] | None = None) -> None:
        self.env = env
        self.instruments: list[Instrument] = []
        self.services: dict[type, object] = {}
        self.off = ""
        self.loaded: tuple[attrs.AttrsInstance, ...] = ()
        self._given = given or {}

    def load(self, settings: type[Settings]) -> Result[Settings, tuple[Problem, ...]]:
        """Read a settings class from the environment; the plugin's ``given`` values win.

        Args:
            settings: the class.
        """
        result = load(settings, self.env, self._given)
        self.loaded += () if isinstance(result, Failure) else (result.unwrap(),)
        return result

    def instrument(self, instrument: Instrument) -> None:
        """Add an instrument."""
        self.instruments.append(instrument)

    def register(self, service: type, instance: object) -> None:
        """Make an object injectable.

        Args:
            service: the type that handlers ask for.
            instance: what they get.
        """
        self.services[service] = instance

    def stand_down(self, reason: str) -> None:
        """Do not take part: the plugin is reported as off, not as failed."""
        self.off = reason


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
        problem = PluginProblem(self.name, self.distribution, self.version, stage, reason, hint)
        return attrs.evolve(self, state="failed", reason=reason, problem=problem, builder=None)
