"""Features: named sets of handlers and subscribers; an app is composed of them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar, final, overload

from cqrs.cache_declarations import CacheDeclarations
from cqrs.declarations import APP, Handling, Lifetime, Options, Providing, Registration
from cqrs.event_declarations import EventDeclarations
from cqrs.messages import AnyMessage, Declares
from cqrs.retry import RetryPolicy

Value = TypeVar("Value")
Error = TypeVar("Error")
MessageType = TypeVar("MessageType", bound=AnyMessage)
Service = TypeVar("Service")


@final
class Feature(CacheDeclarations, EventDeclarations):
    """A named set of handlers, subscribers and services.

    Args:
        name: how problems and ``cqrs handlers`` call it.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.handlings: list[Handling] = []
        self.providings: list[Providing] = []
        self.imported: list[Feature] = []

    def __repr__(self) -> str:
        return f"Feature({self.name!r})"

    def handles(
        self,
        message: Declares[MessageType, Value, Error],
        /,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        log_fields: Sequence[str] = (),
    ) -> Registration[MessageType, Value, Error]:
        """Declare the one handler of a command or query.

        ``@orders.handles(PlaceOrder)`` above an async function, or ``orders.handles(PlaceOrder)(PlaceOrderHandler)``
        for a class with ``async def __call__(self, message)``. The first parameter is the message; the others are
        injected by type.

        Args:
            message: the command or query class.
            timeout: seconds after which an attempt is cancelled and ``TimedOut`` answered.
            retry: whether what failed is tried again; not at all if not given. Each attempt has a scope of its own.
            log_fields: names of the message's fields that instruments may record; none if not given.
        """
        return Registration(message, Options(timeout, retry, tuple(log_fields)), self.handlings)

    @overload
    def provides(
        self,
        service: type[Service] | Callable[..., object],
        factory: Callable[..., AbstractAsyncContextManager[Service]],
        *,
        lifetime: Lifetime = APP,
    ) -> None: ...
    @overload
    def provides(
        self,
        service: type[Service] | Callable[..., object],
        factory: Callable[..., Service] | None = None,
        *,
        lifetime: Lifetime = APP,
    ) -> None: ...
    def provides(
        self,
        service: type[Service] | Callable[..., object],
        factory: Callable[..., object] | None = None,
        *,
        lifetime: Lifetime = APP,
    ) -> None:
        """Say how a service is made: once, when the app opens, for all who ask for it, or for each message.

        What the factory gives is entered if it is an async context manager, and left when the service's life ends: a
        function under ``@asynccontextmanager`` opens before its ``yield`` and closes after it.

        Args:
            service: the type that handlers ask for.
            factory: a class or a function whose parameters are injected; the service itself if not given.
            lifetime: ``APP``, or ``MESSAGE`` for a service of each attempt of a handler that asks for it. One with
                ``commit`` and ``rollback`` is committed after ``Success`` and rolled back otherwise.
        """
        self.providings.append(Providing(service, service if factory is None else factory, lifetime))

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
