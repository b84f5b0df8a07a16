"""What an instrument's hooks hear: one frozen value each."""

from typing import final

import attrs

from cqrs.context import MessageContext
from cqrs.deliveries import Delivery
from cqrs.letters import DeadLetterQueue
from cqrs.middleware import HandlerInfo


@final
@attrs.frozen
class PublishDetails:
    """What an instrument hears of a publish, once every delivery has ended.

    Attributes:
        event: the event's class.
        event_type: its name as people read it.
        subscribers: how many deliveries there were.
        failures: how many of them failed.
        duration_ns: from the call to the end of the last delivery, in ns.
        context: the event's identity; each delivery's ``message_number`` equals its.
        cancelled: whether the publisher was cancelled before the last delivery ended.
    """

    event: type
    event_type: str
    subscribers: int
    failures: int
    duration_ns: int
    context: MessageContext
    cancelled: bool = False


@final
@attrs.frozen
class DeliveredDetails:
    """What an instrument hears of a delivery, once its last attempt has ended and what failed is parked.

    Attributes:
        handler: the subscriber.
        delivery: what it answered, after how many attempts, and whether the event waits among the dead letters.
        context: the event's identity.
    """

    handler: HandlerInfo
    delivery: Delivery
    context: MessageContext


@final
@attrs.frozen
class RetriedDetails:
    """What an instrument hears of an attempt that failed and is followed by another.

    Attributes:
        handler: whose attempt it was.
        attempt: its number, from 1.
        delay: how long is waited before the next, in seconds.
        error: what its ``Failure`` holds.
        context: the message's identity.
    """

    handler: HandlerInfo
    attempt: int
    delay: float
    error: object
    context: MessageContext


@final
@attrs.frozen
class DeadLetteredDetails:
    """What an instrument hears of an event that a subscriber could not take.

    Attributes:
        handler: the subscriber.
        letter_id: the dead letter's id.
        sequence: what it keeps its place in; None if it stands alone.
        attempts: how often it was tried; 0 if it waits behind an earlier one.
        error: what the last attempt failed with; None if it waits behind an earlier one.
        parked: whether it waits in the queue; False if that was full or failed, so that only the log line knows of it.
        context: the event's identity.
    """

    handler: HandlerInfo
    letter_id: str
    sequence: str | None
    attempts: int
    error: object
    parked: bool
    context: MessageContext


@final
@attrs.frozen
class RefreshedDetails:
    """What an instrument hears of a query that a cache asked anew on its own account.

    Attributes:
        handler: the query's handler.
        trigger: why, in one word of the cache: ``stale``, ``invalidated``, …
        outcome: what it came to: ``success``, ``rejected``, ``error`` or ``cancelled``.
        duration_ns: how long it took, in ns.
        waiters: how many callers got its answer.
    """

    handler: HandlerInfo
    trigger: str
    outcome: str
    duration_ns: int
    waiters: int = 0


@final
@attrs.frozen
class AppDetails:
    """What an instrument hears of an app that has started or is stopping.

    Attributes:
        handlers: every handler, then every subscriber.
        plugins: the names of the plugins that run.
        duration_ns: how long the start took, or how long the app has served, in ns.
        dead_letters: keeps what subscribers could not take; open until the plugins have stopped.
    """

    handlers: tuple[HandlerInfo, ...]
    plugins: tuple[str, ...]
    duration_ns: int
    dead_letters: DeadLetterQueue | None = attrs.field(default=None, eq=False, repr=False)
