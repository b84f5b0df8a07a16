"""An observed dispatch in one frame: context, times, guard and the call of one instrument.

Each frame, and each function that is called, costs a dispatch a tenth of a bare handler or more; so the three functions
that make a context (here, and ``guard_in_context``) repeat its few lines.
"""

from collections.abc import Callable
from time import monotonic_ns
from typing import Any, TypeVar

from returns.result import Failure, Result, Success

from cqrs.context import MessageContext, current, draw
from cqrs.dispatch import NO_RESULT, broken, crashed
from cqrs.faults import Fault
from cqrs.instrumentation import Carried, Finished
from cqrs.messages import AnyResult, Message
from cqrs.middleware import HandlerInfo, Next
from cqrs.registry import Call

Value = TypeVar("Value")
Error = TypeVar("Error")

# Each with where it is counted if it raises.
Failed = Callable[[Exception], None]
Told = tuple[Finished, Failed]
Carrying = tuple[Carried, Failed]


def telling(call: Call, handler: HandlerInfo, told: Told, *, composed: bool) -> Next:
    """Make what ``guard`` makes, with a context around each dispatch, whose end it tells.

    Args:
        call: the handler, or the pipeline around it.
        handler: what is known of the handler.
        told: what hears of the end of each dispatch, and where it is counted if that raises.
        composed: whether ``call`` is a pipeline: it may say itself when the handler had ended.
    """
    join, (finished, failed) = join_of(handler), told

    async def guarded(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent = current.get()
        context = MessageContext()
        if parent is not None:
            join(context, parent)
        context.span_number = draw(64)
        token = current.set(context)
        began = monotonic_ns()
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
        except BaseException as stop:
            _stopped(finished, failed, context, began, stop)
            raise
        finally:
            try:  # noqa: SIM105 - suppress(...) would cost every observed dispatch
                current.reset(token)
            except ValueError:
                pass  # as in guard_in_context
        try:
            finished(context, began, _ended(context) if composed else monotonic_ns(), result)
        except Exception as error:
            failed(error)
        return result

    return guarded


def telling_and_carrying(
    call: Call, handler: HandlerInfo, told: Told, carried: Carrying, *, composed: bool
) -> Next:
    """Make what ``telling`` makes, with a context variable that each dispatch runs with.

    Args:
        call: the handler, or the pipeline around it.
        handler: what is known of the handler.
        told: what hears of the end of each dispatch.
        carried: the variable and what it holds, and where it is counted if asking for that raises.
        composed: as for ``telling``.
    """
    join, (finished, failed) = join_of(handler), told
    variable, value, refused = carried[0].variable, carried[0].value, carried[1]

    async def guarded(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent, context, held_before = current.get(), MessageContext(), None
        if parent is None:
            context.message_number = context.correlation_number = context.trace_number = draw(128)
        else:
            join(context, parent)
        token, began = current.set(context), monotonic_ns()
        try:
            try:
                held_before = variable.set(value(context, message))
            except Exception as error:
                refused(error)
            result: AnyResult = await call(message)
            kind: object = type(result)
            returned: Any = result
            inner: object = returned._inner_value if kind is Success or kind is Failure else NO_RESULT  # noqa: SLF001 - its accessors cost a call
            held: object = type(inner)
            if held is Success or held is Failure:
                result = Failure(broken(result, handler, "handler"))
        except Exception as error:
            result = Failure(crashed(error, handler, "handler"))
        except BaseException as stop:
            _stopped(finished, failed, context, began, stop)
            raise
        finally:
            try:
                current.reset(token)
                if held_before is not None:
                    variable.reset(held_before)
            except ValueError:
                pass  # as above
        try:
            finished(context, began, _ended(context) if composed else monotonic_ns(), result)
        except Exception as error:
            failed(error)
        return result

    return guarded


def join_of(handler: HandlerInfo) -> Callable[[MessageContext, MessageContext], MessageContext]:
    """Give how a dispatch's context follows that of its cause: a delivery shares its event's identity.

    Args:
        handler: what is known of the handler.
    """
    return MessageContext.deliver if handler.kind == "event" else MessageContext.follow


def _ended(context: MessageContext) -> int:
    if context.answer is not None:
        context.answer = None  # who keeps the context for later does not keep the answer
    # Publishing what it emitted is not the handler's time.
    return context.finished_at or monotonic_ns()


def _stopped(
    finished: Finished, failed: Failed, context: MessageContext, began_ns: int, stop: BaseException
) -> None:
    try:
        finished(context, began_ns, monotonic_ns(), stop)
    except Exception as error:
        failed(error)
    context.stopped = None  # it holds a frame, which holds it
