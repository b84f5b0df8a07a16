"""One delivery: a subscriber's place in a sequence, its attempts, and the dead letter if they fail."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any, Final, final

import anyio
import attrs
from returns.result import Failure, Result, Success

from cqrs.attempt import Retrying, attempts_taken
from cqrs.clock import Clock
from cqrs.context import current_context
from cqrs.deliveries import Delivery, Heard, PublishReport, made
from cqrs.dispatch import checked, crashed
from cqrs.faults import AppClosed, Fault, ParkedBehind
from cqrs.hook_details import DeliveredDetails
from cqrs.hooks import Hooks
from cqrs.messages import AnyResult, Event
from cqrs.middleware import HandlerInfo
from cqrs.parking import Failed, Parking
from cqrs.registry import Call

Publish = Callable[[Event], Coroutine[Any, Any, PublishReport]]

_blank: Final = object.__new__


@final
@attrs.frozen(eq=False)
class Delivering:
    """What every delivery of an app needs.

    Attributes:
        clock: times it, and is slept through between attempts.
        hooks: what instruments are told.
        parking: takes what failed.
    """

    clock: Clock
    hooks: Hooks
    parking: Parking


@final
@attrs.frozen(eq=False)
class Subscriber:
    """A subscriber's pipeline for one event class, and what surrounds it.

    Attributes:
        handler: what is known of it.
        deliver: the pipeline; it never raises but for cancellation.
        delivering: what every delivery needs.
        sequence: gives what an event has to keep its place in, or None.
        bare: the handler alone, where its pipeline is no more than the guard around it: then it is tried again here.
    """

    handler: HandlerInfo
    deliver: Call
    delivering: Delivering
    sequence: Callable[..., object] | None = None
    bare: Call | None = None

    @property
    def name(self) -> str:
        """Its stable name."""
        return self.handler.subscriber or self.handler.handler

    async def hear(self, event: Event) -> Delivery | Heard:
        """Deliver an event; never raises but for cancellation.

        Args:
            event: the event.
        """
        began = self.delivering.clock.monotonic_ns()
        if self.sequence is None:
            heard = await self.answered(event, await self._attempt(event), began)
        else:
            heard = await self._in_sequence(event, self.sequence, began)
        if self.delivering.hooks.delivered is None:
            return heard
        return self._told(heard if isinstance(heard, Delivery) else made(heard))

    async def answered(
        self, event: Event, result: AnyResult, began_ns: int, sequence: str | None = None
    ) -> Delivery | Heard:
        """Go on after the first attempt: try again, and park what still fails.

        Args:
            event: the event.
            result: what the first attempt answered.
            began_ns: when it began.
            sequence: what the event keeps its place in, or None.
        """
        result, attempts = await self._tried(event, result, began_ns)
        if not isinstance(result, Failure):
            ended = self.delivering.clock.monotonic_ns()
            if attempts == 1:
                return self.name, result, began_ns, ended
            return Delivery(self.name, result, attempts, (ended - began_ns) / 1e9)
        failed = Failed(event, self.handler, sequence, result.failure(), attempts)
        parked = await self.delivering.parking.park(failed)
        return Delivery(self.name, result, attempts, self._seconds(began_ns), parked)

    async def hear_again(self, event: Event) -> Delivery:
        """Deliver an event that is parked already: whatever its place, and without parking it once more.

        Args:
            event: the event.
        """
        began = self.delivering.clock.monotonic_ns()
        result, attempts = await self._tried(event, await self._attempt(event), began)
        parked = isinstance(result, Failure)
        return self._told(Delivery(self.name, result, attempts, self._seconds(began), parked))

    async def abandon(self, event: Event) -> None:
        """Park an event that nobody will deliver any more.

        Args:
            event: the event.
        """
        key = _key(self.sequence, event)
        sequence = key.value_or(None)
        await self.delivering.parking.park(Failed(event, self.handler, sequence, AppClosed("event"), 0))

    def raised(self, error: BaseException) -> AnyResult:
        """Give what was raised as the subscriber's own failure, unless it is meant for the publisher.

        Args:
            error: what was raised.

        Raises:
            BaseException: the error, if it is a cancellation from outside, ``KeyboardInterrupt`` or their like.
        """
        awaited = isinstance(error, anyio.get_cancelled_exc_class()) and not _cancelled_from_outside()
        if not isinstance(error, Exception) and not awaited:
            raise error
        # It awaited something that was cancelled: its own failure, which stops neither siblings nor publisher.
        return Failure(crashed(error, self.handler, "handler"))

    async def _in_sequence(
        self, event: Event, sequence: Callable[..., object], began_ns: int
    ) -> Delivery | Heard:
        key = _key(sequence, event)
        if isinstance(
            key, Failure
        ):  # the user's function raised: a failed delivery, which cannot keep a place
            fault = crashed(key.failure(), self.handler, "handler")
            return await self.answered(event, Failure(fault), began_ns)
        text = key.unwrap()
        before = None if text is None else await self._before(event, text)
        if before is not None:
            waits = isinstance(before, ParkedBehind)
            return Delivery(self.name, Failure(before), 0, self._seconds(began_ns), waits)
        return await self.answered(event, await self._attempt(event), began_ns, text)

    async def _before(self, event: Event, sequence: str) -> Fault | None:
        return await self.delivering.parking.park_behind(event, self.handler, sequence)

    def _told(self, delivery: Delivery) -> Delivery:
        context, delivered = current_context(), self.delivering.hooks.delivered
        if delivered is not None and context is not None:
            delivered(DeliveredDetails(self.handler, delivery, context))
        return delivery

    async def _tried(self, event: Event, result: AnyResult, began_ns: int) -> tuple[AnyResult, int]:
        attempts = attempts_taken()
        while (
            self.bare is not None
            and isinstance(result, Failure)
            and await self._again(result, attempts, began_ns)
        ):
            attempts += 1
            result = await self._attempt(event)
        return result, attempts

    async def _attempt(self, event: Event) -> AnyResult:
        try:
            return await self.deliver(event)
        except BaseException as error:
            return self.raised(error)

    async def _again(self, result: AnyResult, attempt: int, began_ns: int) -> bool:
        policy, delivering = self.handler.retry, self.delivering
        retrying = (
            None
            if policy is None
            else Retrying(self.deliver, self.handler, policy, delivering.clock, delivering.hooks)
        )
        return retrying is not None and await retrying.again(result, attempt, began_ns, current_context())

    def _seconds(self, began_ns: int) -> float:
        return (self.delivering.clock.monotonic_ns() - began_ns) / 1e9


def direct(subscriber: Subscriber, bare: Call) -> Publish:
    """Make the publish of an event with one subscriber that nothing surrounds: guard and report in one frame.

    A frame and two objects more would make it half as dear again as a command. What is not a plain success goes the
    usual way.

    Args:
        subscriber: the subscriber.
        bare: its handler.
    """
    now, name, handler = subscriber.delivering.clock.monotonic_ns, subscriber.name, subscriber.handler

    async def publish(event: Event) -> PublishReport:
        began = now()
        try:
            answer: AnyResult = await bare(event)
            kind: object = type(answer)
            if kind is Success:
                returned: Any = answer
                inner: object = returned._inner_value  # noqa: SLF001 - as in cqrs.dispatch
                held: object = type(inner)
                if held is not Success and held is not Failure:
                    report: PublishReport = _blank(PublishReport)
                    report._subscriber, report._result = name, answer  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # its __init__ costs a frame
                    report._began_ns, report._ended_ns = began, now()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # as above
                    return report
            result = checked(answer, handler)
        except BaseException as error:
            result = subscriber.raised(error)
        return PublishReport((await subscriber.answered(event, result, began),))

    return publish


def _key(sequence: Callable[..., object] | None, event: Event) -> Result[str | None, Exception]:
    try:
        key = None if sequence is None else sequence(event)
        return Success(None if key is None else str(key))
    except Exception as error:  # the user's function may raise anything
        return Failure(error)


def _cancelled_from_outside() -> bool:
    if anyio.current_effective_deadline() == -math.inf:
        return True
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
