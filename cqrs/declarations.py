"""What a feature declares: values, and the typed second steps of ``handles`` and ``subscribes``."""

from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, cast, final, overload

import attrs
from returns.result import Result

from cqrs.faults import Fault
from cqrs.messages import AnyMessage, Declares, Event
from cqrs.retry import RetryPolicy

Value = TypeVar("Value")
Error = TypeVar("Error")
MessageType = TypeVar("MessageType", bound=AnyMessage)
EventType = TypeVar("EventType", bound=Event)
Deps = ParamSpec("Deps")
Declared = TypeVar("Declared", bound=Callable[..., object])

# A handler or subscriber: an async function, or a class whose instances are called.
AnyHandler = Callable[..., Any]


class Lifetime(StrEnum):
    """How long a provided service lives.

    Attributes:
        APP: made once when the app starts; what is an async context manager is left again when it stops.
        MESSAGE: made for each attempt of a handler that asks for it, and left when the attempt has ended.
    """

    APP = "app"
    MESSAGE = "message"


APP: Final = Lifetime.APP
MESSAGE: Final = Lifetime.MESSAGE


@final
@attrs.frozen
class Options:
    """How a handler is run.

    Attributes:
        timeout: seconds after which it is cancelled, or None.
        retry: whether what failed is tried again, or None.
        log_fields: the fields of the message that are recorded with each dispatch.
    """

    timeout: float | None = None
    retry: RetryPolicy | None = None
    log_fields: tuple[str, ...] = ()


@final
@attrs.frozen(eq=False)
class Handling:
    """One message type and the handler declared for it.

    Attributes:
        message: the message class.
        handler: the function or class.
        options: how it is run.
    """

    message: type
    handler: AnyHandler
    options: Options = Options()


@final
@attrs.frozen(eq=False)
class Providing:
    """One service and what makes it.

    Attributes:
        service: the type that handlers ask for.
        factory: a class or function; its parameters are injected.
        lifetime: how long it lives.
    """

    service: object
    factory: Callable[..., object]
    lifetime: Lifetime = attrs.field(default=APP, converter=Lifetime)


@final
class Registration(Generic[MessageType, Value, Error]):
    """The second step of ``handles``: takes the handler, checked against the message."""

    def __init__(
        self, message: Declares[MessageType, Value, Error], options: Options, handlings: list[Handling]
    ) -> None:
        self._message = message
        self._options = options
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
    def __call__(self, handler: Declared, /) -> Declared:
        """Register the handler and give it back unchanged."""
        self._handlings.append(Handling(cast("type", self._message), handler, self._options))
        return handler
