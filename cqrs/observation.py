"""Observing a dispatch: its context, its times, and instruments that can neither change nor break it."""

from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic_ns
from typing import TypeVar

from returns.result import Result

from cqrs.context import MessageContext, current
from cqrs.faults import Fault
from cqrs.instrumentation import Finished, HookFailures, Instrument
from cqrs.messages import AnyResult, Message
from cqrs.middleware import HandlerInfo, Next

Value = TypeVar("Value")
Error = TypeVar("Error")


def observe(
    next: Next, instruments: Sequence[Instrument], handler: HandlerInfo, failures: HookFailures
) -> Next:
    """Hang instruments around a pipeline so that nothing they do reaches the caller.

    The pipeline leaves its answer on the ``MessageContext`` that is made here for each dispatch; whatever an
    instrument returns or raises, that answer is what the caller gets. A delivery shares its event's identity.

    Args:
        next: the pipeline; guarded with ``watched=True`` where an instrument overrides ``around``.
        instruments: outermost first; where none of them wants this handler, the pipeline is given back as it is.
        handler: the pipeline's handler.
        failures: where a hook that raises is counted.
    """
    pipeline = next
    for instrument in reversed(instruments):
        pipeline = _shielded(pipeline, instrument, handler, partial(failures.add, instrument, "around"))
    told = [
        each for i in instruments if (each := _finished(i, handler, partial(failures.add, i, "finished")))
    ]
    if pipeline is next and not told:
        return next
    if len(told) == 1:
        return _in_context(pipeline, handler, *told[0])
    return _in_context(pipeline, handler, _all_of(told), partial(failures.add, Instrument(), "finished"))


Failed = Callable[[Exception], None]


def _finished(instrument: Instrument, handler: HandlerInfo, failed: Failed) -> tuple[Finished, Failed] | None:
    try:
        finished = instrument.finished(handler)
    except Exception as error:
        failed(error)
        return None
    return None if finished is None else (finished, failed)


def _all_of(told: Sequence[tuple[Finished, Failed]]) -> Finished:
    def tell(
        context: MessageContext, began_ns: int, ended_ns: int, answer: AnyResult | BaseException, /
    ) -> None:
        for finished, failed in told:
            try:
                finished(context, began_ns, ended_ns, answer)
            except Exception as error:
                failed(error)

    return tell


def _in_context(next: Next, handler: HandlerInfo, finished: Finished, failed: Failed) -> Next:
    # Context, times and the call of one instrument in one frame: each frame costs a tenth of a bare handler.
    join = MessageContext.deliver if handler.kind == "event" else MessageContext.follow

    def ended(context: MessageContext, began_ns: int, stop: BaseException) -> None:
        try:
            finished(context, began_ns, monotonic_ns(), stop)
        except Exception as error:
            failed(error)
        context.stopped = None  # it holds this frame, which holds it

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent = current.get()
        context = MessageContext()
        if parent is None:
            context.begin()
        else:
            join(context, parent)
        token = current.set(context)
        began = monotonic_ns()
        try:
            answer = await next(message)
        except BaseException as stop:
            ended(context, began, stop)
            raise
        finally:
            try:  # noqa: SIM105 - suppress(...) would cost every observed dispatch
                current.reset(token)
            except ValueError:
                pass  # given up with its event loop and closed in another context, where nothing was set
        try:
            finished(context, began, monotonic_ns(), answer)
        except Exception as error:
            failed(error)
        return answer

    return call


def _shielded(next: Next, instrument: Instrument, handler: HandlerInfo, failed: Failed) -> Next:
    try:
        observed = instrument.around(next, handler)
    except Exception as error:
        failed(error)
        return next
    if observed is next:
        return next

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        try:
            await observed(message)
        except Exception as error:
            failed(error)
        context = current.get()
        if context is None or context.answer is None:
            return await _unanswered(context, next, message)
        return context.answer

    return call


async def _unanswered(
    context: MessageContext | None, next: Next, message: Message[Value, Error]
) -> Result[Value, Error | Fault]:
    """Go on where an instrument left off: it never called ``next``, or it swallowed a cancellation."""
    stopped = getattr(context, "stopped", None)
    if stopped is not None:
        raise stopped
    return await next(message)
