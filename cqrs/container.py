"""The punq port: check the whole graph of dependencies, resolve each once, bind them into handlers."""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from types import FunctionType
from typing import Final, cast, final

import punq
from returns.result import Failure, Result, Success

from cqrs.context import Emit
from cqrs.declarations import APP, MESSAGE, AnyHandler, Providing
from cqrs.dependency_graph import Examination, Graph, wanted_by
from cqrs.dependency_problems import Asked, ambiguous, failed, label, shared_transient, taken
from cqrs.message_scope import PER_MESSAGE, Recipe, Scoped, Step, opens, ready
from cqrs.problems import Problem, name_of, place_of
from cqrs.registrations import (
    Owner,
    Registering,
    Registration,
    needs_of,
    offer,
    optional_of,
    owner_of,
    registrations_of,
    serve,
)
from cqrs.registry import Call, Entry
from cqrs.signatures import Parameter, injected

Container = punq.Container

# A handler with its dependencies: all of them there, or some to be made for each message.
Bound = Call | Scoped

# punq builds a singleton once per thread that asks at the same time: nothing is resolved outside this lock.
_resolving: Final = threading.RLock()


@final
class Services:
    """What handlers of one app can ask for, and how they get it.

    Args:
        container: the user's registrations.
        providings: what the features provide.
    """

    def __init__(self, container: Container, providings: Mapping[object, Providing]) -> None:
        self._punq = cast("Registering", container)
        self._providings = providings
        self._instances: dict[object, object] = {}
        self._prepared: dict[object, bool] = {}
        self._optional: dict[object, object] = {}

    def supply(self, instances: Mapping[type, object]) -> None:
        """Add objects that are there without being built: buses, clock, what plugins register.

        Args:
            instances: by the type that handlers ask for.
        """
        self._instances.update(instances.items())

    def provides(self, service: object) -> bool:
        """Tell whether the app provides a type: in a feature, in the container, or by itself.

        Args:
            service: the type.
        """
        return service in self._providings or self._knows(service)

    def examine(self, entries: Iterable[Entry]) -> Examination:
        """Follow every dependency of every handler, without making any.

        Args:
            entries: the handlers and subscribers.
        """
        provided = {service: place_of(providing.factory) for service, providing in self._providings.items()}
        return Graph(self._needs, self._per_message).examine(entries, provided)

    def transients(self, examination: Examination) -> tuple[Problem, ...]:
        """Warn of classes of which several handlers each get an instance of their own.

        Args:
            examination: what the handlers need.
        """
        holders: dict[object, list[str]] = {}
        for entry, services in examination.reached.items():
            for service in services:
                holders.setdefault(service, []).append(entry.info.handler)
        return tuple(
            shared_transient(service, handlers, place_of(service))
            for service, handlers in sorted(holders.items(), key=lambda item: label(item[0]))
            if len(handlers) > 1 and self._is_transient(service)
        )

    def scope_of(self, reached: Iterable[object]) -> tuple[str, ...]:
        """Name what lives for one message only.

        Args:
            reached: what a handler needs.
        """
        return tuple(sorted(label(service) for service in reached if self._per_message(service)))

    def taken_from(self, owner: Owner) -> tuple[Problem, ...]:
        """Tell of another app that started with this container before.

        Args:
            owner: the app; a container serves one.
        """
        first = owner_of(self._punq)
        return () if first is None or first is owner else (taken(first.place, owner.place),)

    async def open(self, owner: Owner, stack: AsyncExitStack) -> tuple[Problem, ...]:
        """Make the services that features provide, and put everything within reach of ``container.resolve``.

        Args:
            owner: the app; a container serves one.
            stack: closes again what is opened, last opened first.

        Returns:
            What could not be made.
        """
        if serve(self._punq, owner) is not owner:
            return self.taken_from(owner)
        problems: list[Problem] = []
        self._prepared.clear()
        for service, providing in self._providings.items():
            if providing.lifetime is APP:
                await self._prepare(service, problems, stack)
        return tuple(problems)

    def made(self) -> Mapping[type, object]:
        """Give what was made for the app's whole life, for another attempt to go on with."""
        return {
            cast("type", service): self._instances[service]
            for service, providing in self._providings.items()
            if providing.lifetime is APP and service in self._instances
        }

    def bind(self, entry: Entry) -> Result[Bound, Problem]:
        """Resolve a handler's dependencies and give it as a function of the message alone.

        Args:
            entry: a handler that ``check`` found nothing wrong with.

        Returns:
            A function, or a ``Scoped`` handler if some of its dependencies live for one message only.
        """
        handler = entry.handler
        try:
            with _resolving:
                self._publish()
            wanted = wanted_by(entry).unwrap()
            steps: dict[object, Step] = {}
            self._add_steps(wanted, steps)
            recipe = self._recipe(handler, wanted)
            if steps or recipe.wanted:
                recipes = (recipe, *(step.recipe for step in steps.values()))
                emits = any(Emit in each.wanted.values() for each in recipes)
                return Success(Scoped(recipe, tuple(steps.values()), emits))
            return Success(_called(handler, recipe.constants))
        except Exception as error:  # a user's constructor may raise anything
            return Failure(failed(entry.info.handler, error, entry.info.place))

    def _needs(self, asked: Asked) -> Result[tuple[Parameter, ...] | None, Problem]:
        service = asked.service
        if service in self._instances or service in PER_MESSAGE:
            return Success(())
        registrations, providing = self._registrations(service), self._providings.get(service)
        makers = len(registrations) + (providing is not None)
        if makers > 1:
            return Failure(ambiguous(asked, makers))
        if providing is not None:
            return injected(providing.factory, takes_message=False).map(_needed)
        return Success(self._punq_needs(registrations[0]) if registrations else None)

    def _per_message(self, service: object) -> bool:
        if service in self._instances:
            return False
        providing = self._providings.get(service)
        return service in PER_MESSAGE or (providing is not None and providing.lifetime is MESSAGE)

    def _is_transient(self, service: object) -> bool:
        if service in self._instances or service in self._providings:
            return False
        registrations = self._registrations(service)
        return bool(registrations) and registrations[0].scope is punq.Scope.transient

    def _add_steps(self, wanted: tuple[Parameter, ...], steps: dict[object, Step]) -> None:
        """Add what has to be made for each message, in the order of dependency."""
        for service in [parameter.service for parameter in wanted if self._per_message(parameter.service)]:
            providing = self._providings.get(service)
            if providing is None or service in steps:
                continue
            needs = injected(providing.factory, takes_message=False).unwrap()
            self._add_steps(needs, steps)
            steps[service] = Step(service, self._recipe(providing.factory, needs))

    def _recipe(self, target: Callable[..., object], wanted: tuple[Parameter, ...]) -> Recipe:
        scoped = {p.name: p.service for p in wanted if self._per_message(p.service)}
        return Recipe(target, self._arguments(tuple(p for p in wanted if p.name not in scoped)), scoped)

    def _registrations(self, service: object) -> list[Registration]:
        return registrations_of(self._punq, service)

    async def _prepare(self, service: object, problems: list[Problem], stack: AsyncExitStack) -> bool:
        """Make what a service needs of the features, however deep in the user's registrations it is asked for."""
        if service not in self._prepared:
            self._prepared[service] = True
            known = service in self._instances or self._per_message(service)
            self._prepared[service] = known or await self._made(service, problems, stack)
        return self._prepared[service]

    async def _made(self, service: object, problems: list[Problem], stack: AsyncExitStack) -> bool:
        providing = self._providings.get(service)
        if providing is not None:
            return await self._provided(providing, problems, stack)
        needs = [p for registration in self._registrations(service) for p in self._punq_needs(registration)]
        return False not in [await self._prepare(parameter.service, problems, stack) for parameter in needs]

    async def _provided(self, providing: Providing, problems: list[Problem], stack: AsyncExitStack) -> bool:
        wanted = injected(providing.factory, takes_message=False).value_or(())
        if False in [await self._prepare(parameter.service, problems, stack) for parameter in wanted]:
            return False  # what it needs could not be made, which is said already
        try:
            with _resolving:
                self._publish()
                made = ready(providing.factory(**self._arguments(wanted)))
            self._instances[providing.service] = await _entered(made, stack)
        except Exception as error:  # a user's factory may raise anything
            problems.append(failed(name_of(providing.factory), error, place_of(providing.factory)))
            return False
        return True

    def _publish(self) -> None:
        optional = {union: service for union, service in self._optional.items() if self._knows(service)}
        offer(self._punq, self._instances, optional)

    def _arguments(self, wanted: tuple[Parameter, ...]) -> dict[str, object]:
        with _resolving:
            return {
                parameter.name: self._resolve(parameter.service)
                for parameter in wanted
                if not parameter.optional or self._knows(parameter.service)
            }

    def _knows(self, service: object) -> bool:
        return service in self._instances or bool(self._registrations(service))

    def _resolve(self, service: object) -> object:
        if service in self._instances:
            return self._instances[service]
        return ready(self._punq.resolve(service))

    def _punq_needs(self, registration: Registration) -> tuple[Parameter, ...]:
        self._optional.update(optional_of(registration))
        return needs_of(registration)


