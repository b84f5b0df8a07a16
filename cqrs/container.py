"""The punq port: check the whole graph of dependencies, resolve each once, bind them into handlers."""

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol, cast, final, get_origin

import punq
from returns.result import Failure, Result, Success

from cqrs.declarations import AnyHandler, Providing
from cqrs.dependency_problems import Asked, ambiguous, cyclic, failed, missing, taken
from cqrs.problems import Problem, name_of, place_of
from cqrs.registry import Call, Entry
from cqrs.signatures import Parameter, defaulted, injected

Container = punq.Container

_OWNER: Final = "_returns_cqrs_owner"
_SERVICES: Final = "_returns_cqrs_services"
_OURS: Final = "_returns_cqrs"

# punq builds a singleton once per thread that asks at the same time: nothing is resolved outside this lock.
_resolving: Final = threading.RLock()


class _Registration(Protocol):
    """One ``container.register(...)``, as punq keeps it."""

    @property
    def builder(self) -> Callable[[], object]: ...
    @property
    def needs(self) -> Mapping[str, object]: ...
    @property
    def args(self) -> Mapping[str, object]: ...


@final
class Services:
    """What handlers of one app can ask for, and how they get it.

    Args:
        container: the user's registrations.
        providings: what the features provide.
    """

    def __init__(self, container: Container, providings: Mapping[object, Providing]) -> None:
        self._container = container
        self._providings = providings
        self._instances: dict[object, object] = {}
        self._prepared: dict[object, bool] = {}

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

    def check(self, entries: Iterator[Entry]) -> tuple[Problem, ...]:
        """List every dependency that is missing, ambiguous or cyclic, with its path.

        Args:
            entries: the handlers and subscribers.
        """
        problems: list[Problem] = []
        for entry in entries:
            wanted = _wanted(entry)
            if isinstance(wanted, Failure):
                problems.append(wanted.failure())
                continue
            asked = Asked(None, (entry.info.handler,), (), entry.info.place)
            traced: set[object] = set()
            for parameter in wanted.unwrap():
                problems.extend(self._trace(asked.needs(parameter), parameter, traced))
        return tuple(problems)

    def open(self, owner: object) -> tuple[Problem, ...]:
        """Make the services that features provide, and put everything within reach of ``container.resolve``.

        Args:
            owner: the app; a container serves one.

        Returns:
            What could not be made.
        """
        if vars(self._container).setdefault(_OWNER, owner) is not owner:
            return (taken(),)
        with _resolving:
            problems: list[Problem] = []
            self._prepared.clear()
            for service in self._providings:
                self._prepare(service, problems)
            self._publish()
            return tuple(problems)

    def bind(self, entry: Entry) -> Result[Call, Problem]:
        """Resolve a handler's dependencies and give it as a function of the message alone.

        Args:
            entry: a handler that ``check`` found nothing wrong with.
        """
        handler = entry.handler
        try:
            arguments = self._arguments(_wanted(entry).unwrap())
            call: Call = handler(**arguments) if isinstance(handler, type) else _bound(handler, arguments)
        except Exception as error:  # a user's constructor may raise anything
            return Failure(failed(entry.info.handler, error, entry.info.place))
        return Success(call)

    def _trace(self, asked: Asked, asking: Parameter, traced: set[object]) -> Iterator[Problem]:
        if asked.service in asked.trail:
            yield cyclic(asked)
            return
        if asked.service in traced:
            return
        found = self._needs(asked)
        if isinstance(found, Failure):
            yield found.failure()
        elif (needs := found.unwrap()) is not None:
            for parameter in needs:
                yield from self._trace(asked.needs(parameter), parameter, traced)
            # Once per handler: a graph of diamonds has more paths than can be walked.
            traced.add(asked.service)
        elif not asking.optional:
            yield missing(asked)

    def _needs(self, asked: Asked) -> Result[tuple[Parameter, ...] | None, Problem]:
        service = asked.service
        if service in self._instances:
            return Success(())
        registrations, providing = self._registrations(service), self._providings.get(service)
        makers = len(registrations) + (providing is not None)
        if makers > 1:
            return Failure(ambiguous(asked, makers))
        if providing is not None:
            return injected(providing.factory, takes_message=False).map(_needed)
        return Success(_punq_needs(registrations[0]) if registrations else None)

    def _registrations(self, service: object) -> list[_Registration]:
        if get_origin(service) is list:
            return []  # punq answers a list with what is registered of its elements, whatever is registered for it
        found = self._container.registrations.build_context(service).all_registrations(service)
        registrations = cast("list[_Registration]", found)
        return [registration for registration in registrations if not hasattr(registration.builder, _OURS)]

    def _prepare(self, service: object, problems: list[Problem]) -> bool:
        """Make what a service needs of the features, however deep in the user's registrations it is asked for."""
        if service not in self._prepared:
            self._prepared[service] = True
            self._prepared[service] = service in self._instances or self._made(service, problems)
        return self._prepared[service]

    def _made(self, service: object, problems: list[Problem]) -> bool:
        providing = self._providings.get(service)
        if providing is not None:
            return self._provided(providing, problems)
        needs = [p for registration in self._registrations(service) for p in _punq_needs(registration)]
        return False not in [self._prepare(parameter.service, problems) for parameter in needs]

    def _provided(self, providing: Providing, problems: list[Problem]) -> bool:
        wanted = injected(providing.factory, takes_message=False).value_or(())
        if False in [self._prepare(parameter.service, problems) for parameter in wanted]:
            return False  # what it needs could not be made, which is said already
        self._publish()
        try:
            self._instances[providing.service] = _ready(providing.factory(**self._arguments(wanted)))
        except Exception as error:  # a user's factory may raise anything
            problems.append(failed(name_of(providing.factory), error, place_of(providing.factory)))
            return False
        return True

    def _publish(self) -> None:
        """Let the user's own classes ask punq for what is not registered with punq."""
        shared: dict[object, object] = vars(self._container).setdefault(_SERVICES, {})
        for service, instance in self._instances.items():
            if service not in shared:
                self._container.register(service, factory=_reader(shared, service))
            shared[service] = instance

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
        return _ready(self._container.resolve(service))


def _wanted(entry: Entry) -> Result[tuple[Parameter, ...], Problem]:
    return injected(entry.handler, takes_message=not isinstance(entry.handler, type))


def _bound(handler: AnyHandler, arguments: dict[str, object]) -> Call:
    if not arguments:
        return handler
    return lambda message: handler(message, **arguments)


def _needed(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...] | None:
    return parameters


def _reader(shared: Mapping[object, object], service: object) -> Callable[[], object]:
    def read() -> object:
        return shared[service]

    setattr(read, _OURS, True)
    return read


def _punq_needs(registration: _Registration) -> tuple[Parameter, ...]:
    """What punq will look up for a registration; it injects by the hints of the builder's ``__init__``."""
    optional = defaulted(registration.builder)
    return tuple(
        Parameter(name, service, name in optional)
        for name, service in registration.needs.items()
        if name != "return" and name not in registration.args and get_origin(service) is not list
    )


def _ready(made: object) -> object:
    if not inspect.iscoroutine(made) and not inspect.isasyncgen(made):
        return made
    if inspect.iscoroutine(made):
        made.close()  # it will never be awaited, and need not warn of that too
    raise TypeError("its factory is async: dependencies are made by plain functions and classes")
