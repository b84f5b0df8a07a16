"""One attempt to start an app: what it was composed of, what was found, and what is wrong with it."""

from collections.abc import Callable, Mapping
from typing import final

import attrs
from returns.result import Failure

from cqrs.clock import Clock
from cqrs.container import Container, Services
from cqrs.dispatch import crashed
from cqrs.event_bus import Audience, Subscriber
from cqrs.features import Feature
from cqrs.hooks import Hooks
from cqrs.instrumentation import HookFailures, Instrument
from cqrs.messages import AnyResult, Event
from cqrs.middleware import HandlerInfo, Kind, Middleware, Next
from cqrs.pipeline import Surroundings, compose
from cqrs.plugin_discovery import foreign_owners
from cqrs.plugins import LoadedPlugin, Plugin
from cqrs.problems import Code, CompositionError, Problem
from cqrs.registry import Call, Entry, Registry
from cqrs.wrapping import SLOTS, Wrap

# Composes one pipeline.
Composing = Callable[[Call, HandlerInfo, Surroundings], Next]


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


@final
@attrs.frozen(eq=False)
class Preparation:
    """One attempt to start: everything found, nothing opened yet.

    Attributes:
        composition: the arguments of ``for_root``.
        registry: what the features declare.
        services: what handlers can ask for.
        plugins: what was found.
        hooks: what the app tells its instruments.
        failures: where an instrument's hook or a plugin's middleware that raises is counted.
    """

    composition: Composition
    registry: Registry
    services: Services
    plugins: tuple[LoadedPlugin, ...]
    hooks: Hooks
    failures: HookFailures = attrs.field(factory=HookFailures)

    def problems(self) -> tuple[Problem, ...]:
        """Everything that keeps the app from starting."""
        found = (*foreign_owners(), *self.registry.problems, *self.services.check(self.registry.entries()))
        return (*found, *self.plugin_problems())

    def plugin_problems(self) -> tuple[Problem, ...]:
        """The plugins that failed, if the app is strict about them."""
        if not self.composition.strict:
            return ()
        return tuple(plugin.problem.told() for plugin in self.plugins if plugin.problem is not None)

    def open(self, app: object) -> dict[Entry, Call]:
        """Make every dependency and bind the handlers.

        Args:
            app: the owner of the container from now on.

        Raises:
            CompositionError: with everything that could not be made.
        """
        refuse(self.services.open(app))
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
        instruments = [*composition.instruments, *instruments]
        return Surroundings(composition.middleware, instruments, wraps, self.failures, self.hooks)


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
    calls: Mapping[Entry, Call]
    around: Surroundings
    composing: Composing

    def of(self, event: type[Event]) -> Audience:
        """Compose the pipelines of everybody who hears an event class."""
        names = {each: name for entry in self.subscribers for each, name in entry.events.items()}
        name = names.get(event, event.__qualname__)
        infos = {
            entry: attrs.evolve(entry.info, message=event, message_type=name)
            for entry in self.subscribers
            if any(issubclass(event, each) for each in entry.events)
        }
        subscribers = (
            Subscriber(info, self.composing(self.calls[entry], info, self.around))
            for entry, info in infos.items()
        )
        return Audience(name, tuple(subscribers))


def composed(call: Call, handler: HandlerInfo, around: Surroundings) -> Next:
    """Compose a pipeline; a middleware that cannot be composed is a problem like any other.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.
    """
    try:
        return compose(call, handler, around)
    except Exception as error:
        problem = Problem(
            Code.MIDDLEWARE_FAILED,
            f"a middleware could not be composed around {handler.handler}: {type(error).__name__}: {error}.",
            "a middleware is called with (next, handler) and returns an async function of the message.",
            handler.place,
        )
        raise CompositionError((problem,)) from error


def composed_late(call: Call, handler: HandlerInfo, around: Surroundings) -> Next:
    """Compose a pipeline while the app runs: what cannot be composed fails its deliveries, not the publisher.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.
    """
    try:
        return compose(call, handler, around)
    except Exception as error:  # noqa: BLE001 - logged, and the answer of every delivery
        fault = crashed(error, handler, "middleware")

    async def failing(message: object, /) -> AnyResult:
        del message
        return Failure(fault)

    return failing


def refuse(problems: tuple[Problem, ...]) -> None:
    """Raise if there are problems."""
    if problems:
        raise CompositionError(problems)
