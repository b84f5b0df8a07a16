"""One attempt to start an app: what it was composed of, what was found, and what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from typing import final

import attrs
from returns.result import Failure

from cqrs.clock import Clock
from cqrs.container import Bound, Container, Services
from cqrs.context import Emit, MessageContext
from cqrs.dependency_graph import Examination
from cqrs.describe import AppDescription, describe
from cqrs.dispatch import crashed
from cqrs.event_bus import Audience, Subscriber, watches
from cqrs.features import Feature
from cqrs.hooks import Hooks
from cqrs.instrumentation import HookFailures, Instrument
from cqrs.messages import AnyResult, Event
from cqrs.middleware import HandlerInfo, Kind, Middleware, Next, needs_context
from cqrs.observation import Observed
from cqrs.pipeline import Surroundings, prepare
from cqrs.plugin_discovery import foreign_owners
from cqrs.plugins import LoadedPlugin, Plugin
from cqrs.problems import Code, CompositionError, Problem
from cqrs.registry import Entry, Registry
from cqrs.unit_of_work import Publisher
from cqrs.wrapping import SLOTS, Wrap

# Composes one pipeline, but for its context.
Composing = Callable[[Bound, HandlerInfo, Surroundings], Observed]


@final
@attrs.frozen(eq=False)
class Composition:
    """The arguments of ``for_root``, as an app keeps them."""

    features: tuple[Feature, ...]
    container: Container
    enabled: Mapping[Kind, bool]
    middleware: tuple[Middleware, ...]
    instruments: tuple[Instrument, ...]
    plugins: tuple[Plugin, ...] | None
    env: Mapping[str, str] | None
    clock: Clock
    strict: bool
    overrides: Mapping[type, object] = attrs.field(factory=dict[type, object])


@final
@attrs.frozen(eq=False, slots=False)
class Preparation:
    """One attempt to start: everything found, nothing opened yet.

    Attributes:
        composition: the arguments of ``for_root``.
        registry: what the features declare.
        services: what handlers can ask for.
        plugins: what was found.
        hooks: what the app tells its instruments.
        publisher: publishes what handlers emit.
        failures: where an instrument's hook or a plugin's middleware that raises is counted.
    """

    composition: Composition
    registry: Registry
    services: Services
    plugins: tuple[LoadedPlugin, ...]
    hooks: Hooks
    publisher: Publisher
    failures: HookFailures = attrs.field(factory=HookFailures)

    @cached_property
    def examination(self) -> Examination:
        """What the handlers need."""
        return self.services.examine(self.registry.entries())

    def problems(self) -> tuple[Problem, ...]:
        """Everything that keeps the app from starting."""
        found = (*foreign_owners(), *self.registry.problems, *self.examination.problems)
        return (*found, *self._unheard(), *self.plugin_problems())

    def warnings(self) -> tuple[Problem, ...]:
        """What keeps nothing from starting and is seldom meant."""
        return self.services.transients(self.examination)

    def _unheard(self) -> Iterator[Problem]:
        for entry, services in self.examination.reached.items():
            if Emit in services and not self.composition.enabled["event"]:
                yield Problem(
                    Code.BUS_DISABLED,
                    f"{entry.info.handler} emits events, but the event bus is disabled.",
                    "remove enable_event_bus=False from for_root(...), or the feature that needs the bus.",
                    entry.info.place,
                )

    def plugin_problems(self) -> tuple[Problem, ...]:
        """The plugins that failed, if the app is strict about them."""
        if not self.composition.strict:
            return ()
        return tuple(plugin.problem.told() for plugin in self.plugins if plugin.problem is not None)

    async def open(self, app: object, stack: AsyncExitStack) -> None:
        """Make what the features provide for the app's whole life.

        Args:
            app: the owner of the container from now on.
            stack: closes again what is opened.

        Raises:
            CompositionError: with everything that could not be made.
        """
        refuse(await self.services.open(app, stack))

    def bind(self) -> dict[Entry, Bound]:
        """Give every handler its dependencies.

        Raises:
            CompositionError: with everything that could not be made.
        """
        bound = {entry: self.services.bind(entry) for entry in self.registry.entries()}
        refuse(tuple(result.failure() for result in bound.values() if isinstance(result, Failure)))
        return {entry: result.unwrap() for entry, result in bound.items()}

    def around(self) -> Surroundings:
        """What hangs around every handler, plugins that failed left out."""
        added = [plugin.builder for plugin in self.plugins if plugin.builder]
        instruments = [instrument for builder in added for instrument in builder.instruments]
        wraps: dict[Kind, list[Wrap]] = {
            kind: [wrap for builder in added for wrap in builder.wraps[kind]] for kind in SLOTS
        }
        composition = self.composition
        asked = any(needs_context(m) for m in composition.middleware) or self.examination.asks(MessageContext)
        return Surroundings(
            composition.middleware,
            (*composition.instruments, *instruments),
            wraps,
            self.failures,
            self.hooks,
            self.publisher,
            composition.clock,
            context=asked or any(wraps.values()),
        )

    def describe(self) -> AppDescription:
        """Describe the app as it would start."""
        around, services = self.around(), self.services
        scopes = {entry: services.scope_of(reached) for entry, reached in self.examination.reached.items()}
        return describe(scopes, around, self.plugins, self.warnings())


@final
@attrs.frozen(eq=False)
class Sealed:
    """Every pipeline of an app.

    Attributes:
        pipelines: by kind and message class.
        audiences: who hears an event class, for those that subscribers name.
        find: composes the audience of another event class.
        context: whether dispatches have a context.
    """

    pipelines: Mapping[Kind, Mapping[type, Next]]
    audiences: Mapping[type[Event], Audience]
    find: Callable[[type[Event]], Audience]
    context: bool


def seal(
    registry: Registry, calls: Mapping[Entry, Bound], around: Surroundings, composing: Composing
) -> Sealed:
    """Compose every pipeline, then decide for all of them whether dispatches have a context.

    Args:
        registry: who handles what.
        calls: the handlers with their dependencies bound.
        around: what the app hangs around them.
        composing: composes one pipeline.

    Raises:
        CompositionError: if ``composing`` says so of a middleware that cannot be composed.
    """
    handlers = {m: composing(calls[e], e.info, around) for m, e in registry.handlers.items()}
    audiences = Audiences(registry.subscribers, calls, around, composing)
    hearing = {event: audiences.composed(event) for entry in registry.subscribers for event in entry.events}
    every = [*handlers.values(), *(each for heard in hearing.values() for each in heard)]
    context = around.context or any(each.active for each in every) or watches(around.instruments)
    pipelines: dict[Kind, dict[type, Next]] = {"command": {}, "query": {}}
    for message, each in handlers.items():
        pipelines[each.handler.kind][message] = each.within(context)
    late = Audiences(registry.subscribers, calls, attrs.evolve(around, context=context), composed_late)
    heard = {event: late.audience(event, each) for event, each in hearing.items()}
    return Sealed(pipelines, heard, late.of, context)


@final
@attrs.frozen(eq=False)
class Audiences:
    """Finds who hears an event class: the subscribers of it and of the classes that it derives from.

    Attributes:
        subscribers: in the order of their registration.
        calls: their functions, dependencies bound.
        around: what the app hangs around them.
        composing: composes one pipeline.
    """

    subscribers: tuple[Entry, ...]
    calls: Mapping[Entry, Bound]
    around: Surroundings
    composing: Composing

    def of(self, event: type[Event]) -> Audience:
        """Compose the pipelines of everybody who hears an event class."""
        return self.audience(event, self.composed(event))

    def composed(self, event: type[Event]) -> tuple[Observed, ...]:
        """Compose them but for their context.

        Args:
            event: the event class.
        """
        name = self._name_of(event)
        return tuple(
            self.composing(
                self.calls[entry], attrs.evolve(entry.info, message=event, message_type=name), self.around
            )
            for entry in self.subscribers
            if any(issubclass(event, each) for each in entry.events)
        )

    def audience(self, event: type[Event], composed: tuple[Observed, ...]) -> Audience:
        """Give those who hear an event class.

        Args:
            event: the event class.
            composed: their pipelines, which have a context or not as ``around`` says.
        """
        context = self.around.context
        subscribers = (Subscriber(each.handler, each.within(context)) for each in composed)
        return Audience(self._name_of(event), tuple(subscribers))

    def _name_of(self, event: type[Event]) -> str:
        names = {each: name for entry in self.subscribers for each, name in entry.events.items()}
        return names.get(event, event.__qualname__)


def composed(call: Bound, handler: HandlerInfo, around: Surroundings) -> Observed:
    """Compose a pipeline; a middleware that cannot be composed is a problem like any other.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.
    """
    try:
        return prepare(call, handler, around)
    except Exception as error:
        problem = Problem(
            Code.MIDDLEWARE_FAILED,
            f"a middleware could not be composed around {handler.handler}: {type(error).__name__}: {error}.",
            "a middleware is called with (next, handler) and returns an async function of the message.",
            handler.place,
        )
        raise CompositionError((problem,)) from error


def composed_late(call: Bound, handler: HandlerInfo, around: Surroundings) -> Observed:
    """Compose a pipeline while the app runs: what cannot be composed fails its deliveries, not the publisher.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.
    """
    try:
        return prepare(call, handler, around)
    except Exception as error:  # noqa: BLE001 - logged, and the answer of every delivery
        fault = crashed(error, handler, "middleware")

    async def failing(message: object, /) -> AnyResult:
        del message
        return Failure(fault)

    return Observed(failing, handler, (), (), active=False)


def refuse(problems: tuple[Problem, ...]) -> None:
    """Raise if there are problems."""
    if problems:
        raise CompositionError(problems)
