"""The pipeline of a handler: everything around it, composed once into one function."""

from collections.abc import Iterator, Mapping, Sequence
from typing import final

import attrs

from cqrs.attempt import Attempts, Retrying, guard_scope
from cqrs.clock import Clock, SystemClock
from cqrs.container import Bound
from cqrs.dispatch import guard, limited
from cqrs.hook_failures import HookFailures
from cqrs.hooks import Hooks
from cqrs.instrumentation import Instrument, overrides
from cqrs.message_scope import Scoped
from cqrs.middleware import HandlerInfo, Kind, Middleware, Next, applies, name_of_middleware
from cqrs.observation import Observed, observe
from cqrs.publisher import NoBus, Publisher
from cqrs.registry import Call
from cqrs.unit_of_work import releasing
from cqrs.wrapping import SLOTS, Slot, Wrap, concerned, wrapped


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
        publisher: publishes what handlers emit.
        clock: what time the app goes by.
        context: whether every dispatch has a context, even where no instrument wants the handler.
    """

    middleware: Sequence[Middleware] = ()
    instruments: Sequence[Instrument] = ()
    wraps: Mapping[Kind, Sequence[Wrap]] = attrs.field(factory=dict[Kind, Sequence[Wrap]])
    failures: HookFailures = attrs.field(factory=HookFailures)
    hooks: Hooks = attrs.field(factory=Hooks)
    publisher: Publisher | None = None
    clock: Clock = attrs.field(factory=SystemClock)
    context: bool = False

    def watching(self) -> tuple[Instrument, ...]:
        """The instruments that hang around dispatches."""
        hooks = ("carried", "around", "finished")
        return tuple(i for i in self.instruments if any(overrides(i, hook) for hook in hooks))

    def wrapping(self, handler: HandlerInfo) -> tuple[Wrap, ...]:
        """The plugins' middleware that a handler needs.

        Args:
            handler: what is known of it.
        """
        return concerned(self.wraps.get(handler.kind, ()), handler)


def compose(call: Bound, handler: HandlerInfo, around: Surroundings) -> Next:
    """Compose a pipeline as ``prepare`` does, and decide from its surroundings whether it has a context.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.

    Raises:
        TypeError: if a middleware gives no function.
    """
    return prepare(call, handler, around).within(around.context)


def prepare(call: Bound, handler: HandlerInfo, around: Surroundings) -> Observed:
    """Compose a pipeline but for its context, about which all handlers of an app decide together.

    Outside to inside: context, instruments, barrier, middleware, release of emitted events, retry; and for each attempt
    guard, message scope, timeout, handler. The plugins' middleware is outside of the user's, or between it and the
    release. What is not used is not in it: without middleware there is no barrier.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.

    Raises:
        TypeError: if a middleware gives no function.
    """
    watching = around.watching()
    wrapping = any(overrides(instrument, "around") for instrument in watching)
    attempts = pipeline = _attempts(call, handler, around, watched=False)
    outside, *inside = SLOTS[handler.kind]
    for slot in reversed(inside):
        pipeline = _wrapped(pipeline, handler, around, slot)
    for middleware in reversed(around.middleware):
        pipeline = middleware(pipeline, handler)
        if not callable(pipeline):
            raise TypeError(
                f"{name_of_middleware(middleware)} gave a {type(pipeline).__qualname__}, not a function"
            )
    pipeline = _wrapped(pipeline, handler, around, outside)
    if pipeline is not attempts:
        pipeline = guard(pipeline, handler, "middleware", watched=wrapping)
    elif wrapping:
        pipeline = _attempts(call, handler, around, watched=True)
    observed = observe(pipeline, watching, handler, around.failures)
    if pipeline is not attempts or isinstance(call, Scoped) or handler.retry is not None:
        return observed
    return attrs.evolve(observed, call=_timed(call, handler))


def bare(call: Bound, handler: HandlerInfo, around: Surroundings) -> Call | None:
    """Give a handler with its timeout alone, if the guard is all that its app would put around it but for its retries.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.
    """
    surrounded = around.context or around.watching() or around.wrapping(handler)
    if isinstance(call, Scoped) or surrounded or any(applies(m, handler) for m in around.middleware):
        return None
    return _timed(call, handler)


def _attempts(call: Bound, handler: HandlerInfo, around: Surroundings, *, watched: bool) -> Next:
    retry = handler.retry
    if not isinstance(call, Scoped) and retry is None:
        return guard(_timed(call, handler), handler, watched=watched)
    pipeline: Attempts = (
        guard_scope(call, handler) if isinstance(call, Scoped) else guard(_timed(call, handler), handler)
    )
    if retry is not None:
        pipeline = Retrying(pipeline, handler, retry, around.clock, around.hooks).call
    if isinstance(call, Scoped) and call.emits:
        pipeline = releasing(pipeline, handler, around.publisher or NoBus())
    return guard(pipeline, handler, watched=True) if watched else pipeline


def _timed(call: Call, handler: HandlerInfo) -> Call:
    return call if handler.timeout is None else limited(call, handler, handler.timeout)


def stages(handler: HandlerInfo, around: Surroundings, scope: Sequence[str] = ()) -> Iterator[str]:
    """Name the stages of a pipeline, outside to inside, as ``prepare`` composes it.

    Args:
        handler: what is known of the handler.
        around: what the app hangs around its handlers.
        scope: what lives for one message only and the handler needs, by name.
    """
    watching, middleware = around.watching(), [m for m in around.middleware if applies(m, handler)]
    yield from ["context"] if watching or around.context else []
    yield from (f"instrument {i.name or type(i).__qualname__}" for i in watching)
    outside, *inside = SLOTS[handler.kind]
    yield from ["barrier"] if middleware or around.wrapping(handler) else []
    yield from _wraps(handler, around, outside)
    yield from (f"middleware {name_of_middleware(m)}" for m in middleware)
    for slot in inside:
        yield from _wraps(handler, around, slot)
    retry = handler.retry
    yield from ["release of emitted events"] if "Emit" in scope else []
    yield from [] if retry is None else [f"retry, {retry.attempts} attempts"]
    yield "guard"
    yield from [f"scope of {', '.join(scope)}"] if scope else []
    yield from [] if handler.timeout is None else [f"timeout {handler.timeout:g} s"]
    yield f"handler {handler.handler}"


def _wrapped(next: Next, handler: HandlerInfo, around: Surroundings, slot: Slot) -> Next:
    return wrapped(next, handler, around.wraps.get(handler.kind, ()), slot, around.failures)


def _wraps(handler: HandlerInfo, around: Surroundings, slot: Slot) -> Iterator[str]:
    return (
        f"{slot} {wrap.plugin or name_of_middleware(wrap.middleware)}"
        for wrap in around.wrapping(handler)
        if wrap.slot == slot
    )
