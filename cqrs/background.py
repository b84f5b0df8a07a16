"""Publishing in the background: a bounded queue in this process, emptied in order, drained when the app closes."""

import asyncio
import contextvars
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, final

import anyio
from returns.result import Failure, Result, Success

from cqrs.deliveries import PublishReport
from cqrs.faults import QueueFull
from cqrs.messages import Event

logger: Final = logging.getLogger("cqrs")

CAPACITY: Final = 1024

# How long closing an app waits for what is in the queue.
DRAIN_SECONDS: Final = 30.0

_Waiting = tuple[Event, contextvars.Context]


@final
class _Publishing:
    """One publish of a queue, for as long as it runs."""

    def __init__(self, queue: "BackgroundQueue") -> None:
        self.queue: BackgroundQueue | None = queue


# Set where a queue publishes: what runs there cannot wait until the queue has published it.
_within: Final[contextvars.ContextVar[_Publishing | None]] = contextvars.ContextVar(
    "cqrs_publishing_later", default=None
)


@final
class BackgroundQueue:
    """Events that are published one after the other by a task that lives as long as there are any.

    Args:
        publish: publishes one.
        abandon: parks an event that will not be published any more for all who would have heard it.
        capacity: how many events may wait.

    Attributes:
        refused: how many events there was no place for.
    """

    def __init__(
        self,
        publish: Callable[[Event], Coroutine[Any, Any, PublishReport]],
        abandon: Callable[[Event], Coroutine[Any, Any, None]],
        capacity: int = CAPACITY,
    ) -> None:
        self._publish = publish
        self._abandon = abandon
        self._capacity = capacity
        self.refused: int = 0
        self._waiting: deque[_Waiting] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._publishing: Event | None = None
        self._idle = anyio.Event()

    def __len__(self) -> int:
        """How many events wait; one that is being published does not wait any more."""
        return len(self._waiting)

    def put(self, event: Event) -> Result[None, QueueFull]:
        """Take an event, to be published within the context of the caller; on trio there is place for none.

        Args:
            event: the event.
        """
        loop = _running_loop()
        capacity = self._capacity if loop is not None else 0
        if loop is None or len(self._waiting) >= capacity:
            self.refused += 1
            return Failure(QueueFull("events to publish later", capacity))
        self._waiting.append((event, contextvars.copy_context()))
        if self._worker is None:
            self._idle = anyio.Event()
            self._worker = loop.create_task(self._work(), context=contextvars.Context())
        return Success(None)

    async def drain(self) -> None:
        """Wait until every event that was taken has been published.

        Raises:
            RuntimeError: in a subscriber of such an event, which would wait for itself.
        """
        within = _within.get()
        if within is not None and within.queue is self:
            raise RuntimeError(
                "drain() was awaited within the delivery of an event that was published later: it would wait for itself. "
                "Fix: await it where the event was published, or not at all; leaving the app drains too."
            )
        while self._worker is not None:
            await self._idle.wait()

    async def close(self, seconds: float = DRAIN_SECONDS) -> None:
        """Publish what waits; what is left after a time is cancelled, parked for its subscribers, and said.

        Args:
            seconds: how long to wait.
        """
        # Shielded: an app that is being cancelled still delivers what it has promised to.
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(seconds):
                await self.drain()
            if self._worker is not None or self._waiting or self._publishing is not None:
                await self._give_up(self._worker, seconds)

    async def _work(self) -> None:
        try:
            while self._waiting:
                event, context = self._waiting.popleft()
                self._publishing = event
                # In a task of its own: only a task can be given the context of whoever published.
                within = _Publishing(self)
                context.run(_within.set, within)
                publishing = asyncio.get_running_loop().create_task(self._publish(event), context=context)
                try:
                    await publishing
                except asyncio.CancelledError:
                    raise  # what was being published is given up with what waits
                except BaseException as stop:
                    # KeyboardInterrupt and its like went to the event loop as well; here the others are still to come.
                    await self._stopped(event, stop)
                finally:
                    within.queue = None  # what a subscriber left running may drain from now on
                self._publishing = None
        finally:
            self._worker = None
            self._idle.set()

    async def _stopped(self, event: Event, stop: BaseException) -> None:
        name = type(event).__qualname__
        logger.error("%s is not published but parked for its subscribers: one of them raised %r", name, stop)
        await self._abandon(event)

    async def _give_up(self, worker: "asyncio.Task[None] | None", seconds: float) -> None:
        left = [
            event for event in (self._publishing, *(event for event, _ in self._waiting)) if event is not None
        ]
        self._waiting.clear()
        if worker is not None:
            worker.cancel()
            await asyncio.wait([worker])
        self._publishing = None
        logger.error(
            "%d events were still to be published %g s after the app began to close; each is parked for its subscribers: %s",
            len(left),
            seconds,
            ", ".join(sorted({type(event).__qualname__ for event in left})),
        )
        for event in left:
            await self._abandon(event)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
