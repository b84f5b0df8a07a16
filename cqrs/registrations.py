"""What stands in a punq container, read and completed without punq's own traps."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, Protocol, cast, final, get_origin

import attrs

from cqrs.signatures import Parameter, defaulted, service_of

_SERVICES: Final = "_returns_cqrs_services"
_OURS: Final = "_returns_cqrs"
_OWNER: Final = "_returns_cqrs_owner"


@final
@attrs.frozen(eq=False)
class Owner:
    """An app, as the container that serves it knows it.

    Attributes:
        place: ``file:line`` where the app is composed.
    """

    place: str = ""


class Registration(Protocol):
    """One ``container.register(...)``, as punq keeps it."""

    @property
    def builder(self) -> Callable[[], object]:
        """What is called."""
        ...

    @property
    def needs(self) -> Mapping[str, object]:
        """The annotations of its constructor."""
        ...

    @property
    def args(self) -> Mapping[str, object]:
        """What was given with the registration."""
        ...

    @property
    def scope(self) -> Enum:
        """Whether it is built once."""
        ...


class _Found(Protocol):
    def all_registrations(self, service: object, /) -> object: ...


class _Register(Protocol):
    def build_context(self, key: object, /) -> _Found: ...


class Registering(Protocol):
    """A punq container."""

    @property
    def registrations(self) -> _Register:
        """What is registered."""
        ...

    def register(self, service: object, factory: Callable[[], object], /) -> object:
        """Register a factory."""
        ...

    def resolve(self, service: object, /) -> object:
        """Make or find a service."""
        ...


def registrations_of(container: Registering, service: object) -> list[Registration]:
    """Give the user's registrations of a type, oldest first.

    Args:
        container: where they stand.
        service: the type.
    """
    if get_origin(service) is list:
        return []  # punq answers a list with what is registered of its elements, whatever is registered for it
    found = cast(
        "list[Registration]", container.registrations.build_context(service).all_registrations(service)
    )
    return [registration for registration in found if not hasattr(registration.builder, _OURS)]


def needs_of(registration: Registration) -> tuple[Parameter, ...]:
    """Read what punq will look up for a registration; it injects by the hints of the builder's ``__init__``.

    Args:
        registration: the registration.
    """
    optional = defaulted(registration.builder)
    return tuple(
        Parameter(name, service_of(hint), name in optional) for name, hint in _hints(registration).items()
    )


def optional_of(registration: Registration) -> dict[object, object]:
    """Name the annotations ``X | None``, each with its X: punq looks for the former and finds nothing.

    Args:
        registration: the registration.
    """
    hints = _hints(registration).values()
    return {hint: service for hint in hints if (service := service_of(hint)) is not hint}


def offer(
    container: Registering, instances: Mapping[object, object], optional: Mapping[object, object]
) -> None:
    """Let the user's own classes ask punq for what is not registered with punq.

    Args:
        container: where they ask.
        instances: what is there, by type.
        optional: annotations ``X | None`` with an X that punq can make.
    """
    shared: dict[object, object] = vars(container).setdefault(_SERVICES, {})
    for service, instance in instances.items():
        if service not in shared:
            container.register(service, _reader(shared, service))
        shared[service] = instance
    for union, service in optional.items():
        if union not in shared:
            shared[union] = service
            container.register(union, _alias(container, service))


def owner_of(container: Registering) -> Owner | None:
    """Give the app that a container serves; None as long as none has started with it.

    Args:
        container: the container.
    """
    owner: Owner | None = vars(container).get(_OWNER)
    return owner


def serve(container: Registering, owner: Owner) -> Owner:
    """Let a container serve an app, unless it serves another one already; give the one that it serves.

    Args:
        container: the container.
        owner: the app.
    """
    first: Owner = vars(container).setdefault(_OWNER, owner)
    return first


def _hints(registration: Registration) -> dict[str, object]:
    return {
        name: hint
        for name, hint in registration.needs.items()
        if name != "return" and name not in registration.args and get_origin(hint) is not list
    }


def _reader(shared: Mapping[object, object], service: object) -> Callable[[], object]:
    def read() -> object:
        return shared[service]

    setattr(read, _OURS, True)
    return read


def _alias(container: Registering, service: object) -> Callable[[], object]:
    def resolve() -> object:
        return container.resolve(service)

    setattr(resolve, _OURS, True)
    return resolve
