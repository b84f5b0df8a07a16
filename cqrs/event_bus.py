"""The event bus: every subscriber hears every event, whatever becomes of the others."""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, final

import anyio
import attrs
from returns.result import Failure

from cqrs.clock import Clock
from cqrs.context import MessageContext, current
from cqrs.deliveries import Delivery, PublishReport
from cqrs.dispatch import crashed
from cqrs.hook_details import DeliveredDetails, PublishDetails
from cqrs.hooks import Hooks
from cqrs.instrumentation import Instrument, overrides
from cqrs.messages import AnyResult, Event
from cqrs.middleware import HandlerInfo
from cqrs.registry import Call
from cqrs.unanswered import Gate

# Hooks that hear of events with the identity of each.
_WATCHING: Final = ("published", "delivered", "retried", "dead_lettered")


@final
@attrs.frozen(eq=False)
class Subscriber:
    """A subscriber's pipeline for one event class.

    Attributes:
        handler: what is known of it.
        deliver: the pipeline.
    """

    handler: HandlerInfo
    deliver: Call

    @property
    def name(self) -> str:
        """Its stable name."""
        return self.handler.subscriber or self.handler.handler


@final
@attrs.frozen(eq=False)
class Audience:
    """Who hears one event class.

    Attributes:
        event_type: the event's name as people read it.
        subscribers: in the order of their registration.
    """

    event_type: str
    subscribers: tuple[Subscriber, ...]


@final
class Listeners:
    """Who hears what, and who watches; the app fills it when it starts and empties it when it stops.

    Args:
        hooks: what instruments are told of publishes and deliveries.

    Attributes:
        audiences: by event class.
        find: gives the audience of an event class that is published for the first time.
        hooks: see above.
        watched: whether any instrument sees deliveries or publishes, which then carry a context.
    """

    def __init__(self, hooks: Hooks | None = None) -> None:
        self.audiences: dict[type, Audience] = {}
        self.find: Callable[[type[Event]], Audience] = _nobody
        self.hooks: Hooks = Hooks() if hooks is None else hooks
        self.watched: bool = False

    def audience(self, event: type[Event]) -> Audience:
        """Give who hears an event class, looking it up at its first publish."""
        audience = self.audiences.get(event)
        if audience is None:
            audience = self.audiences[event] = self.find(event)
        return audience

    def clear(self) -> None:
        """Forget everybody."""
        self.audiences, self.find, self.watched = {}, _nobody, False


def watches(instruments: Sequence[Instrument]) -> bool:
    """Tell whether any instrument is told of what happens besides the dispatches themselves, with their context.

    Args:
        instruments: all of them.
    """
    return any(overrides(i, hook) for i in instruments for hook in _WATCHING)


@final
class EventBus:
    """Publishes events; inject it by this type.

    Args:
        listeners: who hears what.
        gate: why nobody does, if the bus is not open.
        clock: times the deliveries.
    """

    __slots__ = ("_clock", "_gate", "_listeners")

    def __init__(self, listeners: Listeners, gate: Gate, clock: Clock) -> None:
        self._listeners = listeners
        self._gate = gate
        self._clock = clock

    async def publish(self, event: Event, /) -> PublishReport:
        """Deliver an event to every subscriber and wait for all of them; never raises but for cancellation.

        One subscriber is awaited directly, several run concurrently; one that fails stops no other.

        Args:
            event: the event.

        Returns:
            One delivery per subscriber, each with what the subscriber answered.
        """
        if self._gate.fault is not None:
            return PublishReport((), self._gate.fault)
        audience = self._listeners.audience(type(event))
        if self._listeners.watched:
            return await self._publish_watched(event, audience)
        return PublishReport(await self._deliver(event, audience.subscribers))

    async def _publish_watched(self, event: Event, audience: Audience) -> PublishReport:
        parent = current.get()
        context = MessageContext().begin() if parent is None else MessageContext().follow(parent)
        started = self._clock.monotonic_ns()
        token = current.set(context)
        report: PublishReport | None = None
        try:
            report = PublishReport(await self._deliver(event, audience.subscribers))
            return report
        finally:
            with suppress(ValueError):  # given up with its event loop and closed in another context
                current.reset(token)
            duration = self._clock.monotonic_ns() - started
            published = self._listeners.hooks.published
            if published is not None:
                published(_details(type(event), audience, report, duration, context))

    async def _deliver(self, event: Event, subscribers: Sequence[Subscriber]) -> tuple[Delivery, ...]:
        if len(subscribers) == 1:
            return (await self._delivered(event, subscribers[0]),)
        deliveries: dict[int, Delivery] = {}

        async def deliver(place: int, subscriber: Subscriber) -> None:
            deliveries[place] = await self._delivered(event, subscriber)

        async with anyio.create_task_group() as group:
            for place, subscriber in enumerate(subscribers):
                group.start_soon(deliver, place, subscriber)
        return tuple(deliveries[place] for place in range(len(subscribers)))

    async def _delivered(self, event: Event, subscriber: Subscriber) -> Delivery:
        started = self._clock.monotonic_ns()
        result: AnyResult
        try:
            result = await subscriber.deliver(event)
        except anyio.get_cancelled_exc_class() as error:
            if _cancelled_from_outside():
                raise
            # It awaited something that was cancelled: its own failure, which stops neither siblings nor publisher.
            result = Failure(crashed(error, subscriber.handler, "handler"))
        duration = (self._clock.monotonic_ns() - started) / 1e9
        delivery = Delivery(subscriber.name, result, duration=duration)
        delivered, context = self._listeners.hooks.delivered, current.get()
        if delivered is not None and context is not None:
            delivered(DeliveredDetails(subscriber.handler, delivery, context))
        return delivery


def _details(
    event: type,
    audience: Audience,
    report: PublishReport | None,
    duration_ns: int,
    context: MessageContext,
) -> PublishDetails:
    failures = 0 if report is None else len(report.failures)
    count = len(audience.subscribers)
    return PublishDetails(event, audience.event_type, count, failures, duration_ns, context, report is None)


def _cancelled_from_outside() -> bool:
    if anyio.current_effective_deadline() == -math.inf:
        return True
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _nobody(event: type[Event]) -> Audience:
    return Audience(event.__qualname__, ())
