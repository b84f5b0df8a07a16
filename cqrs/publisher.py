"""What publishes the events that handlers emit, and what becomes of them when a dispatch is stopped meanwhile."""

import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol, final

import anyio
from returns.result import Failure, Result

from cqrs.deliveries import PublishReport
from cqrs.faults import BusDisabled, Fault
from cqrs.messages import Event
from cqrs.middleware import HandlerInfo

logger: Final = logging.getLogger("cqrs")

# How long a cancelled dispatch waits for what it has to undo or to park.
PATIENCE_SECONDS: Final = 5.0


class Publisher(Protocol):
    """What publishes the events that handlers emit: the event bus."""

    def publish(self, event: Event, /) -> Coroutine[Any, Any, PublishReport]:
        """Deliver an event and wait for all deliveries."""
        ...

    def publish_later(self, event: Event, /) -> Coroutine[Any, Any, Result[None, Fault]]:
        """Take an event for the background, or say why not; waits for nothing."""
        ...

    async def abandon(self, event: Event, /) -> None:
        """Park an event for everybody who would have heard it."""
        ...


@final
class NoBus:
    """What publishes where there is no event bus: nothing, and it says so."""

    async def publish(self, event: Event, /) -> PublishReport:
        """Answer that the bus is disabled."""
        del event
        return PublishReport((), BusDisabled("event"))

    async def publish_later(self, event: Event, /) -> Result[None, Fault]:
        """Answer that the bus is disabled."""
        del event
        return Failure(BusDisabled("event"))

    async def abandon(self, event: Event, /) -> None:
        """Park it for nobody: nobody would have heard it."""


async def hand_over(
    events: Sequence[Event], handler: HandlerInfo, publisher: Publisher, stop: BaseException
) -> None:
    """Leave to the background what a stopped dispatch has not published: what it tells of is committed.

    The first of them was being published. If that was cancelled, it goes out once more: some of its subscribers may
    hear it twice. If a subscriber of it raised what ends a program, hearing it again would do so again: it is parked.

    Args:
        events: what is still to be published, in its order.
        handler: who emitted them.
        publisher: the event bus.
        stop: what stopped the dispatch.
    """
    given_up = isinstance(stop, GeneratorExit)  # with its event loop: nothing can be waited for any more
    again = given_up or isinstance(stop, anyio.get_cancelled_exc_class())
    for place, event in enumerate(events):
        why = stop if place == 0 and not again else await _why_not_later(event, publisher)
        if why is None:
            continue
        name = type(event).__qualname__
        became = "is not published" if given_up else "is not published but parked for its subscribers"
        logger.error("%s, emitted by %s, %s: %r", name, handler.handler, became, why)
        if not given_up:
            with anyio.move_on_after(PATIENCE_SECONDS, shield=True):
                await publisher.abandon(event)


async def _why_not_later(event: Event, publisher: Publisher) -> object:
    try:
        answer = await publisher.publish_later(event)
    except RuntimeError as error:  # no event loop runs any more
        return error
    return answer.failure() if isinstance(answer, Failure) else None
