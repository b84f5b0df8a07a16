"""What a handler does takes effect as a whole: its unit of work is committed, then the events that it emitted go out."""

import inspect
import logging
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from time import monotonic_ns
from typing import Any, Final, NamedTuple, Protocol, TypeGuard, cast, final

import anyio
from returns.result import Failure, Success

from cqrs.context import MessageContext, current_context
from cqrs.deliveries import PublishReport
from cqrs.messages import AnyMessage, AnyResult, Event
from cqrs.middleware import HandlerInfo, Next
from cqrs.publisher import PATIENCE_SECONDS, Publisher, hand_over

logger: Final = logging.getLogger("cqrs")


class UnitOfWork(Protocol):
    """What a dependency of lifetime MESSAGE implements to be committed or rolled back with its handler."""

    async def commit(self) -> None:
        """Make what the handler did permanent: called after it answered ``Success``."""
        ...

    async def rollback(self) -> None:
        """Undo what the handler did: called after a ``Failure``, an exception or a cancellation."""
        ...


@final
class Emitted(NamedTuple):
    """One event that a handler emitted.

    Attributes:
        event: the event.
        later: whether it goes to the background.
    """

    event: Event
    later: bool = False


@final
class EmitBuffer:
    """What one attempt emits; it is ``Emit`` to the handler.

    Args:
        handler: its dotted name, for who emits too late.
    """

    __slots__ = ("_handler", "_held")

    def __init__(self, handler: str) -> None:
        self._handler = handler
        self._held: list[Emitted] | None = []

    def __call__(self, event: Event, /) -> None:
        """Hold an event back; see ``Emit``."""
        self._open(event).append(Emitted(event))

    def later(self, event: Event, /) -> None:
        """Hold an event back for the background; see ``Emit``."""
        self._open(event).append(Emitted(event, later=True))

    def close(self) -> Sequence[Emitted]:
        """Take what is held, and refuse what comes afterwards."""
        held, self._held = self._held or (), None
        return held

    def _open(self, event: Event) -> list[Emitted]:
        if self._held is None:
            raise RuntimeError(
                f"{type(event).__qualname__} is emitted after {self._handler} has ended: nothing would publish it."
            )
        return self._held


@final
class Emissions:
    """What the attempts of one dispatch emit.

    Attributes:
        buffer: the last attempt's.
    """

    __slots__ = ("buffer",)

    def __init__(self) -> None:
        self.buffer: EmitBuffer | None = None

    def begin(self, handler: str) -> EmitBuffer:
        """Give an attempt a buffer of its own; what the attempt before has emitted is dropped.

        Args:
            handler: dotted name of the handler.
        """
        self.close()
        self.buffer = EmitBuffer(handler)
        return self.buffer

    def close(self) -> Sequence[Emitted]:
        """Take what the last attempt has emitted."""
        return () if self.buffer is None else self.buffer.close()


class Emitting(Protocol):
    """The rest of the pipeline of a handler that emits."""

    def __call__(self, message: AnyMessage, emissions: Emissions, /) -> Coroutine[Any, Any, AnyResult]:
        """Answer the message."""
        ...


def releasing(next: Emitting, handler: HandlerInfo, publisher: Publisher) -> Next:
    """Publish what a handler emitted once it has succeeded, and wait for it; drop it otherwise.

    Args:
        next: the attempts of the handler; it never raises but for cancellation.
        handler: what is known of the handler.
        publisher: the event bus.
    """

    async def call(message: AnyMessage, /) -> AnyResult:
        emissions = Emissions()
        try:
            result = await next(message, emissions)
        finally:
            held = emissions.close()
        kind: object = type(result)
        if held and kind is Success:
            context = current_context()
            if context is not None:
                context.finished_at = monotonic_ns()
            await _release(held, handler, publisher, context)
        return result

    return cast("Next", call)


async def _release(
    held: Sequence[Emitted], handler: HandlerInfo, publisher: Publisher, context: MessageContext | None
) -> None:
    reports: list[PublishReport] = []
    waiting = deque(held)
    try:
        while waiting:
            event, later = waiting[0]
            if not (later and await _taken(event, handler, publisher, context)):
                reports.append(await publisher.publish(event))
            waiting.popleft()
    except BaseException as stop:
        await hand_over([event for event, _ in waiting], handler, publisher, stop)
        raise
    finally:
        if context is not None:
            context.published = tuple(reports)


async def _taken(
    event: Event, handler: HandlerInfo, publisher: Publisher, context: MessageContext | None
) -> bool:
    answer = await publisher.publish_later(event)
    if not isinstance(answer, Failure):
        return True
    if context is not None:
        context.note("emit.not_later", answer.failure())
    name = type(event).__qualname__
    logger.warning("%s of %s is published at once, not later: %s", name, handler.handler, answer.failure())
    return False


def is_unit_of_work(made: object) -> TypeGuard[UnitOfWork]:
    """Tell whether a dependency is committed and rolled back with its handler.

    Args:
        made: the dependency. Plain functions will do too: ``sqlite3.Connection`` is one.
    """
    return callable(getattr(made, "commit", None)) and callable(getattr(made, "rollback", None))


async def commit(units: Iterable[UnitOfWork]) -> None:
    """Commit one after the other; the first that raises ends it.

    Args:
        units: in the order in which they were opened.

    Raises:
        RuntimeError: if one of them answers with a ``Failure``.
    """
    for unit in units:
        await _done(unit.commit(), "commit", unit)


async def roll_back(units: Sequence[UnitOfWork]) -> None:
    """Roll all of them back, the last opened first, whatever the others do.

    A cancellation does not keep it from that for five seconds; after them it is said at ERROR what was left.

    Args:
        units: in the order in which they were opened.

    Raises:
        Exception: what the first that failed has raised.
    """
    first: Exception | None = None
    with anyio.move_on_after(PATIENCE_SECONDS, shield=True) as scope:
        for unit in reversed(units):
            try:
                await _done(unit.rollback(), "rollback", unit)
            except Exception as error:  # noqa: BLE001 - said by the guard; the others are rolled back all the same
                first = first or error
    if scope.cancelled_caught:
        first = first or TimeoutError(f"the rollback took more than {PATIENCE_SECONDS:g} seconds")
    if first is not None:
        raise first


async def undo(units: Sequence[UnitOfWork], handler: HandlerInfo) -> None:
    """Roll back after an exception, which stays the outcome: what goes wrong here is said at ERROR.

    Args:
        units: in the order in which they were opened.
        handler: what is known of the handler.
    """
    try:
        await roll_back(units)
    except Exception:  # the exception on its way is the outcome
        logger.exception("The unit of work of %s could not be rolled back.", handler.handler)


async def _done(answer: object, what: str, unit: UnitOfWork) -> None:
    if inspect.isawaitable(answer):
        answer = await answer
    if isinstance(answer, Failure):
        raise RuntimeError(f"{type(unit).__qualname__}.{what}() answered {answer}")  # noqa: TRY004 - its type is right
