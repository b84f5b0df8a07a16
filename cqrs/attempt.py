"""One attempt of a handler whose dependencies live for one message: scope, unit of work, handler, commit."""

from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from functools import reduce
from typing import Any, Final, final

import attrs
from returns.result import Failure, Success

from cqrs.clock import SYSTEM_RANDOM, Clock, Random, sleep_of
from cqrs.context import MessageContext, current_context
from cqrs.dispatch import checked, crashed, limited
from cqrs.hook_details import RetriedDetails
from cqrs.hooks import Hooks
from cqrs.message_scope import Attempt, Scoped, Step, opens, ready
from cqrs.messages import AnyMessage, AnyResult
from cqrs.middleware import HandlerInfo
from cqrs.retry import RetryPolicy
from cqrs.unit_of_work import Emissions, UnitOfWork, commit, is_unit_of_work, roll_back, undo

# The part of an attempt that is inside of what has been opened so far.
Inner = Callable[[object, Attempt], Coroutine[Any, Any, AnyResult]]

# One attempt: of the message, and of what it emits where the handler emits.
Attempts = Callable[..., Coroutine[Any, Any, AnyResult]]


def guard_scope(call: Scoped, handler: HandlerInfo) -> Attempts:
    """Make a function that opens a handler's scope, runs the handler, commits, and closes the scope again.

    It answers with a ``Result`` and raises nothing but cancellation and its like. The timeout is the handler's alone.

    Args:
        call: the handler.
        handler: what is known of it.
    """
    timed = call.start if handler.timeout is None else limited(call.start, handler, handler.timeout)
    inner = reduce(_opened, reversed(call.steps), _settled(timed, call.steps, handler))

    async def guarded(message: AnyMessage, emissions: Emissions | None = None) -> AnyResult:
        buffer = None if emissions is None else emissions.begin(handler.handler)
        attempt = Attempt(buffer, current_context())
        try:
            return await inner(message, attempt)
        except Exception as error:  # noqa: BLE001 - becomes the answer
            return Failure(crashed(error, handler, attempt.stage))

    return guarded


def _opened(inner: Inner, step: Step) -> Inner:
    async def within(message: object, attempt: Attempt) -> AnyResult:
        made = ready(step.recipe.call(attempt.values))
        if not opens(made):
            attempt.values[step.service] = made
            return await inner(message, attempt)
        attempt.values[step.service] = await made.__aenter__()
        # No `async with`: a dependency that swallows what is raised in it would swallow a cancellation too.
        try:
            result = await inner(message, attempt)
        except BaseException as error:
            await made.__aexit__(type(error), error, error.__traceback__)
            raise
        attempt.stage = "dependency"
        await made.__aexit__(None, None, None)
        return result

    return within


def _settled(start: Inner, steps: Sequence[Step], handler: HandlerInfo) -> Inner:
    services = [step.service for step in steps]

    async def within(message: object, attempt: Attempt) -> AnyResult:
        units: list[UnitOfWork] = [u for each in services if is_unit_of_work(u := attempt.values[each])]
        attempt.stage = "handler"
        try:
            result = checked(await start(message, attempt), handler)
            succeeded = _succeeded(result)
            if succeeded:
                attempt.stage = "commit"
                await commit(units)
        except GeneratorExit:
            raise  # nothing can be awaited any more
        except BaseException:
            await undo(units, handler)
            raise
        if not succeeded:
            attempt.stage = "commit"
            await roll_back(units)
        return result

    return within


# How many attempts the last delivery in this task took, if it was more than one and nobody has asked yet.
_taken: Final[ContextVar[int]] = ContextVar("cqrs_attempts_taken", default=1)


def attempts_taken() -> int:
    """Give how many attempts the delivery took that has just ended in this task; asking again gives 1."""
    taken = _taken.get()
    if taken != 1:
        _taken.set(1)
    return taken


def _succeeded(result: AnyResult) -> bool:
    kind: object = type(result)
    return kind is Success


@final
@attrs.frozen(eq=False)
class Retrying:
    """The attempts of a handler, one after the other as long as its policy says so.

    Attributes:
        attempts: makes one attempt; it never raises but for cancellation.
        handler: what is known of the handler.
        policy: whether and when to try again.
        clock: tells how much of the policy's budget is used, and is slept through.
        hooks: what instruments are told.
        random: where chance comes from.
    """

    attempts: Attempts
    handler: HandlerInfo
    policy: RetryPolicy
    clock: Clock
    hooks: Hooks
    random: Random = SYSTEM_RANDOM

    async def call(self, *arguments: object) -> AnyResult:
        """Answer a message.

        Args:
            arguments: those of an attempt.
        """
        began, attempt = self.clock.monotonic_ns(), 1
        context = current_context()
        result = await self.attempts(*arguments)
        while not _succeeded(result) and await self.again(result, attempt, began, context):
            attempt += 1
            if context is not None:
                context.attempt = attempt
            result = await self.attempts(*arguments)
        if attempt > 1 and self.handler.kind == "event":
            _taken.set(attempt)
        return result

    async def again(
        self, result: AnyResult, attempt: int, began_ns: int, context: MessageContext | None
    ) -> bool:
        """Tell, after the wait that the policy asks for, whether to try again.

        Args:
            result: what an attempt that failed answered.
            attempt: its number, from 1.
            began_ns: when the first one began.
            context: the message's identity; None if it has none.
        """
        elapsed = (self.clock.monotonic_ns() - began_ns) / 1e9
        try:
            delay = self.policy.wait(result, attempt, elapsed, self.random)
        except Exception as error:  # noqa: BLE001 - of the policy's own function: said, and nothing is tried again
            crashed(error, self.handler, "middleware")
            return False
        if delay is None:
            return False
        if context is not None and self.hooks.retried is not None:
            self.hooks.retried(RetriedDetails(self.handler, attempt, delay, result.failure(), context))
        await sleep_of(self.clock)(delay)
        return True
