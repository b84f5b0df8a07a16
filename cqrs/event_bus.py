"""The event bus: every subscriber hears every event, whatever becomes of the others."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, final

import attrs
from returns.result import Failure, Result

from cqrs.background import BackgroundQueue
from cqrs.clock import Clock
from cqrs.context import MessageContext, current
from cqrs.deliveries import PublishReport, PublishStrategy
from cqrs.fan_out import at_once, in_turn
from cqrs.faults import AppClosed, BusDisabled, QueueFull
from cqrs.hook_details import PublishDetails
from cqrs.hooks import Hooks
from cqrs.instrumentation import Instrument, overrides
from cqrs.messages import AnyResult, Event
from cqrs.subscribers import Publish, Subscriber, direct
from cqrs.unanswered import Gate

# Hooks that hear of events with the identity of each.
_WATCHING: Final = ("published", "delivered", "retried", "dead_lettered")

Settle = Callable[[Event], Coroutine[Any, Any, AnyResult]]


@final
@attrs.frozen(eq=False)
class Audience:
    """Who hears one event class.

    Attributes:
        event_type: the event's name as people read it.
        subscribers: in the order of their registration.
        strategy: how they hear it.
        settle: what plugins hang behind the last delivery of a publish, once each time; None if nothing.
    """

    event_type: str
    subscribers: tuple[Subscriber, ...]
    strategy: PublishStrategy = PublishStrategy.CONCURRENT
    settle: Settle | None = None

    async def hear(self, event: Event) -> PublishReport:
        """Deliver an event to all of them, as the strategy says.

        Args:
            event: the event.
        """
        if len(self.subscribers) < 2:
            return PublishReport([await only.hear(event) for only in self.subscribers])
        if self.strategy is PublishStrategy.CONCURRENT:
            return PublishReport(await at_once(event, self.subscribers))
        stop = self.strategy is PublishStrategy.STOP_ON_FAILURE
        heard, skipped = await in_turn(event, self.subscribers, stop=stop)
        return PublishReport(heard, skipped=skipped)

    async def hear_and_settle(self, event: Event) -> PublishReport:
        """Deliver an event, and let plugins do what they do once its deliveries have ended, however they did.

        Args:
            event: the event.
        """
        try:
            return await self.hear(event)
        finally:
            if self.settle is not None:
                await self.settle(event)

    def publish(self) -> Publish:
        """Give what publishes an event to them, without a frame that is not needed."""
        if self.settle is not None:
            return self.hear_and_settle
        if not self.subscribers:
            return _to_nobody
        only = self.subscribers[0]
        alone = len(self.subscribers) == 1 and only.bare is not None and only.sequence is None
        return direct(only, only.bare) if alone and only.bare is not None else self.hear


@final
class Listeners:
    """Who hears what, and who watches; the app fills it when it starts and empties it when it stops.

    Args:
        hooks: what instruments are told of publishes and deliveries.

    Attributes:
        audiences: by event class.
        publishes: what publishes an event, by event class; always the same object.
        find: gives the audience of an event class that is published for the first time.
        hooks: see above.
        watched: whether publishes and deliveries carry a context.
    """

    def __init__(self, hooks: Hooks | None = None) -> None:
        self.audiences: dict[type, Audience] = {}
        self.publishes: dict[type, Publish] = {}
        self.find: Callable[[type[Event]], Audience] = _nobody
        self.hooks: Hooks = Hooks() if hooks is None else hooks
        self.watched: bool = False

    def audience(self, event: type[Event]) -> Audience:
        """Give who hears an event class, looking it up at its first publish."""
        audience = self.audiences.get(event)
        if audience is None:
            audience = self.audiences[event] = self.find(event)
        return audience

    def fill(
        self, audiences: Mapping[type, Audience], find: Callable[[type[Event]], Audience], *, watched: bool
    ) -> None:
        """Take who hears what, in place of what was known before.

        Args:
            audiences: by event class.
            find: gives the audience of any other event class.
            watched: whether publishes and deliveries carry a context.
        """
        self.audiences, self.find, self.watched = dict(audiences), find, watched
        self.publishes.clear()

    def clear(self) -> None:
        """Forget everybody."""
        self.fill({}, _nobody, watched=False)


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
        clock: times the publishes.
    """

    __slots__ = ("_background", "_clock", "_closing", "_gate", "_listeners", "_publishes")

    def __init__(self, listeners: Listeners, gate: Gate, clock: Clock) -> None:
        self._listeners = listeners
        self._publishes = listeners.publishes
        self._gate = gate
        self._clock = clock
        self._closing = False
        self._background = BackgroundQueue(self.publish, self.abandon)

    def publish(self, event: Event, /) -> Coroutine[Any, Any, PublishReport]:
        """Deliver an event to every subscriber and wait for all of them; awaiting it raises nothing but cancellation.

        One subscriber is awaited directly, several run concurrently, or as ``Feature.publishes`` says; one that fails
        stops no other, unless that says so too. What a subscriber does not take is parked among its dead letters.

        Args:
            event: the event.

        Returns:
            One delivery per subscriber, each with what the subscriber answered.
        """
        try:
            publish = self._publishes[type(event)]
        except KeyError:
            return self._publish_first(event)
        return publish(event)

    async def publish_later(self, event: Event, /) -> Result[None, QueueFull | AppClosed | BusDisabled]:
        """Publish an event in the background, after those that were given before.

        The queue is this process's own: what is in it is published before the app has closed, and ends with a process
        that is killed. An event that must not be lost is published within the unit of work that it belongs to.

        Args:
            event: the event.

        Returns:
            ``Success`` once the event is in the queue; ``QueueFull``, if there is no place, and nothing was taken. On
            trio there is never any: what nobody waits for needs a task that outlives its caller.
        """
        fault = AppClosed("event") if self._closing else self._gate.fault
        if isinstance(fault, AppClosed | BusDisabled):
            return Failure(fault)
        return self._background.put(event)

    @property
    def refused(self) -> int:
        """How many events there was no place for: ``publish_later`` said so, ``emit.later`` published them at once."""
        return self._background.refused

    async def drain(self) -> None:
        """Wait until everything that ``publish_later`` took has been published, and what that has published later.

        Raises:
            RuntimeError: in a subscriber of an event that was published later, which would wait for itself.
        """
        await self._background.drain()

    async def close(self) -> None:
        """Take no more events for later, and publish those that were taken; called when the app stops."""
        self._closing = True
        try:
            await self._background.close()
        finally:
            self._closing = False

    async def _publish_first(self, event: Event) -> PublishReport:
        if self._gate.fault is not None:
            return PublishReport((), self._gate.fault)
        audience = self._listeners.audience(type(event))
        publish = self._watched(audience) if self._listeners.watched else audience.publish()
        self._publishes[type(event)] = publish
        return await publish(event)

    def _watched(self, audience: Audience) -> Publish:
        hear = audience.hear if audience.settle is None else audience.hear_and_settle

        async def publish(event: Event) -> PublishReport:
            parent = current.get()
            context = MessageContext().begin() if parent is None else MessageContext().follow(parent)
            started = self._clock.monotonic_ns()
            token = current.set(context)
            report: PublishReport | None = None
            try:
                report = await hear(event)
                return report
            finally:
                with suppress(ValueError):  # given up with its event loop and closed in another context
                    current.reset(token)
                published = self._listeners.hooks.published
                if published is not None:
                    duration = self._clock.monotonic_ns() - started
                    published(_details(type(event), audience, report, duration, context))

        return publish

    async def abandon(self, event: Event, /) -> None:
        """Park an event among the dead letters of everybody who would have heard it.

        Args:
            event: an event that will not be published.
        """
        for subscriber in self._listeners.audience(type(event)).subscribers:
            await subscriber.abandon(event)


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


def _nobody(event: type[Event]) -> Audience:
    return Audience(event.__qualname__, ())


async def _to_nobody(event: Event) -> PublishReport:
    del event
    return PublishReport()
