"""The composition root: features, a container and plugins become one checked, running app."""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Final, Literal, Self, TypeVar, cast, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.blocking import BlockingApp
from cqrs.caching import EmptyCache, QueryCache
from cqrs.clock import Clock, SystemClock
from cqrs.command_bus import CommandBus
from cqrs.composition import Composition, Preparation, refuse
from cqrs.container import Bound, Container, Services
from cqrs.dead_letter import DeadLetterQueue
from cqrs.describe import AppDescription, PluginDescription, describe_core, describe_plugin
from cqrs.event_bus import EventBus, Listeners
from cqrs.faults import AppClosed, BusDisabled
from cqrs.features import Feature, flatten
from cqrs.hooks import Announcing, Hooks
from cqrs.instrumentation import Instrument
from cqrs.middleware import Kind, Middleware, Next
from cqrs.plugin_discovery import gather
from cqrs.plugin_lifespan import Supervisor
from cqrs.plugins import LoadedPlugin, Plugin, PluginHealth
from cqrs.problems import Problem, place_of_call
from cqrs.query_bus import QueryBus
from cqrs.registrations import Owner
from cqrs.registry import Entry, register
from cqrs.replay import DeadLetters
from cqrs.sealing import Composing, composed, composed_late, seal
from cqrs.subscribers import Delivering
from cqrs.unanswered import Gate

Service = TypeVar("Service")

AUTO: Final = "auto"


@final
class CqrsModule:
    """Where an app is composed; see ``for_root``."""

    @staticmethod
    def for_root(
        *features: Feature,
        container: Container | None = None,
        enable_command_bus: bool = True,
        enable_query_bus: bool = True,
        enable_event_bus: bool = True,
        middleware: Sequence[Middleware] = (),
        instruments: Sequence[Instrument] = (),
        plugins: Sequence[Plugin] | Literal["auto"] = AUTO,
        env: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        dead_letters: DeadLetterQueue | None = None,
        strict: bool = False,
    ) -> "CqrsApp":
        """Compose an app. Pure: nothing is imported, opened or looked up before ``async with app``.

        Args:
            features: what the app consists of; one that comes twice counts once.
            container: the services that handlers ask for; an empty one if not given.
            enable_command_bus: whether there is a command bus.
            enable_query_bus: whether there is a query bus.
            enable_event_bus: whether there is an event bus.
            middleware: around every handler, outermost first.
            instruments: outside of the middleware, outermost first.
            plugins: the plugins to use instead of those that are installed; ``()`` for none.
            env: replaces ``os.environ`` for everything that the app and its plugins read.
            clock: replaces the machine's clocks.
            dead_letters: keeps what a subscriber could not take; else what ``CQRS_DEAD_LETTERS`` names, or memory.
            strict: whether a plugin that fails keeps the app from starting.
        """
        return CqrsApp(
            Composition(
                features=flatten(features),
                container=Container() if container is None else container,
                enabled={"command": enable_command_bus, "query": enable_query_bus, "event": enable_event_bus},
                middleware=tuple(middleware),
                instruments=tuple(instruments),
                plugins=None if isinstance(plugins, str) else tuple(plugins),
                env=env,
                clock=SystemClock() if clock is None else clock,
                strict=strict,
                dead_letters=dead_letters,
                owner=Owner(place_of_call()),
            )
        )


