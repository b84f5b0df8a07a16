"""Several subscribers of one event: all at once, or one after the other."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import cast, final

import anyio

from cqrs.deliveries import Delivery, Heard
from cqrs.messages import Event
from cqrs.subscribers import Subscriber


async def at_once(event: Event, subscribers: Sequence[Subscriber]) -> Sequence[Delivery | Heard]:
    """Deliver an event to all subscribers concurrently and wait for all of them.

    A publisher that is cancelled cancels them and waits until each has ended.

    Args:
        event: the event.
        subscribers: in the order of the report; at least one.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return await _in_group(event, subscribers)
    # Tasks of our own: an anyio task group costs three times as much, and asyncio.gather twice.
    fan = _Fan(len(subscribers), loop.create_future())
    tasks = [loop.create_task(fan.hear(place, s, event)) for place, s in enumerate(subscribers)]
    try:
        await fan.ended
    except GeneratorExit:
        _cancel(tasks)  # given up with its event loop: nothing can be awaited any more
        raise
    except BaseException:
        _cancel(tasks)
        await _all_ended(tasks)
        raise
    if fan.stop is not None:
        _cancel(tasks)
        await _all_ended(tasks)
        raise fan.stop
    return [heard for heard in fan.heard if heard is not None]


async def in_turn(
    event: Event, subscribers: Sequence[Subscriber], *, stop: bool
) -> tuple[Sequence[Delivery | Heard], tuple[str, ...]]:
    """Deliver an event to one subscriber after the other.

    Args:
        event: the event.
        subscribers: in their order.
        stop: whether the first that fails is the last.

    Returns:
        What became of each, and the names of those that were not tried.
    """
    heard: list[Delivery | Heard] = []
    for place, subscriber in enumerate(subscribers, 1):
        last = await subscriber.hear(event)
        heard.append(last)
        if stop and isinstance(last, Delivery) and not last.ok:
            return heard, tuple(skipped.name for skipped in subscribers[place:])
    return heard, ()


@final
class _Fan:
    __slots__ = ("_left", "ended", "heard", "stop")

    def __init__(self, count: int, ended: "asyncio.Future[None]") -> None:
        self.ended = ended
        self.heard: list[Delivery | Heard | None] = [None] * count
        self.stop: BaseException | None = None
        self._left = count

    async def hear(self, place: int, subscriber: Subscriber, event: Event) -> None:
        over = False
        try:
            self.heard[place] = await subscriber.hear(event)
        except BaseException as stop:  # cancellation, KeyboardInterrupt and their like are for the publisher
            self.stop = self.stop or stop
            over = not isinstance(stop, asyncio.CancelledError)
        self._left -= 1
        if (over or not self._left) and not self.ended.done():
            self.ended.set_result(None)


def _cancel(tasks: Iterable["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()


async def _all_ended(tasks: Iterable["asyncio.Task[None]"]) -> None:
    # Shielded from the anyio scope that is being cancelled, which would deliver its cancellation again and again; one
    # more of asyncio's own changes nothing either: the tasks have been told.
    with anyio.CancelScope(shield=True):
        while left := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(left)
            except asyncio.CancelledError:
                continue


async def _in_group(event: Event, subscribers: Sequence[Subscriber]) -> Sequence[Delivery | Heard]:
    heard: dict[int, Delivery | Heard] = {}

    async def hear(place: int, subscriber: Subscriber) -> None:
        heard[place] = await subscriber.hear(event)

    try:
        async with anyio.create_task_group() as group:
            for place, subscriber in enumerate(subscribers):
                group.start_soon(hear, place, subscriber)
    except BaseExceptionGroup as stopped:
        raise first_of(stopped) from None
    return [heard[place] for place in range(len(subscribers))]


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give what a task group was ended by: to the caller it is what it would be without a group.

    Args:
        group: what the task group raised.
    """
    first = group.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return first_of(cast("BaseExceptionGroup[BaseException]", first))
    return first