def _called(handler: AnyHandler, arguments: Mapping[str, object]) -> Call:
    if isinstance(handler, type):
        call: Call = handler(**arguments)
        return call
    if not arguments:
        return handler
    bound = _defaulted(handler, arguments) if isinstance(handler, FunctionType) else None
    return bound or (lambda message: handler(message, **arguments))


def _defaulted(handler: FunctionType, arguments: Mapping[str, object]) -> Call | None:
    """Give the same function with its dependencies as defaults of their parameters.

    A call costs nothing for them then, where a function around it costs a dispatch a third of a bare handler. None for a
    function that takes them some other way, as decorated ones do.
    """
    code = handler.__code__
    positional = code.co_varnames[1 : code.co_argcount]
    keywords = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
    own = zip(reversed(positional), reversed(handler.__defaults__ or ()), strict=False)
    known: dict[str, object] = {**dict(own), **arguments}
    if not arguments.keys() <= {*positional, *keywords} or not known.keys() >= set(positional):
        return None
    defaults = tuple(known[name] for name in positional)
    bound = FunctionType(code, handler.__globals__, handler.__name__, defaults, handler.__closure__)
    given = {name: arguments[name] for name in keywords if name in arguments}
    bound.__kwdefaults__ = {**(handler.__kwdefaults__ or {}), **given}
    bound.__qualname__, bound.__module__ = handler.__qualname__, handler.__module__
    return bound


def _needed(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...] | None:
    return parameters


async def _entered(made: object, stack: AsyncExitStack) -> object:
    return await stack.enter_async_context(made) if opens(made) else made
