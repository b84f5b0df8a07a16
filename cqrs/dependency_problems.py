"""What is wrong with a dependency, said with the path on which it was asked for."""

from collections.abc import Sequence
from types import GenericAlias
from typing import final, get_origin

import attrs

from cqrs.problems import Code, Problem
from cqrs.signatures import Parameter


@final
@attrs.frozen
class Asked:
    """A dependency on its way to somebody.

    Attributes:
        service: what is asked for.
        path: who asked first, then each ``parameter: type`` on the way.
        trail: the services on the way.
        place: ``file:line`` of who asked first.
    """

    service: object
    path: tuple[str, ...]
    trail: tuple[object, ...]
    place: str

    def needs(self, parameter: Parameter) -> "Asked":
        """Go one step further.

        Args:
            parameter: what the dependency needs in its turn.
        """
        step = f"{parameter.name}: {label(parameter.service)}"
        return attrs.evolve(
            self, service=parameter.service, path=(*self.path, step), trail=(*self.trail, self.service)
        )

    def shown(self) -> str:
        """The path as people read it: ``handler → parameter: type → …``."""
        return " → ".join(self.path)


def label(service: object) -> str:
    """Give the name of a service as people write it.

    Args:
        service: a type, or whatever else is asked for by.
    """
    if isinstance(service, type) and not isinstance(service, GenericAlias):
        return service.__qualname__
    return str(service)


def missing(asked: Asked) -> Problem:
    """Say that nothing is registered for a dependency.

    Args:
        asked: the dependency.
    """
    name = label(asked.service)
    by_punq = "" if get_origin(asked.service) is list else f"container.register({name}, ...) or "
    return Problem(
        Code.MISSING_DEPENDENCY,
        f"{asked.shown()}: nothing is registered for {name}.",
        f"{by_punq}feature.provides({name}, ...) before the app starts.",
        asked.place,
    )


def ambiguous(asked: Asked, count: int) -> Problem:
    """Say that a dependency could be made in several ways.

    Args:
        asked: the dependency.
        count: in how many.
    """
    name = label(asked.service)
    return Problem(
        Code.AMBIGUOUS_DEPENDENCY,
        f"{asked.shown()}: {name} is registered {count} times; the last would silently win.",
        f"keep one container.register({name}, ...) or feature.provides({name}, ...).",
        asked.place,
    )


def cyclic(asked: Asked) -> Problem:
    """Say that a dependency needs itself.

    Args:
        asked: the dependency, at the end of the cycle.
    """
    return Problem(
        Code.CYCLIC_DEPENDENCY,
        f"{asked.shown()}: {label(asked.service)} needs itself.",
        "break the cycle: let one of them take what it needs as an argument of the call.",
        asked.place,
    )


def captive(asked: Asked) -> Problem:
    """Say that something that outlives a message would hold what lives for one message.

    Args:
        asked: the dependency that lives for one message, asked for by one that does not.
    """
    name, holder = label(asked.service), label(asked.trail[-1])
    return Problem(
        Code.CAPTIVE_DEPENDENCY,
        f"{asked.shown()}: {holder} is made once for all messages, and would keep the {name} of one of them.",
        f"feature.provides({holder}, ..., lifetime=MESSAGE), or give {name} to the call that needs it.",
        asked.place,
    )


def emitting_query(handler: str, place: str) -> Problem:
    """Say that a query handler emits events.

    Args:
        handler: its dotted name.
        place: ``file:line`` of its definition.
    """
    return Problem(
        Code.QUERY_EMITS,
        f"{handler} answers a query and asks for Emit: a query changes nothing, so there is nothing to tell.",
        "make its message a Command, or leave Emit out.",
        place,
    )


def shared_transient(service: object, handlers: Sequence[str], place: str) -> Problem:
    """Warn that several handlers each hold an instance of their own.

    Args:
        service: a class that is registered as punq does it by default.
        handlers: who needs it.
        place: ``file:line`` of its definition.
    """
    name = label(service)
    return Problem(
        Code.SHARED_TRANSIENT,
        f"{name} is transient and needed by {len(handlers)} handlers, each of which gets its own: {', '.join(handlers)}.",
        f"container.register({name}, ..., scope=punq.Scope.singleton) if they are to share one.",
        place,
    )


def failed(maker: str, error: Exception, place: str) -> Problem:
    """Say that making a dependency raised.

    Args:
        maker: dotted name of the factory or handler class.
        error: what it raised.
        place: ``file:line`` of its definition.
    """
    return Problem(
        Code.DEPENDENCY_FAILED,
        f"{maker} could not be made: {type(error).__name__}: {error}."[:600],
        "mend what the exception names; dependencies are made once, when the app starts.",
        place,
    )


def taken(first: str, place: str) -> Problem:
    """Say that a container serves another app.

    Args:
        first: where the app is composed that it serves.
        place: where the other one is.
    """
    return Problem(
        Code.CONTAINER_TAKEN,
        f"this container already serves another app{f', composed at {first}' if first else ''}.",
        "give each CqrsModule.for_root(...) a container of its own.",
        place,
    )
