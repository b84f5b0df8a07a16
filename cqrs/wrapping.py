"""What plugins wrap around handlers: their own place in the pipeline, and no way to break a dispatch."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Final, Literal, TypeVar, cast, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.dispatch import crashed
from cqrs.faults import Fault
from cqrs.hook_failures import HookFailures
from cqrs.messages import AnyResult, Message
from cqrs.middleware import HandlerInfo, Kind, Middleware, Next

Value = TypeVar("Value")
Error = TypeVar("Error")

Slot = Literal["outside", "cache", "invalidation"]

# By kind of message, outside to inside.
SLOTS: Final[Mapping[Kind, tuple[Slot, ...]]] = {
    "command": ("outside", "invalidation"),
    "query": ("outside", "cache"),
    "event": ("outside", "invalidation"),
}


@final
@attrs.frozen(eq=False)
class Wrap:
    """One middleware of a plugin.

    Attributes:
        slot: ``outside`` of the user's middleware, or inside it: ``cache`` around ``invalidation``.
        middleware: composed once per handler; giving ``next`` back leaves the pipeline as it is.
        plugin: whose it is, for the log.
    """

    slot: Slot
    middleware: Middleware
    plugin: str = ""


def concerned(wraps: Sequence[Wrap], handler: HandlerInfo) -> tuple[Wrap, ...]:
    """Give those of the plugins' middleware that a handler needs; what nobody declared costs nothing.

    Args:
        wraps: for its kind of message.
        handler: what is known of it: a cache is for those with a policy, invalidation for those that invalidate.
    """
    wanted = {"outside": True, "cache": handler.cache is not None, "invalidation": bool(handler.invalidates)}
    return tuple(wrap for wrap in wraps if wanted[wrap.slot])


def wrapped(
    next: Next, handler: HandlerInfo, wraps: Sequence[Wrap], slot: Slot, failures: HookFailures
) -> Next:
    """Hang the plugins' middleware of one slot around a pipeline.

    A middleware that raises, or answers with something else than a ``Result``, is logged once and counted, and the
    dispatch gets the answer that it would have had without it; the handler of a command never runs a second time
    for that.

    Args:
        next: the rest of the pipeline; it never raises but for cancellation.
        handler: what is known of the handler.
        wraps: of every slot, outermost first; those that concern the handler are composed.
        slot: which of them to compose.
        failures: where a middleware that raises is counted.
    """
    pipeline = next
    for wrap in reversed([each for each in concerned(wraps, handler) if each.slot == slot]):
        failed = partial(failures.count, wrap.plugin, f"wrap_{handler.kind}")
        pipeline = _shielded(pipeline, wrap.middleware, handler, failed)
    return pipeline


Failed = Callable[[Exception], None]


@final
class _Attempt:
    """What became of ``next`` in one call of a middleware."""

    __slots__ = ("answer", "began", "stopped")

    def __init__(self) -> None:
        self.began = False
        self.answer: AnyResult | None = None
        self.stopped: BaseException | None = None


# Found by `next` also in a task that the middleware starts for it.
_attempt: ContextVar[_Attempt | None] = ContextVar("cqrs_wrap_attempt", default=None)


def _shielded(next: Next, middleware: Middleware, handler: HandlerInfo, failed: Failed) -> Next:
    noted = _noted(next)
    try:
        wrap = middleware(noted, handler)
    except Exception as error:
        failed(error)
        return next
    if not callable(wrap):
        failed(TypeError(f"it gave a {type(wrap).__qualname__}, not a function"))
        return next
    if wrap is noted:
        return next

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        attempt = _Attempt()
        token = _attempt.set(attempt)
        try:
            answer = await wrap(message)
        except Exception as error:
            failed(error)
            return await _without(attempt, next, message, handler, error)
        except BaseException:
            attempt.stopped = None  # it holds this frame, which holds it
            raise
        finally:
            with suppress(ValueError):  # given up with its event loop and closed in another context
                _attempt.reset(token)
        kind: object = type(answer)
        if kind is Success or kind is Failure:
            return answer
        broken = TypeError(
            f"a plugin's middleware answered with a {type(answer).__qualname__}, not with a Result"
        )
        failed(broken)
        return await _without(attempt, next, message, handler, broken)

    return call


def _noted(next: Next) -> Next:
    async def noted(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        attempt = _attempt.get()
        if attempt is None:
            return await next(message)
        attempt.began = True
        try:
            attempt.answer = answer = await next(message)
        except BaseException as stop:
            attempt.stopped = stop
            raise
        return answer

    return noted


async def _without(
    attempt: _Attempt, next: Next, message: Message[Value, Error], handler: HandlerInfo, error: Exception
) -> Result[Value, Error | Fault]:
    """Answer as if the middleware were not there."""
    if attempt.stopped is not None:
        raise attempt.stopped
    if attempt.answer is not None:
        return cast("Result[Value, Error | Fault]", attempt.answer)
    if attempt.began and handler.kind != "query":
        return Failure(crashed(error, handler, "middleware"))  # it may still run somewhere: once is enough
    return await next(message)
