"""The pipeline of a handler: everything around it, composed once into one function."""

from collections.abc import Iterator, Sequence
from typing import final

import attrs

from cqrs.dispatch import guard, limited
from cqrs.instrumentation import HookFailures, Instrument, overrides
from cqrs.middleware import HandlerInfo, Middleware, Next
from cqrs.observation import observe
from cqrs.registry import Call


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
        return tuple(i for i in self.instruments if overrides(i, "around") or overrides(i, "finished"))


def compose(call: Call, handler: HandlerInfo, around: Surroundings) -> Next:
    """Compose a pipeline, outside to inside: context, instruments, barrier, middleware, guard, timeout, handler.

    What is not used is not in it: without instruments there is no context, without middleware no barrier.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.

    Raises:
        TypeError: if a middleware gives no function.
    """
    watching = around.watching()
    timed = call if handler.timeout is None else limited(call, handler, handler.timeout)
    wrapping = any(overrides(instrument, "around") for instrument in watching)
    pipeline = guard(timed, handler, watched=wrapping and not around.middleware)
    for middleware in reversed(around.middleware):
        pipeline = middleware(pipeline, handler)
        if not callable(pipeline):
            raise TypeError(f"{_name(middleware)} gave a {type(pipeline).__qualname__}, not a function")
    if around.middleware:
        pipeline = guard(pipeline, handler, "middleware", watched=wrapping)
    return observe(pipeline, watching, handler, around.failures)


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
    yield from (f"middleware {_name(m)}" for m in around.middleware)
    yield "guard"
    yield from [] if handler.timeout is None else [f"timeout {handler.timeout:g} s"]
    yield f"handler {handler.handler}"


def _name(middleware: Middleware) -> str:
    return str(getattr(middleware, "__qualname__", type(middleware).__qualname__))
