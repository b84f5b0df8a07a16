"""Observing a dispatch: its context, its times, and instruments that can neither change nor break it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic_ns
from typing import TypeVar, final

import attrs
from returns.result import Result

from cqrs.context import MessageContext, current, current_context
from cqrs.dispatch import guard_in_context
from cqrs.faults import Fault
from cqrs.instrumentation import Carried, Finished, HookFailures, Instrument
from cqrs.messages import AnyResult, Message
from cqrs.middleware import HandlerInfo, Next
from cqrs.registry import Call

Value = TypeVar("Value")
Error = TypeVar("Error")
Given = TypeVar("Given")


Failed = Callable[[Exception], None]


@final
@attrs.frozen(eq=False)
class Observed:
    """A pipeline with its instruments; whether its dispatches have a context is decided for the whole app at once.

    Attributes:
        pipeline: with what instruments hung around it.
        handler: the pipeline's handler.
        told: what hears of the end of each dispatch, and where it is counted if that raises.
        carried: context variables that each dispatch runs with, likewise.
        active: whether any instrument wants this handler, which needs a context then.
        call: the handler, if the pipeline is nothing but a guard around it; else None.
    """

    pipeline: Next
    handler: HandlerInfo
    told: tuple[tuple[Finished, Failed], ...]
    carried: tuple[tuple[Carried, Failed], ...]
    active: bool
    call: Call | None = None

    def within(self, context: bool) -> Next:  # noqa: FBT001 - the one thing that is asked
        """Give the pipeline as the app uses it.

        Args:
            context: whether the app's dispatches have a context.
        """
        if not context and not self.active:
            return self.pipeline
        if self.call is not None and not self.active:
            return guard_in_context(self.call, self.handler)
        if not self.told and not self.carried:
            return _in_context(self.pipeline, self.handler)
        pipeline = self.pipeline
        for carried, failed in reversed(self.carried[1:]):
            pipeline = _carrying(pipeline, carried, failed)
        several = _all_of(self.told), (*self.told, *self.carried)[0][1]
        told = self.told[0] if len(self.told) == 1 else several
        if not self.carried:
            return _told(pipeline, self.handler, *told)
        return _told_and_carrying(pipeline, self.handler, told, self.carried[0])


def observe(
    next: Next, instruments: Sequence[Instrument], handler: HandlerInfo, failures: HookFailures
) -> Observed:
    """Hang instruments around a pipeline so that nothing they do reaches the caller.

    The pipeline leaves its answer on the ``MessageContext`` that is made for each dispatch; whatever an
    instrument returns or raises, that answer is what the caller gets. A delivery shares its event's identity.

    Args:
        next: the pipeline; guarded with ``watched=True`` where an instrument overrides ``around``.
        instruments: outermost first.
        handler: the pipeline's handler.
        failures: where a hook that raises is counted.
    """
    pipeline = next
    for instrument in reversed(instruments):
        pipeline = _shielded(pipeline, instrument, handler, partial(failures.add, instrument, "around"))
    told = _asked(lambda i: i.finished(handler), instruments, failures, "finished")
    carried = _asked(lambda i: i.carried(handler), instruments, failures, "carried")
    return Observed(pipeline, handler, told, carried, active=pipeline is not next or bool(told or carried))


def _asked(
    ask: Callable[[Instrument], Given | None],
    instruments: Sequence[Instrument],
    failures: HookFailures,
    hook: str,
) -> tuple[tuple[Given, Failed], ...]:
    given: list[tuple[Given, Failed]] = []
    for instrument in instruments:
        failed = partial(failures.add, instrument, hook)
        try:
            found = ask(instrument)
        except Exception as error:
            failed(error)
            continue
        given += [] if found is None else [(found, failed)]
    return tuple(given)


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


def _in_context(next: Next, handler: HandlerInfo) -> Next:
    join = MessageContext.deliver if handler.kind == "event" else MessageContext.follow

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent = current.get()
        context = MessageContext()
        if parent is None:
            context.begin()
        else:
            join(context, parent)
        token = current.set(context)
        try:
            return await next(message)
        except BaseException:
            context.stopped = None  # it holds this frame, which holds it
            raise
        finally:
            try:  # noqa: SIM105 - suppress(...) would cost every dispatch
                current.reset(token)
            except ValueError:
                pass  # given up with its event loop and closed in another context, where nothing was set

    return call


def _told(next: Next, handler: HandlerInfo, finished: Finished, failed: Failed) -> Next:
    # Context, times and the call of one instrument in one frame: each frame costs a tenth of a bare handler.
    join = _join_of(handler)

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
            _stopped(finished, failed, context, began, stop)
            raise
        finally:
            try:  # noqa: SIM105 - suppress(...) would cost every observed dispatch
                current.reset(token)
            except ValueError:
                pass  # given up with its event loop and closed in another context, where nothing was set
        try:
            # Publishing what it emitted is not the handler's time.
            finished(context, began, context.finished_at or monotonic_ns(), answer)
        except Exception as error:
            failed(error)
        return answer

    return call


def _told_and_carrying(
    next: Next, handler: HandlerInfo, told: tuple[Finished, Failed], carried: tuple[Carried, Failed]
) -> Next:
    # The same with one variable, in the same frame for the same reason.
    join, (finished, failed) = _join_of(handler), told
    variable, value, refused = carried[0].variable, carried[0].value, carried[1]

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent, held = current.get(), None
        context = MessageContext()
        if parent is None:
            context.begin()
        else:
            join(context, parent)
        token = current.set(context)
        began = monotonic_ns()
        try:
            try:
                held = variable.set(value(context, message))
            except Exception as error:
                refused(error)
            answer = await next(message)
        except BaseException as stop:
            _stopped(finished, failed, context, began, stop)
            raise
        finally:
            try:
                current.reset(token)
                if held is not None:
                    variable.reset(held)
            except ValueError:
                pass  # as above
        try:
            finished(context, began, context.finished_at or monotonic_ns(), answer)
        except Exception as error:
            failed(error)
        return answer

    return call


def _join_of(handler: HandlerInfo) -> Callable[[MessageContext, MessageContext], MessageContext]:
    return MessageContext.deliver if handler.kind == "event" else MessageContext.follow


def _stopped(
    finished: Finished, failed: Failed, context: MessageContext, began_ns: int, stop: BaseException
) -> None:
    try:
        finished(context, began_ns, monotonic_ns(), stop)
    except Exception as error:
        failed(error)
    context.stopped = None  # it holds a frame, which holds it


def _carrying(next: Next, carried: Carried, failed: Failed) -> Next:
    variable, value = carried.variable, carried.value

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        context, held = current.get(), None
        if context is not None:
            try:
                held = variable.set(value(context, message))
            except Exception as error:
                failed(error)
        try:
            return await next(message)
        finally:
            if held is not None:
                with suppress(ValueError):  # given up with its event loop and closed in another context
                    variable.reset(held)

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
        context = current_context()
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
