"""Cancelling a call exactly where it waits for the n-th time."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final, Generic, TypeVar, final

import anyio
import attrs

Answer = TypeVar("Answer")

MOST_SUSPENSIONS: Final = 64


@final
@attrs.frozen
class Interruption(Generic[Answer]):
    """What became of a call that was to be cancelled.

    Attributes:
        reached: whether it waited so often that it was cancelled.
        ended: whether the cancellation ended it.
        answer: what it answered nevertheless; None if it did not.
    """

    reached: bool
    ended: bool
    answer: Answer | None


async def interrupt(call: Callable[[], Coroutine[Any, Any, Answer]], at: int) -> Interruption[Answer]:
    """Run a call and cancel it where it waits for the n-th time: on asyncio as on trio.

    Args:
        call: gives the coroutine.
        at: at which suspension to cancel, from 1.
    """
    answer: Answer | None = None
    scope = anyio.CancelScope()
    steps = _Steps(call(), at, scope)
    with scope:
        answer = await steps
    return Interruption(steps.reached, scope.cancelled_caught, answer)


@final
class _Steps(Awaitable[Answer]):
    def __init__(self, coroutine: Coroutine[Any, Any, Answer], at: int, scope: anyio.CancelScope) -> None:
        self._coroutine = coroutine
        self._left = at
        self._scope = scope
        self.reached = False

    def __await__(self) -> Generator[object, object, Answer]:
        coroutine: Coroutine[object, object, Answer] = self._coroutine
        sent: object = None
        thrown: BaseException | None = None
        while True:
            try:
                waiting_for = coroutine.send(sent) if thrown is None else coroutine.throw(thrown)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            self._left -= 1
            if self._left == 0:
                self.reached = True
                self._scope.cancel()
            sent, thrown = yield from suspended(waiting_for)


def suspended(waiting_for: object) -> Generator[object, object, tuple[object, BaseException | None]]:
    """Wait, inside of ``__await__``, and give what the event loop sends or throws.

    Args:
        waiting_for: what the call waits for.
    """
    try:
        sent = yield waiting_for
    except BaseException as error:  # noqa: BLE001 - the event loop's, handed on to where the call waits
        return None, error
    return sent, None
