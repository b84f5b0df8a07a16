"""Observing a dispatch: its context, its times, and instruments that can neither change nor break it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar, final

import attrs
from returns.result import Result

from cqrs.context import MessageContext, current, current_context
from cqrs.dispatch import guard_in_context
from cqrs.faults import Fault
from cqrs.hook_failures import HookFailures
from cqrs.instrumentation import Carried, Finished, Instrument
from cqrs.messages import AnyResult, Message
from cqrs.middleware import HandlerInfo, Next
from cqrs.observed_dispatch import Failed, join_of, telling, telling_and_carrying
from cqrs.registry import Call

Value = TypeVar("Value")
Error = TypeVar("Error")
Given = TypeVar("Given")


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
        # The function that tells guards as well: a pipeline that is nothing but a guard is not needed then.
        composed = self.call is None or len(self.carried) > 1
        call: Call = pipeline if self.call is None or composed else self.call
        if not self.carried:
            return telling(call, self.handler, told, composed=composed)
        return telling_and_carrying(call, self.handler, told, self.carried[0], composed=composed)


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
    join = join_of(handler)

    async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
        parent = current.get()
        context = MessageContext()
        if parent is not None:
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