@final
class CqrsApp:
    """An app: ``async with app as bus`` starts it, checked as a whole, and stops it again.

    Attributes:
        commands: the command bus.
        queries: the query bus.
        events: the event bus.
        container: the user's container; it resolves the buses too.
        dead_letters: the events that a subscriber could not take: to list, replay and discard.
        plugins: every plugin that was found, with the state that it has now; empty until the app starts.
    """

    def __init__(self, composition: Composition) -> None:
        self._composition = composition
        self._pipelines: dict[Kind, dict[type, Next]] = {"command": {}, "query": {}}
        self._hooks = Hooks()
        self._announcing = Announcing(self._hooks, composition.clock)
        self._listeners = Listeners(self._hooks)
        self._gates: dict[Kind, Gate] = {kind: Gate(AppClosed(kind)) for kind in composition.enabled}
        self._supervisor = Supervisor((), self._lose)
        self._sealed: tuple[Preparation, Mapping[Entry, Bound]] | None = None
        self._stack: AsyncExitStack | None = None
        self._entered = False
        self.commands: CommandBus = CommandBus(self._pipelines["command"], self._gates["command"])
        self.queries: QueryBus = QueryBus(self._pipelines["query"], self._gates["query"])
        self.events: EventBus = EventBus(self._listeners, self._gates["event"], composition.clock)
        self.dead_letters: DeadLetters = DeadLetters(
            self._listeners,
            self._gates["event"],
            composition.clock,
            composition.dead_letters,
            composition.env,
        )
        self.container: Container = composition.container
        self.plugins: tuple[PluginDescription, ...] = ()

    async def __aenter__(self) -> Self:
        """Find plugins, check everything, open resources, start plugins, bind dependencies, seal.

        Raises:
            CompositionError: with every problem at once; nothing is left open.
            RuntimeError: if the app is running already.
        """
        if self._entered:
            raise RuntimeError("This app is running already; it can be entered again once it has been left.")
        self._entered = True
        try:
            async with AsyncExitStack() as stack:
                began = self._composition.clock.monotonic_ns()
                prepared = await self._started(self._prepare(), stack)
                calls = prepared.bind()
                stack.callback(self._announcing.stopped)
                stack.callback(self._close)
                self._seal(attrs.evolve(prepared, plugins=self._supervisor.plugins), calls, composed)
                stack.push_async_callback(self.events.close)
                infos = tuple(entry.info for entry in prepared.registry.entries())
                active = tuple(plugin.name for plugin in self.plugins if plugin.state == "active")
                self._announcing.started(infos, active, began, prepared.letters.unwrap())
                self._stack = stack.pop_all()
        finally:
            self._entered = self._stack is not None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the buses, then stop the plugins, last started first."""
        stack, self._stack = self._stack, None
        try:
            if stack is not None:
                await stack.aclose()
        finally:
            self._entered = False

    def blocking(self) -> BlockingApp:
        """Open the app for code that is not async: ``with app.blocking() as bus: bus.commands.execute(...)``."""
        return BlockingApp(self)

    def health(self) -> tuple[PluginHealth, ...]:
        """Ask every plugin how it is, without waiting; none while the app does not run."""
        return () if self._stack is None else self._supervisor.health()

    @contextmanager
    def override(self, service: type[Service] | Callable[..., object], value: Service) -> Generator[None]:
        """Let whoever asks for a service get a value of a test's own: around ``async with app``, not within it.

        The app starts on a copy of its container: what is made under an override is forgotten with it.

        Args:
            service: the type that handlers ask for.
            value: what they get instead of what is registered or provided.

        Raises:
            RuntimeError: if the app is running already.
        """
        if self._entered:
            raise RuntimeError("This app is running already; override before `async with app`.")
        before = self._composition
        copied = Container(before.container.registrations)
        overrides = {**before.overrides, cast("type", service): value}
        self._composition = attrs.evolve(before, container=copied, overrides=overrides)
        self.container = copied
        try:
            yield
        finally:
            self._composition, self.container = before, before.container

    def check(self) -> Result[AppDescription, tuple[Problem, ...]]:
        """Find and check everything as starting would, without opening or starting anything.

        Returns:
            What the app consists of, or every problem at once.
        """
        prepared = self._prepare()
        problems = prepared.problems()
        if problems:
            return Failure(problems)
        return Success(prepared.describe())

    def configuration(self) -> tuple[PluginDescription, ...]:
        """Say what every setting is and where it came from, secrets masked; of a running app, what it has read.

        Returns:
            The core, as if it were a plugin, then every plugin with the state that it comes to.
        """
        env = os.environ if self._composition.env is None else self._composition.env
        return (describe_core(env), *map(describe_plugin, self._prepare().plugins))

    async def _started(self, prepared: Preparation, stack: AsyncExitStack) -> Preparation:
        refuse(prepared.problems())
        await prepared.open(stack)
        supervisor = self._supervisor = Supervisor(prepared.plugins, self._lose)
        await supervisor.start(stack)
        if supervisor.plugins != prepared.plugins:  # without what the plugins registered that could not start
            made = prepared.services.made()
            prepared = self._prepare(supervisor.plugins)
            prepared.services.supply(made)
            refuse(prepared.problems())
        self.plugins = tuple(map(describe_plugin, supervisor.plugins))
        return prepared

    def _prepare(self, plugins: tuple[LoadedPlugin, ...] | None = None) -> Preparation:
        composition = self._composition
        env = dict(os.environ if composition.env is None else composition.env)
        registry = register(composition.features, composition.enabled)
        services = Services(composition.container, registry.providings)
        services.supply({CommandBus: self.commands, QueryBus: self.queries, EventBus: self.events})
        services.supply({Clock: composition.clock})
        if plugins is None and self._stack is not None:
            plugins = (
                self._supervisor.plugins
            )  # configuring them again would change what the running app uses
        elif plugins is None:
            plugins = gather(composition.plugins, env, provides=services.provides)
        services.supply({QueryCache: EmptyCache()})
        builders = [plugin.builder for plugin in plugins if plugin.builder]
        for builder in builders:
            services.supply(builder.services)
            builder.hooks = self._hooks
        services.supply(composition.overrides)
        brought = [queue for builder in builders for queue in builder.queues]
        letters = self.dead_letters.choose(brought)
        return Preparation(composition, registry, services, plugins, self._hooks, self.events, letters)

    def _lose(self) -> None:
        """Go on without a plugin that failed while the app runs: pipelines are composed anew, dispatches go on."""
        self.plugins = tuple(map(describe_plugin, self._supervisor.plugins))
        if self._sealed is not None:
            prepared, calls = self._sealed
            self._seal(attrs.evolve(prepared, plugins=self._supervisor.plugins), calls, composed_late)

    def _seal(self, prepared: Preparation, calls: Mapping[Entry, Bound], composing: Composing) -> None:
        self._sealed = prepared, calls
        around = prepared.around()
        queue = prepared.letters.unwrap()
        self.dead_letters.serve(queue, prepared.registry.events())
        delivering = Delivering(around.clock, self._hooks, self.dead_letters.parking)
        sealed = seal(prepared.registry, calls, around, composing, delivering)
        for kind, pipelines in sealed.pipelines.items():
            self._pipelines[kind].update(pipelines)
        self._listeners.fill(sealed.audiences, sealed.find, watched=sealed.context)
        self._hooks.watch(around.instruments, around.failures)
        for kind, gate in self._gates.items():
            gate.fault = None if self._composition.enabled[kind] else BusDisabled(kind)

    def _close(self) -> None:
        self._sealed = None
        for kind, gate in self._gates.items():
            gate.fault = AppClosed(kind)
        for pipelines in self._pipelines.values():
            pipelines.clear()
        self._listeners.clear()
