"""The pipeline of a handler: everything around it, composed once into one function."""

from collections.abc import Iterator, Sequence
from typing import TypeVar, final

import attrs
from returns.result import Result

from cqrs.context import MessageContext, current
from cqrs.dispatch import Call, guard, limited
from cqrs.faults import Fault
from cqrs.instrumentation import HookFailures, Instrument, overrides, shield
from cqrs.messages import Message
from cqrs.middleware import HandlerInfo, Middleware, Next

Value = TypeVar("Value")
Error = TypeVar("Error")


@final
@attrs.frozen(eq=False)
class Surroundings:
    """What an app hangs around its handlers.

    Attributes:
        middleware: the user's, outermost first.
        instruments: outermost first.
        failures: where an instrument's hook that raises is counted.
    """

    middleware: Sequence[Middleware] = ()
    instruments: Sequence[Instrument] = ()
    failures: HookFailures = attrs.field(factory=HookFailures)

    def watching(self) -> tuple[Instrument, ...]:
        """The instruments that hang around dispatches."""
        return tuple(i for i in self.instruments if overrides(i, "around"))


def compose(call: Call, handler: HandlerInfo, around: Surroundings) -> Next:
    """Compose a pipeline, outside to inside: context, instruments, barrier, middleware, guard, timeout, handler.

    What is not used is not in it: without instruments there is no context, without middleware no barrier.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.
    """
    pipeline = guard(call if handler.timeout is None else limited(call, handler, handler.timeout), handler)
    for middleware in reversed(around.middleware):
        pipeline = middleware(pipeline, handler)
    if around.middleware:
        pipeline = guard(pipeline, handler, "middleware")
    watching = around.watching()
    for instrument in reversed(watching):
        pipeline = shield(pipeline, instrument, handler, around.failures)
    return in_context(pipeline, handler) if watching else pipeline


def stages(handler: HandlerInfo, around: Surroundings) -> Iterator[str]:
    """Name the stages of a pipeline, outside to inside, as ``compose`` builds it.

    Args:
        handler: what is known of the handler.
        around: what the app hangs around its handlers.
    """
    watching = around.watching()
    yield from ["context"] if watching else []
    yield from (f"instrument {i.name or type(i).__qualname__}" for i in watching)
    yield from ["barrier"] if around.middleware else []
    yield from (f"middleware {getattr(m, '__qualname__', type(m).__qualname__)}" for m in around.middleware)
    yield "guard"
    yield from [] if handler.timeout is None else [f"timeout {handler.timeout:g} s"]
    yield f"handler {handler.handler}"


def in_context(next: Next, handler: HandlerInfo) -> Next:  # noqa: A002  # the field's word for it
    """Give each dispatch its ``MessageContext``; a delivery shares the identity of its event.

    Args:
        next: the pipeline.
        handler: whose pipeline it is.
    """
    delivery = handler.kind == "event"

    async def with_context(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent = current.get()
        context = parent.delivery() if delivery and parent is not None else MessageContext(parent)
        token = current.set(context)
        try:
            return await next(message)
        finally:
            current.reset(token)

    return with_context
