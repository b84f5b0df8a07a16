"""Doubles: a clock that stands still until it is told to go on, and an instrument that writes everything down."""

import heapq
from itertools import count
from typing import Final, TypeVar, final

import anyio
import anyio.lowlevel
import attrs
from returns.result import Result

from cqrs.context import MessageContext, current_context
from cqrs.faults import Fault
from cqrs.instrumentation import (
    AppDetails,
    DeadLetteredDetails,
    DeliveredDetails,
    Finished,
    Instrument,
    Outcome,
    PublishDetails,
    RefreshedDetails,
    RetriedDetails,
    outcome_of,
)
from cqrs.messages import AnyResult, Message
from cqrs.middleware import HandlerInfo, Next

Value = TypeVar("Value")
Error = TypeVar("Error")

NANOSECONDS: Final = 1_000_000_000
# The second in which FakeClock begins: 14 November 2023, 22:13:20 UTC.
START: Final = 1_700_000_000


@final
class FakeClock:
    """A clock for ``for_root(clock=…)``: time passes when ``advance`` is called, and who sleeps wakes in order.

    Args:
        start: the wall-clock time at which it begins, in seconds since the Unix epoch; its monotonic time begins at 0.
    """

    def __init__(self, start: int = START) -> None:
        self._start_ns = start * NANOSECONDS
        self._now_ns = 0
        self._numbers = count()
        self._sleepers: list[tuple[int, int, anyio.Event]] = []

    def time_ns(self) -> int:
        """Wall-clock time since the Unix epoch, in ns."""
        return self._start_ns + self._now_ns

    def monotonic_ns(self) -> int:
        """Time since this clock began, in ns."""
        return self._now_ns

    async def sleep(self, seconds: float, /) -> None:
        """Return when the clock has been advanced by a time, in seconds; 0 or less lets others run once."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        woken = anyio.Event()
        sleeper = (self._now_ns + round(seconds * NANOSECONDS), next(self._numbers), woken)
        heapq.heappush(self._sleepers, sleeper)
        try:
            await woken.wait()
        finally:
            if not woken.is_set():
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    @property
    def sleeping(self) -> tuple[float, ...]:
        """How long each that sleeps will do so yet, in seconds, the first to wake first."""
        return tuple(
            (wakes_ns - self._now_ns) / NANOSECONDS for wakes_ns, _, _ in sorted(self._sleepers, key=_wakes)
        )

    def advance(self, seconds: float) -> None:
        """Let time pass; who wakes in it runs when the caller next awaits.

        Args:
            seconds: how much; not negative.

        Raises:
            ValueError: if it is negative: a clock that is monotonic never goes back.
        """
        if seconds < 0:
            raise ValueError(f"A clock cannot go back by {-seconds} s.")
        until_ns = self._now_ns + round(seconds * NANOSECONDS)
        while self._sleepers and self._sleepers[0][0] <= until_ns:
            self._now_ns, _, woken = heapq.heappop(self._sleepers)
            woken.set()
        self._now_ns = until_ns


def _wakes(sleeper: tuple[int, int, anyio.Event]) -> tuple[int, int]:
    return sleeper[0], sleeper[1]


@final
@attrs.frozen
class Observation:
    """One dispatch or delivery that has ended.

    Attributes:
        handler: what is known of its handler.
        context: its identity.
        began_ns: when it began, on the machine's monotonic clock, in ns.
        ended_ns: when it ended, in ns.
        answer: what it answered, or what ended it instead.
    """

    handler: HandlerInfo
    context: MessageContext
    began_ns: int
    ended_ns: int
    answer: AnyResult | BaseException

    @property
    def outcome(self) -> Outcome:
        """What it came to, in one word."""
        return outcome_of(self.answer)


@final
class RecordingInstrument(Instrument):
    """Writes down everything that an instrument is told, each kind in a list.

    Attributes:
        observations: each dispatch and delivery that has ended.
        events: each event that reached a subscriber, once, in the order of their publishing.
        publishes: each publish.
        deliveries: each delivery with its attempts.
        retries: each attempt that was begun again.
        dead_letters: each delivery that was given up.
        refreshes: each answer that a cache made anew.
        starts: each start of an app.
        stops: each stop of an app.
    """

    name = "recording"

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.events: list[object] = []
        self.publishes: list[PublishDetails] = []
        self.deliveries: list[DeliveredDetails] = []
        self.retries: list[RetriedDetails] = []
        self.dead_letters: list[DeadLetteredDetails] = []
        self.refreshes: list[RefreshedDetails] = []
        self.starts: list[AppDetails] = []
        self.stops: list[AppDetails] = []
        self._events_seen: set[int] = set()

    def finished(self, handler: HandlerInfo, /) -> Finished:
        """Write down each dispatch of a handler."""

        def note(
            context: MessageContext, began_ns: int, ended_ns: int, answer: AnyResult | BaseException, /
        ) -> None:
            self.observations.append(Observation(handler, context, began_ns, ended_ns, answer))

        return note

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Write down each event at its first delivery."""
        if handler.kind != "event":
            return next

        async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
            self._hear(message)
            return await next(message)

        return call

    def published(self, details: PublishDetails, /) -> None:
        """Write it down."""
        self.publishes.append(details)

    def delivered(self, details: DeliveredDetails, /) -> None:
        """Write it down."""
        self.deliveries.append(details)

    def retried(self, details: RetriedDetails, /) -> None:
        """Write it down."""
        self.retries.append(details)

    def dead_lettered(self, details: DeadLetteredDetails, /) -> None:
        """Write it down."""
        self.dead_letters.append(details)

    def refreshed(self, details: RefreshedDetails, /) -> None:
        """Write it down."""
        self.refreshes.append(details)

    def app_started(self, details: AppDetails, /) -> None:
        """Write it down."""
        self.starts.append(details)

    def app_stopped(self, details: AppDetails, /) -> None:
        """Write it down."""
        self.stops.append(details)

    def _hear(self, event: object) -> None:
        context = current_context()
        number = 0 if context is None else context.message_number
        if number not in self._events_seen:
            self._events_seen.add(number)
            self.events.append(event)
