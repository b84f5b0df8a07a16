"""Messages: frozen values that name their answer and their errors."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, Self, TypeVar, cast

from returns.result import Result

Value = TypeVar("Value")
Error = TypeVar("Error")
Value_co = TypeVar("Value_co", covariant=True)
Error_co = TypeVar("Error_co", covariant=True)
Message_contra = TypeVar("Message_contra", contravariant=True)
EventClass = TypeVar("EventClass", bound="Event")


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


# No field of a message has such a name; a class has it only if it was decorated itself.
_TYPE_ID: Final = "__cqrs_type_id__"


def type_id(name: str, /, *, aliases: Sequence[str] = ()) -> Callable[[type[EventClass]], type[EventClass]]:
    """Give an event class the name under which it is stored, so that what is stored survives a rename of the class.

    ``@type_id("orders.OrderPlaced", aliases=("shop.OrderPlaced",))`` above ``@attrs.frozen``. Without it an event is
    stored under its module and qualified name.

    Args:
        name: the name to store under.
        aliases: names under which the event was stored before.
    """

    def named(event: type[EventClass]) -> type[EventClass]:
        setattr(event, _TYPE_ID, (name, *aliases))
        return event

    return named


def has_type_id(event: type["Event"]) -> bool:
    """Tell whether an event class was given a name to be stored under.

    Args:
        event: the class.
    """
    return _TYPE_ID in vars(event)


def type_ids(event: type["Event"]) -> tuple[str, ...]:
    """Give the name under which an event class is stored, then those under which it was stored before.

    Args:
        event: the class; what its bases are called does not count.
    """
    given = cast("tuple[str, ...] | None", vars(event).get(_TYPE_ID))
    return given or (f"{event.__module__}.{event.__qualname__}",)


class Declares(Protocol[Message_contra, Value_co, Error_co]):
    """What a command or query class object is to the type checkers: it declares a handler's shape."""

    def __handler__(self) -> Callable[[Message_contra], Awaitable[Result[Value_co, Error_co]]]:
        """Never called: it exists for the type checkers alone."""
        ...


# What a dispatch table holds: messages and results of every type.
AnyMessage = Message[Any, Any]
AnyResult = Result[Any, Any]
