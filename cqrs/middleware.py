"""Middleware: code around every handler, composed once when the app starts."""

from collections.abc import Coroutine
from typing import Any, Literal, Protocol, TypeVar, final

import attrs
from returns.result import Result

from cqrs.cache_policy import CachePolicy, Invalidation
from cqrs.faults import Fault
from cqrs.messages import Message
from cqrs.retry import RetryPolicy

Value = TypeVar("Value")
Error = TypeVar("Error")

Kind = Literal["command", "query", "event"]


@final
@attrs.frozen
class HandlerInfo:
    """What is known of a handler when its pipeline is composed.

    Attributes:
        kind: which bus it hangs on.
        message: the message class.
        message_type: the message's name as people read it; unique among the app's messages of this kind.
        handler: dotted name of the handler function or class.
        place: ``file:line`` of its definition.
        subscriber: the stable name of a subscriber; None for commands and queries.
        timeout: seconds after which an attempt is cancelled, or None.
        cache: how a query's answers are cached; None if they are not.
        invalidates: which answers a command makes invalid when it succeeds.
        retry: whether what failed is tried again, or None.
        log_fields: names of the message's fields that instruments may record.
    """

    kind: Kind
    message: type
    message_type: str
    handler: str
    place: str
    subscriber: str | None = None
    timeout: float | None = None
    cache: CachePolicy | None = None
    invalidates: tuple[Invalidation, ...] = ()
    retry: RetryPolicy | None = None
    log_fields: tuple[str, ...] = ()


class Next(Protocol):
    """The rest of the pipeline, as a middleware calls it."""

    def __call__(
        self, message: Message[Value, Error], /
    ) -> Coroutine[Any, Any, Result[Value, Error | Fault]]:
        """Answer the message."""
        ...


class Middleware(Protocol):
    """A factory: given the rest of the pipeline, it gives the pipeline with itself around it.

    Called once per handler when the app starts, so work that does not depend on the message is done once::

        def audited(next: Next, handler: HandlerInfo) -> Next:
            async def call(message: Message[Value, Error]) -> Result[Value, Error | Fault]:
                result = await next(message)
                journal.append((handler.message_type, result))
                return result

            return call

    It may answer ``Failure(Refused(Forbidden()))`` without calling ``next``, and calls ``next`` at most once. One that
    reads ``current_context()`` says so with an attribute ``needs_context = True``; ``targeted(...)`` uses one for some
    messages only.
    """

    def __call__(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Compose."""
        ...


@final
@attrs.frozen(eq=False)
class Targeted:
    """A middleware for some messages only; made by ``targeted``.

    Attributes:
        middleware: the middleware.
        only: the message classes that it is for, and what derives from them; all if empty.
        except_: the message classes that it is not for, and what derives from them.
    """

    middleware: Middleware
    only: tuple[type, ...]
    except_: tuple[type, ...]

    def __call__(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Compose, or give ``next`` back for a message that it is not for."""
        return self.middleware(next, handler) if self.takes(handler) else next

    def takes(self, handler: HandlerInfo) -> bool:
        """Tell whether the middleware is for a handler's message.

        Args:
            handler: the handler.
        """
        wanted = not self.only or issubclass(handler.message, self.only)
        return wanted and not issubclass(handler.message, self.except_)


def targeted(
    middleware: Middleware, *, only: type | tuple[type, ...] = (), except_: type | tuple[type, ...] = ()
) -> Middleware:
    """Use a middleware for some messages only: it is not in the pipelines of the others.

    Args:
        middleware: the middleware.
        only: message classes, or classes that they derive from (``Command``, a base or a marker of your own).
        except_: the same for those that it is not for; wins over ``only``.
    """
    return Targeted(middleware, _classes(only), _classes(except_))


def applies(middleware: Middleware, handler: HandlerInfo) -> bool:
    """Tell whether a middleware is in a handler's pipeline.

    Args:
        middleware: the middleware.
        handler: the handler.
    """
    return not isinstance(middleware, Targeted) or middleware.takes(handler)


def needs_context(middleware: Middleware) -> bool:
    """Tell whether a middleware says ``needs_context = True``, so that every dispatch has a ``MessageContext``.

    Args:
        middleware: the middleware.
    """
    inner = middleware.middleware if isinstance(middleware, Targeted) else middleware
    return bool(getattr(inner, "needs_context", False))


def name_of_middleware(middleware: Middleware) -> str:
    """Give the name of a middleware as people know it.

    Args:
        middleware: the middleware.
    """
    inner = middleware.middleware if isinstance(middleware, Targeted) else middleware
    return str(getattr(inner, "__qualname__", type(inner).__qualname__))


def _classes(given: type | tuple[type, ...]) -> tuple[type, ...]:
    return given if isinstance(given, tuple) else (given,)
