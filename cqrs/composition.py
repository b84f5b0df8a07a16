"""One attempt to start an app: what it was composed of, what was found, and what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from typing import final

import attrs
from returns.result import Failure, Result

from cqrs.clock import Clock
from cqrs.container import Bound, Container, Services
from cqrs.context import Emit, MessageContext
from cqrs.dead_letter import DeadLetterQueue
from cqrs.dead_letter_setting import not_opened, unstorable_events
from cqrs.dependency_graph import Examination
from cqrs.describe import AppDescription, describe
from cqrs.features import Feature
from cqrs.hook_failures import HookFailures
from cqrs.hooks import Hooks
from cqrs.instrumentation import Instrument
from cqrs.log_fields import unknown_fields
from cqrs.middleware import Kind, Middleware, needs_context
from cqrs.pipeline import Surroundings
from cqrs.plugin_discovery import foreign_owners
from cqrs.plugins import LoadedPlugin, Plugin
from cqrs.problems import Code, CompositionError, Problem
from cqrs.publisher import Publisher
from cqrs.registrations import Owner
from cqrs.registry import Entry, Registry
from cqrs.wrapping import SLOTS, Wrap, concerned


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
    dead_letters: DeadLetterQueue | None = None
    owner: Owner = attrs.field(factory=Owner)


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
        letters: where dead letters are kept, or what is wrong with the setting that names it.
        failures: where an instrument's hook or a plugin's middleware that raises is counted.
    """

    composition: Composition
    registry: Registry
    services: Services
    plugins: tuple[LoadedPlugin, ...]
    hooks: Hooks
    publisher: Publisher
    letters: Result[DeadLetterQueue, Problem]
    failures: HookFailures = attrs.field(factory=HookFailures)

    @cached_property
    def examination(self) -> Examination:
        """What the handlers need."""
        return self.services.examine(self.registry.entries())

    def problems(self) -> tuple[Problem, ...]:
        """Everything that keeps the app from starting."""
        taken = self.services.taken_from(self.composition.owner)
        found = (*foreign_owners(), *taken, *self.registry.problems, *self.examination.problems)
        fields = unknown_fields(entry.info for entry in self.registry.entries())
        return (*found, *fields, *self._unheard(), *self._unparkable(), *self.plugin_problems())

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

    def _unparkable(self) -> Iterator[Problem]:
        if isinstance(self.letters, Failure):
            yield self.letters.failure()
        else:
            heard = (event for entry in self.registry.subscribers for event in entry.events)
            yield from unstorable_events(self.letters.unwrap(), heard)

    def plugin_problems(self) -> tuple[Problem, ...]:
        """The plugins that failed, if the app is strict about them."""
        if not self.composition.strict:
            return ()
        return tuple(plugin.problem.told() for plugin in self.plugins if plugin.problem is not None)

    async def open(self, stack: AsyncExitStack) -> None:
        """Open the dead letters, and make what the features provide for the app's whole life.

        The container serves this app from now on.

        Args:
            stack: closes again what is opened.

        Raises:
            CompositionError: with everything that could not be made.
        """
        queue = self.letters.unwrap()
        opened = await queue.open()
        refuse((not_opened(opened.failure()),) if isinstance(opened, Failure) else ())
        stack.push_async_callback(queue.close)
        refuse(await self.services.open(self.composition.owner, stack))

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
        instruments = [
            (each, plugin.name)
            for plugin in self.plugins
            if plugin.builder
            for each in plugin.builder.instruments
        ]
        for instrument, plugin in instruments:
            self.failures.brought(instrument, plugin)
        wraps: dict[Kind, list[Wrap]] = {
            kind: [wrap for builder in added for wrap in builder.wraps[kind]] for kind in SLOTS
        }
        composition = self.composition
        asked = any(needs_context(m) for m in composition.middleware) or self.examination.asks(MessageContext)
        return Surroundings(
            composition.middleware,
            (*composition.instruments, *(instrument for instrument, _ in instruments)),
            wraps,
            self.failures,
            self.hooks,
            self.publisher,
            composition.clock,
            context=asked or self._wrapped(wraps),
        )

    def _wrapped(self, wraps: Mapping[Kind, Sequence[Wrap]]) -> bool:
        # An event's invalidations are settled by its publish, whoever hears it.
        settled = self.registry.invalidations and any(wrap.slot == "invalidation" for wrap in wraps["event"])
        return bool(settled) or any(concerned(wraps[e.info.kind], e.info) for e in self.registry.entries())

    def describe(self) -> AppDescription:
        """Describe the app as it would start."""
        around, services = self.around(), self.services
        scopes = {entry: services.scope_of(reached) for entry, reached in self.examination.reached.items()}
        return describe(scopes, around, self.plugins, self.warnings())


def refuse(problems: tuple[Problem, ...]) -> None:
    """Raise if there are problems."""
    if problems:
        raise CompositionError(problems)
