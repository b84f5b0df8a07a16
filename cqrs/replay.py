"""Replay: dead letters go to the subscriber that they are for, oldest first, and to nobody else."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final, final

import anyio
import attrs
from returns.result import Failure, Result, Success

from cqrs.clock import Clock
from cqrs.context import MessageContext, current
from cqrs.dead_letter import MemoryDeadLetterQueue
from cqrs.dead_letter_setting import chosen
from cqrs.deliveries import Delivery
from cqrs.event_bus import Listeners
from cqrs.event_json import decode
from cqrs.fan_out import first_of
from cqrs.faults import Fault
from cqrs.letters import (
    EVERY,
    LEASE_SECONDS,
    Claim,
    DeadLetter,
    DeadLetterQueue,
    ErrorRecord,
    LetterFilter,
    LetterNotFound,
    StoredEvent,
)
from cqrs.messages import Event, type_ids
from cqrs.parking import Parking, recorded
from cqrs.problems import Problem
from cqrs.subscribers import Subscriber
from cqrs.unanswered import Gate
from cqrs.unclaimed import unclaimed

logger: Final = logging.getLogger("cqrs")

# A third of a claim's time: two signs of life may fail before it lapses.
_SIGN_OF_LIFE: Final = LEASE_SECONDS / 3


@final
@attrs.frozen
class ReplayReport:
    """What became of the letters that were replayed.

    Attributes:
        delivered: ids of letters that the subscriber took; they are gone.
        parked: ids of letters that stay parked, each with the reason: the subscriber failed again, the letter could not
            be given to it, it waits behind another of its sequence, or another replay has claimed it.
        fault: why the replay ended early, or None: the app is closed, the queue failed, the one letter that was asked for
            by its id is not there.
    """

    delivered: tuple[str, ...] = ()
    parked: Mapping[str, str] = attrs.field(factory=dict[str, str])
    fault: Fault | None = None

    @property
    def ok(self) -> bool:
        """Whether every letter that was wanted has been delivered."""
        return self.fault is None and not self.parked


@final
class DeadLetters:
    """The dead letters of an app; ``app.dead_letters``.

    Args:
        listeners: who hears what.
        gate: why nothing can be delivered, if that is so.
        clock: when a replay failed.
        given: where they are kept if that was decided in code.
        env: replaces ``os.environ``.

    Attributes:
        queue: to list, show, count and discard letters.
        memory: the queue of an app that is given no other.
        parking: puts what a subscriber could not take into the queue.
    """

    def __init__(
        self,
        listeners: Listeners,
        gate: Gate,
        clock: Clock,
        given: DeadLetterQueue | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.memory: MemoryDeadLetterQueue = MemoryDeadLetterQueue(clock=clock)
        self.queue: DeadLetterQueue = self.memory
        self.parking: Parking = Parking(self.memory, clock, listeners.hooks)
        self._listeners = listeners
        self._events: tuple[type[Event], ...] = ()
        self._gate = gate
        self._clock = clock
        self._given = given
        self._env = env

    @property
    def overflows(self) -> int:
        """How many events could not be parked since the app was composed; each is said at ERROR on the logger ``cqrs``."""
        return self.parking.overflows

    def choose(self, brought: Iterable[DeadLetterQueue] = ()) -> Result[DeadLetterQueue, Problem]:
        """Choose where the app keeps its dead letters, as it would if it were started now.

        Args:
            brought: what plugins bring.

        Returns:
            What the app was given, else what ``CQRS_DEAD_LETTERS`` names, what a plugin brings, or memory.
        """
        env = os.environ if self._env is None else self._env
        return chosen(self._given, env, brought, self.memory)

    def serve(self, queue: DeadLetterQueue, events: Iterable[type[Event]]) -> None:
        """Serve an app that has been composed.

        Args:
            queue: where its dead letters are kept.
            events: the event classes that it knows; what derives from them is known too.
        """
        self.queue = self.parking.queue = queue
        self._events = tuple(events)

    async def replay(self, wanted: LetterFilter = EVERY, /) -> ReplayReport:
        """Deliver letters again, oldest first, each to the subscriber that it is for.

        What fails again stays at its place with a raised count, and so does what is behind it in its sequence. Several
        replays may run at once, in one process or in several: each letter is claimed by one of them.

        Args:
            wanted: which letters; an id that is not there is a ``LetterNotFound``.
        """
        delivered: list[str] = []
        parked: dict[str, str] = {}
        began, after = self._clock.time_ns(), 0
        while self._gate.fault is None:
            claimed = await self.queue.claim(after, wanted)
            if isinstance(claimed, Failure):
                return ReplayReport(tuple(delivered), parked, claimed.failure())
            claim = claimed.unwrap()
            if claim is None:
                return await self._ended(wanted, tuple(delivered), parked, began)
            after = claim.place
            settled = await self._settled(claim)
            if isinstance(settled, Failure):
                parked[claim.letter.id] = settled.failure()
            else:
                delivered.append(claim.letter.id)
        return ReplayReport(tuple(delivered), parked, self._gate.fault)

    async def _ended(
        self, wanted: LetterFilter, delivered: tuple[str, ...], parked: Mapping[str, str], began_ns: int
    ) -> ReplayReport:
        left = await unclaimed(self.queue, wanted, {*delivered, *parked}, began_ns)
        if isinstance(left, Failure):
            return ReplayReport(delivered, parked, left.failure())
        stay = {**parked, **left.unwrap()}
        unknown = wanted.id is not None and not (delivered or stay)
        return ReplayReport(delivered, stay, LetterNotFound(wanted.id or "") if unknown else None)

    async def _settled(self, claim: Claim) -> Result[None, str]:
        """Deliver one claimed letter; give it back if that fails or is given up."""
        back: DeadLetter | None = claim.letter
        try:
            target = self._target(claim.letter)
            if isinstance(target, Failure):
                back = attrs.evolve(claim.letter, error=ErrorRecord("not replayed", target.failure()))
                return Failure(target.failure())
            delivery = await self._delivered(claim, *target.unwrap())
            if delivery.ok:
                back = None
                await self._settle(target.unwrap()[1])
                settled = await self.queue.settle(claim)
                return settled.alt(lambda fault: f"it was delivered, but could not be removed: {fault}")
            error = recorded(delivery.result.failure())
            back = self._failed(claim.letter, error, delivery.attempts)
            return Failure(f"{error.kind}: {error.text}")
        finally:
            if back is not None:
                await self._release(claim, back)

    async def _settle(self, event: Event) -> None:
        settle = self._listeners.audience(type(event)).settle
        if settle is not None:
            await settle(event)

    def _target(self, letter: DeadLetter) -> Result[tuple[Subscriber, Event], str]:
        event = self._read(letter)
        if isinstance(event, Failure):
            return Failure(event.failure())
        audience = self._listeners.audience(type(event.unwrap()))
        for subscriber in audience.subscribers:
            if subscriber.name == letter.subscriber:
                return Success((subscriber, event.unwrap()))
        return Failure(f"no subscriber of {audience.event_type} is named {letter.subscriber!r}")

    def _read(self, letter: DeadLetter) -> Result[Event, str]:
        if not isinstance(letter.event, StoredEvent):
            return Success(letter.event)
        named = [event for event in self._known() if letter.type_id in type_ids(event)]
        if not named:
            return Failure(
                f"no event of this app is stored as {letter.type_id!r}; if it was renamed: @type_id(..., aliases=(...))"
            )
        # The newest: a class that is made with slots leaves the one that it was made of behind.
        event = named[-1]
        read: Result[Event, str] = decode(letter.event.payload, event)
        return read.alt(lambda reason: f"what is stored does not fit {event.__qualname__}: {reason}")

    def _known(self) -> Iterator[type[Event]]:
        pending, seen = list(self._events), set[type[Event]]()
        while pending:
            event = pending.pop(0)
            if event not in seen:
                seen.add(event)
                yield event
                pending += event.__subclasses__()

    async def _delivered(self, claim: Claim, subscriber: Subscriber, event: Event) -> Delivery:
        token = current.set(_context(claim.letter)) if self._listeners.watched else None
        deliveries: list[Delivery] = []
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._stay_alive, claim)
                deliveries.append(await subscriber.hear_again(event))
                group.cancel_scope.cancel()
            return deliveries[0]
        except BaseExceptionGroup as stopped:
            raise first_of(stopped) from None
        finally:
            if token is not None:
                with suppress(ValueError):  # given up with its event loop and closed in another context
                    current.reset(token)

    async def _stay_alive(self, claim: Claim) -> None:
        while True:
            await anyio.sleep(_SIGN_OF_LIFE)
            extended = await self.queue.extend(claim)
            if isinstance(extended, Failure):
                _say("its claim could not be extended", claim, extended.failure())

    def _failed(self, letter: DeadLetter, error: ErrorRecord, attempts: int) -> DeadLetter:
        return attrs.evolve(
            letter, error=error, attempts=letter.attempts + attempts, last_failed_ns=self._clock.time_ns()
        )

    async def _release(self, claim: Claim, letter: DeadLetter) -> None:
        # Given up half-way, the letter has to be free for the next replay at once.
        with anyio.CancelScope(shield=True):
            released = await self.queue.release(claim, letter)
            if isinstance(released, Failure):
                _say("it could not be given back", claim, released.failure())


def _say(what: str, claim: Claim, fault: Fault) -> None:
    logger.error(
        "Replay of dead letter %s for %s: %s: %s", claim.letter.id, claim.letter.subscriber, what, fault
    )


def _context(letter: DeadLetter) -> MessageContext:
    """Give an identity of its own within the trace of the publish."""
    context = MessageContext().begin()
    parts = (letter.traceparent or "").split("-")
    if len(parts) == 4:
        context.trace_number, context.parent_span_number = int(parts[1], 16), int(parts[2], 16)
    return context
