"""The guard: whatever a handler does, a dispatch has exactly one outcome."""

import logging
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

import anyio
from returns.result import Failure, Result, Success

from cqrs.context import MessageContext, current, current_context
from cqrs.faults import ContractBroken, Fault, HandlerCrashed, Stage, TimedOut
from cqrs.messages import AnyResult, Message
from cqrs.middleware import HandlerInfo, Next
from cqrs.problems import name_of
from cqrs.registry import Call

Value = TypeVar("Value")
Error = TypeVar("Error")

logger: Final = logging.getLogger("cqrs")

# Held by what is no Result, so that one check refuses it and a Result inside a Result.
NO_RESULT: Final = Failure(None)
# The functions here, in cqrs.attempt and in cqrs.observed_dispatch that stand on the stack, so many of them per dispatch.
_GUARDS: Final = ("guarded", "kept")
_MOST_GUARDS: Final = 3
_MOST_TEXT: Final = 2048
_MOST_TRACEBACK: Final = 32_768


def guard(call: Call, handler: HandlerInfo, stage: Stage = "handler", *, watched: bool = False) -> Next:
    """Make a function that answers with a ``Result`` and raises nothing but cancellation and its like.

    This is the only place that catches what a handler or middleware raises. ``CancelledError``,
    ``KeyboardInterrupt``, ``SystemExit`` and ``GeneratorExit`` pass untouched.

    Args:
        call: the handler, or the middleware around it.
        handler: what is known of the handler.
        stage: what is guarded, for ``HandlerCrashed``.
        watched: whether to keep the outcome on the ``MessageContext``, out of the reach of instruments.
    """

    async def guarded(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        try:
            result: AnyResult = await call(message)
            kind: object = type(result)
            # The inner value itself: a method call here costs every dispatch 2 % of a bare handler. By identity: a
            # class may refuse to be compared or hashed.
            returned: Any = result
            inner: object = returned._inner_value if kind is Success or kind is Failure else NO_RESULT  # noqa: SLF001 - its accessors cost a call
            held: object = type(inner)
            if held is Success or held is Failure:
                result = Failure(broken(result, handler, stage))
        except Exception as error:
            result = Failure(crashed(error, handler, stage))
        return result

    return _kept(guarded, call, handler, stage) if watched else guarded


def guard_in_context(call: Call, handler: HandlerInfo) -> Next:
    """Make what ``guard`` makes, with a context around each dispatch.

    Both in one function: each frame costs a dispatch a fifth of a bare handler.

    Args:
        call: the handler.
        handler: what is known of it.
    """
    join = MessageContext.deliver if handler.kind == "event" else MessageContext.follow

    async def guarded(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent = current.get()
        context = MessageContext()
        if parent is not None:
            join(context, parent)
        token = current.set(context)
        try:
            result: AnyResult = await call(message)
            kind: object = type(result)
            returned: Any = result
            inner: object = returned._inner_value if kind is Success or kind is Failure else NO_RESULT  # noqa: SLF001 - its accessors cost a call
            held: object = type(inner)
            if held is Success or held is Failure:
                result = Failure(broken(result, handler, "handler"))
        except Exception as error:
            result = Failure(crashed(error, handler, "handler"))
        finally:
            try:  # noqa: SIM105 - suppress(...) would cost every dispatch
                current.reset(token)
            except ValueError:
                pass  # given up with its event loop and closed in another context, where nothing was set
        return result

    return guarded


def checked(returned: object, handler: HandlerInfo) -> AnyResult:
    """Give what a handler returned if it is a ``Result``, else a ``Failure`` that says what it is.

    Args:
        returned: what the handler returned.
        handler: what is known of it.
    """
    kind: object = type(returned)
    if kind is Success or kind is Failure:
        result = cast("AnyResult", returned)
        inner: object = result.unwrap() if kind is Success else result.failure()
        held: object = type(inner)
        if held is not Success and held is not Failure:
            return result
    return Failure(broken(returned, handler, "handler"))


def _kept(guarded: Next, call: Call, handler: HandlerInfo, stage: Stage) -> Next:
    # The guard once more instead of around it: a frame would cost every observed dispatch a tenth of a handler.
    async def kept(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        context = current.get()
        # An instrument around this may have set what its own dispatches begin from.
        if type(context) is not MessageContext:
            context = current_context()
        if context is None or context.answer is not None:
            return await guarded(message) if context is None else cast("AnyResult", context.answer)
        try:
            result: AnyResult = await call(message)
            kind: object = type(result)
            returned: Any = result
            inner: object = returned._inner_value if kind is Success or kind is Failure else NO_RESULT  # noqa: SLF001 - its accessors cost a call
            held: object = type(inner)
            if held is Success or held is Failure:
                result = Failure(broken(result, handler, stage))
        except Exception as error:
            result = Failure(crashed(error, handler, stage))
        except BaseException as stop:
            context.stopped = stop
            raise
        context.answer = result
        return result

    return kept


def limited(
    call: Callable[..., Coroutine[Any, Any, AnyResult]], handler: HandlerInfo, seconds: float
) -> Callable[..., Coroutine[Any, Any, AnyResult]]:
    """Cancel a handler that takes too long.

    Args:
        call: the handler.
        handler: what is known of it.
        seconds: how long it may take.
    """

    async def call_in_time(*arguments: object) -> AnyResult:
        with anyio.move_on_after(seconds):
            return await call(*arguments)
        _say(
            logging.WARNING,
            f"{handler.kind} {handler.message_type} timed out in {handler.handler} after {seconds:g} s",
        )
        return Failure(TimedOut(handler.handler, seconds))

    return call_in_time


def crashed(error: BaseException, handler: HandlerInfo, stage: Stage) -> HandlerCrashed:
    """Turn what was raised into a value, and log it: a crash is never invisible.

    Args:
        error: what was raised; its traceback and those of its causes are removed.
        handler: what is known of the handler.
        stage: where it happened.
    """
    formatted = _formatted(error)
    fault = HandlerCrashed(
        message_type=handler.message_type,
        handler=handler.handler,
        stage=stage,
        exception_type=name_of(type(error)),
        text=(_text(error) + _cycle_of(error))[:_MOST_TEXT],
        traceback=formatted,
        exception=_without_traceback(error),
    )
    what = f"{handler.kind} {handler.message_type} crashed in {handler.handler} ({stage}): {fault.exception_type}"
    _say(logging.ERROR, what, f"\n{fault.traceback}")
    return fault


def _cycle_of(error: BaseException) -> str:
    """Name the messages whose handlers send one another without end."""
    if not isinstance(error, RecursionError):
        return ""
    cycle: list[str] = []
    frames = 0
    last: tuple[HandlerInfo | None, object] = (None, None)
    for handler, message in _dispatches():
        frames += 1
        if handler is last[0] and message is last[1]:
            continue  # of the same dispatch
        last = (handler, message)
        cycle.append(handler.message_type)
        if cycle[0] in cycle[1:]:
            return f" ({' → '.join(reversed(cycle))})"
    # The same message object sent again and again looks like one dispatch with many functions around it.
    return f" ({cycle[0]} → {cycle[0]})" if frames > len(cycle) * _MOST_GUARDS else ""


def _dispatches() -> Iterator[tuple[HandlerInfo, object]]:
    for frame, _ in traceback.walk_stack(None):
        if frame.f_code.co_name not in _GUARDS or frame.f_globals.get("__package__") != __package__:
            continue
        handler: object = frame.f_locals.get("handler")
        if isinstance(handler, HandlerInfo):
            yield handler, frame.f_locals.get("message")


def _say(level: int, what: str, more: str = "") -> None:
    try:
        logger.log(level, "%s%s", what, more)
    except (
        Exception
    ) as error:  # a user's log filter may raise anything; logging itself catches its handlers only
        with suppress(Exception):
            sys.stderr.write(f"cqrs: {what} (not logged: {error!r})\n")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # a user's __str__ may raise anything
        return f"<str() raised {type(second).__name__}>"


def _formatted(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(error))
    except Exception as second:
        text = f"{name_of(type(error))} (its traceback cannot be formatted: {type(second).__name__})"
    if len(text) <= _MOST_TRACEBACK:
        return text
    half = _MOST_TRACEBACK // 2 - 32
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def _without_traceback(error: BaseException) -> BaseException:
    # Frames keep every local of every caller alive; the formatted text keeps what people read.
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        BaseException.with_traceback(one, None)  # an assignment is refused by a frozen dataclass
        if isinstance(one, AttributeError):
            one.obj = None  # the object that lacks it
        pending += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            pending += cast("BaseExceptionGroup[BaseException]", one).exceptions
    return error


def broken(returned: object, handler: HandlerInfo, stage: Stage) -> ContractBroken:
    """Say what was returned that is no ``Result``.

    Args:
        returned: what a handler or middleware returned.
        handler: what is known of the handler.
        stage: who returned it.
    """
    who = handler.handler if stage == "handler" else f"a {stage} around {handler.handler}"
    return ContractBroken(handler.message_type, who, _described(returned), _hint(returned))


def _described(returned: object) -> str:
    if isinstance(returned, Success):
        return f"Success[{_type_name(cast('AnyResult', returned).unwrap())}]"
    if isinstance(returned, Failure):
        return f"Failure[{_type_name(cast('AnyResult', returned).failure())}]"
    return _type_name(returned)


def _type_name(value: object) -> str:
    return type(value).__qualname__


def _hint(returned: object) -> str:
    if isinstance(returned, Result):
        return "return the inner Result: one Success or Failure, not one in another."
    if type(returned).__name__ in {"FutureResult", "IOSuccess", "IOFailure"}:
        return (
            "register it through lift(...), which takes handlers that answer with FutureResult or IOResult."
        )
    return "return Success(value) or Failure(error)."
