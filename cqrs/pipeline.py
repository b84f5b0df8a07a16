"""The pipeline of a handler: everything around it, composed once into one function."""

from collections.abc import Iterator, Mapping, Sequence
from typing import final

import attrs

from cqrs.dispatch import guard, limited
from cqrs.hooks import Hooks
from cqrs.instrumentation import HookFailures, Instrument, overrides
from cqrs.middleware import HandlerInfo, Kind, Middleware, Next
from cqrs.observation import observe
from cqrs.registry import Call
from cqrs.wrapping import SLOTS, Slot, Wrap, wrapped


@final
@attrs.frozen(eq=False)
class Surroundings:
    """What an app hangs around its handlers.

    Attributes:
        middleware: the user's, outermost first.
        instruments: outermost first.
        wraps: the plugins' middleware by kind of message, outermost first.
        failures: where an instrument's hook or a plugin's middleware that raises is counted.
        hooks: what instruments are told besides; filled before the first dispatch.
    """

    middleware: Sequence[Middleware] = ()
    instruments: Sequence[Instrument] = ()
    wraps: Mapping[Kind, Sequence[Wrap]] = attrs.field(factory=dict[Kind, Sequence[Wrap]])
    failures: HookFailures = attrs.field(factory=HookFailures)
    hooks: Hooks = attrs.field(factory=Hooks)

    def watching(self) -> tuple[Instrument, ...]:
        """The instruments that hang around dispatches."""
        return tuple(i for i in self.instruments if overrides(i, "around") or overrides(i, "finished"))


def compose(call: Call, handler: HandlerInfo, around: Surroundings) -> Next:
    """Compose a pipeline, outside to inside: context, instruments, barrier, middleware, guard, timeout, handler.

    The plugins' middleware is outside of the user's, or between it and the guard. What is not used is not in it:
    without instruments there is no context, without middleware no barrier.

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
    guarded = pipeline = guard(timed, handler)
    outside, *inside = SLOTS[handler.kind]
    for slot in reversed(inside):
        pipeline = _wrapped(pipeline, handler, around, slot)
    for middleware in reversed(around.middleware):
        pipeline = middleware(pipeline, handler)
        if not callable(pipeline):
            raise TypeError(f"{_name(middleware)} gave a {type(pipeline).__qualname__}, not a function")
    pipeline = _wrapped(pipeline, handler, around, outside)
    if around.middleware or pipeline is not guarded:
        pipeline = guard(pipeline, handler, "middleware", watched=wrapping)
    elif wrapping:
        pipeline = guard(timed, handler, watched=True)
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
    outside, *inside = SLOTS[handler.kind]
    yield from ["barrier"] if around.middleware or around.wraps.get(handler.kind) else []
    yield from _wraps(handler, around, outside)
    yield from (f"middleware {_name(m)}" for m in around.middleware)
    for slot in inside:
        yield from _wraps(handler, around, slot)
    yield "guard"
    yield from [] if handler.timeout is None else [f"timeout {handler.timeout:g} s"]
    yield f"handler {handler.handler}"


def _wrapped(next: Next, handler: HandlerInfo, around: Surroundings, slot: Slot) -> Next:
    return wrapped(next, handler, around.wraps.get(handler.kind, ()), slot, around.failures)


def _wraps(handler: HandlerInfo, around: Surroundings, slot: Slot) -> Iterator[str]:
    wraps = around.wraps.get(handler.kind, ())
    return (f"{slot} {wrap.plugin or _name(wrap.middleware)}" for wrap in wraps if wrap.slot == slot)


def _name(middleware: Middleware) -> str:
    return str(getattr(middleware, "__qualname__", type(middleware).__qualname__))
