"""Features: named sets of handlers and subscribers; an app is composed of them."""

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, final, overload

import attrs
from returns.result import Result

from cqrs.faults import Fault
from cqrs.messages import AnyMessage, Declares, Event

Value = TypeVar("Value")
Error = TypeVar("Error")
MessageType = TypeVar("MessageType", bound=AnyMessage)
EventType = TypeVar("EventType", bound=Event)
First = TypeVar("First", bound=Event)
Second = TypeVar("Second", bound=Event)
Third = TypeVar("Third", bound=Event)
Service = TypeVar("Service")
Handler = TypeVar("Handler")
Deps = ParamSpec("Deps")


@final
@attrs.frozen(eq=False)
class Handling:
    """One message type and the handler declared for it.

    Attributes:
        message: the message class.
        handler: the function or class.
        timeout: seconds after which it is cancelled, or None.
    """

    message: type
    handler: Callable[..., Any]
    timeout: float | None


@final
@attrs.frozen(eq=False)
class Subscribing:
    """One subscriber and the events that it hears.

    Attributes:
        events: the event classes; their subclasses are heard too.
        handler: the function or class.
        name: the stable name it was given, or None.
        timeout: seconds after which a delivery is cancelled, or None.
    """

    events: tuple[type[Event], ...]
    handler: Callable[..., Any]
    name: str | None
    timeout: float | None


@final
@attrs.frozen(eq=False)
class Providing:
    """One service and what makes it.

    Attributes:
        service: the type that handlers ask for.
        factory: a class or function; its parameters are injected.
    """

    service: Any
    factory: Callable[..., Any]


@final
class Registration(Generic[MessageType, Value, Error]):
    """The second step of ``handles``: takes the handler, checked against the message."""

    def __init__(
        self, message: Declares[MessageType, Value, Error], timeout: float | None, handlings: list[Handling]
    ) -> None:
        self._message = message
        self._timeout = timeout
        self._handlings = handlings

    @overload
    def __call__(
        self,
        handler: Callable[Concatenate[MessageType, Deps], Coroutine[Any, Any, Result[Value, Error | Fault]]],
        /,
    ) -> Callable[Concatenate[MessageType, Deps], Coroutine[Any, Any, Result[Value, Error | Fault]]]: ...
    @overload
    def __call__(
        self,
        handler: Callable[Deps, Callable[[MessageType], Coroutine[Any, Any, Result[Value, Error | Fault]]]],
        /,
    ) -> Callable[Deps, Callable[[MessageType], Coroutine[Any, Any, Result[Value, Error | Fault]]]]: ...
    def __call__(self, handler: Any, /) -> Any:
        """Register the handler and give it back unchanged."""
        message: Any = self._message
        self._handlings.append(Handling(message, handler, self._timeout))
        return handler


@final
class Subscription(Generic[EventType]):
    """The second step of ``subscribes``: takes the subscriber, checked against the events."""

    def __init__(
        self,
        events: tuple[type[Event], ...],
        name: str | None,
        timeout: float | None,
        subscribings: list[Subscribing],
    ) -> None:
        self._events = events
        self._name = name
        self._timeout = timeout
        self._subscribings = subscribings

    @overload
    def __call__(
        self, handler: Callable[Concatenate[EventType, Deps], Coroutine[Any, Any, Result[object, object]]], /
    ) -> Callable[Concatenate[EventType, Deps], Coroutine[Any, Any, Result[object, object]]]: ...
    @overload
    def __call__(
        self, handler: Callable[Deps, Callable[[EventType], Coroutine[Any, Any, Result[object, object]]]], /
    ) -> Callable[Deps, Callable[[EventType], Coroutine[Any, Any, Result[object, object]]]]: ...
    def __call__(self, handler: Any, /) -> Any:
        """Register the subscriber and give it back unchanged."""
        self._subscribings.append(Subscribing(self._events, handler, self._name, self._timeout))
        return handler


@final
class Feature:
    """A named set of handlers, subscribers and services.

    Args:
        name: how problems and ``cqrs handlers`` call it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlings: list[Handling] = []
        self.subscribings: list[Subscribing] = []
        self.providings: list[Providing] = []
        self.imported: list[Feature] = []

    def __repr__(self) -> str:
        return f"Feature({self.name!r})"

    def handles(
        self, message: Declares[MessageType, Value, Error], /, *, timeout: float | None = None
    ) -> Registration[MessageType, Value, Error]:
        """Declare the one handler of a command or query.

        ``@orders.handles(PlaceOrder)`` above an async function, or ``orders.handles(PlaceOrder)(PlaceOrderHandler)``
        for a class with ``async def __call__(self, message)``. The first parameter is the message; the others are
        injected by type.

        Args:
            message: the command or query class.
            timeout: seconds after which the handler is cancelled and ``TimedOut`` answered.
        """
        return Registration(message, timeout, self.handlings)

    @overload
    def subscribes(
        self, first: type[First], /, *, name: str | None = None, timeout: float | None = None
    ) -> Subscription[First]: ...
    @overload
    def subscribes(
        self,
        first: type[First],
        second: type[Second],
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
    ) -> Subscription[First | Second]: ...
    @overload
    def subscribes(
        self,
        first: type[First],
        second: type[Second],
        third: type[Third],
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
    ) -> Subscription[First | Second | Third]: ...
    @overload
    def subscribes(
        self,
        first: type[Event],
        second: type[Event],
        third: type[Event],
        fourth: type[Event],
        /,
        *more: type[Event],
        name: str | None = None,
        timeout: float | None = None,
    ) -> Subscription[Event]: ...
    def subscribes(
        self, *events: type[Event], name: str | None = None, timeout: float | None = None
    ) -> Subscription[Any]:
        """Declare a subscriber of one or more events and of their subclasses.

        Args:
            events: the event classes.
            name: its stable name, unique in the app; module and qualified name if not given.
            timeout: seconds after which a delivery is cancelled and fails with ``TimedOut``.
        """
        return Subscription(events, name, timeout, self.subscribings)

    def provides(self, service: type[Service] | Any, factory: Callable[..., Service] | None = None) -> None:
        """Say how a service is made: once, when the app opens, for all who ask for it.

        Args:
            service: the type that handlers ask for.
            factory: a class or a function whose parameters are injected; the service itself if not given.
        """
        self.providings.append(Providing(service, service if factory is None else factory))

    def imports(self, *others: "Feature") -> None:
        """Bring other features along; a feature that comes twice counts once.

        Args:
            others: the features.
        """
        self.imported.extend(others)


def flatten(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    """List features with everything that they import, each once, importing after imported.

    Args:
        features: where to start; they may import one another.
    """
    order: dict[int, Feature] = {}
    visiting: set[int] = set()

    def visit(feature: Feature) -> None:
        if id(feature) in visiting:
            return
        visiting.add(id(feature))
        for other in feature.imported:
            visit(other)
        order[id(feature)] = feature

    for feature in features:
        visit(feature)
    return tuple(order.values())
