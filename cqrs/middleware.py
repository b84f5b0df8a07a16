"""Middleware: code around every handler, composed once when the app starts."""

from collections.abc import Coroutine
from typing import Any, Literal, Protocol, TypeVar, final

import attrs
from returns.result import Result

from cqrs.cache_policy import CachePolicy, Invalidation
from cqrs.faults import Fault
from cqrs.messages import Message

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
        timeout: seconds after which the handler is cancelled, or None.
        cache: how a query's answers are cached; None if they are not.
        invalidates: which answers a command makes invalid when it succeeds.
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

    It may answer ``Failure(Refused(Forbidden()))`` without calling ``next``, and calls ``next`` at most once.
    """

    def __call__(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Compose."""
        ...
