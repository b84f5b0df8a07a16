"""Messages: frozen values that name their answer and their errors."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from returns.result import Result

Value = TypeVar("Value")
Error = TypeVar("Error")
Value_co = TypeVar("Value_co", covariant=True)
Error_co = TypeVar("Error_co", covariant=True)
Message_contra = TypeVar("Message_contra", contravariant=True)


class Message(Generic[Value_co, Error_co]):
    """What commands and queries have in common; subclass those, not this.

    Covariant in both: with an invariant message mypy refuses ``return await bus.execute(...)``.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Never there at run time: it ties the class object to its value and error for ``handles``.
        @classmethod
        def __handler__(cls) -> Callable[[Self], Awaitable[Result[Value_co, Error_co]]]: ...


class Command(Message[Value_co, Error_co]):
    """An order to change something: ``class PlaceOrder(Command[OrderId, OutOfStock])``."""

    __slots__ = ()


class Query(Message[Value_co, Error_co]):
    """A question that changes nothing: ``class FindOrder(Query[Order, NotFound])``."""

    __slots__ = ()


class Event:
    """Something that happened; any number of subscribers hear of it."""

    __slots__ = ()


class Declares(Protocol[Message_contra, Value_co, Error_co]):
    """What a command or query class object is to the type checkers: it declares a handler's shape."""

    def __handler__(self) -> Callable[[Message_contra], Awaitable[Result[Value_co, Error_co]]]:
        """Never called: it exists for the type checkers alone."""
        ...


# What a dispatch table holds: messages and results of every type.
AnyMessage = Message[Any, Any]
AnyResult = Result[Any, Any]
