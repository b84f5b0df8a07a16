"""Starting computations: owned by the cache, each with a fresh context, a time limit and, between processes, a lease."""

import threading
from collections.abc import Callable
from contextvars import Context
from typing import Final, final

import anyio
from anyio.abc import TaskGroup
from returns.result import Failure

from cqrs import MessageContext, TimedOut
from cqrs.caching import AnyResult
from cqrs.context import current
from cqrs.instrumentation import RefreshedDetails, outcome_of
from cqrs_swr.commits import Ending, commit
from cqrs_swr.encoding import Unkeyable
from cqrs_swr.flights import Address, Flight, Trigger, within
from cqrs_swr.freshness import Validity
from cqrs_swr.relay import leased
from cqrs_swr.state import State

MOST_BACKGROUND: Final = 8
CLOSING_SECONDS: Final = 0.5

Tell = Callable[[RefreshedDetails], None]


@final
class Launcher:
    """Runs the handlers of cached queries.

    Args:
        state: what the cache consists of.
        tell: hears of each computation that the cache has started on its own account.

    Attributes:
        is_open: whether look-ups are answered.
        thread: the thread whose event loop runs the computations.
    """

    def __init__(self, state: State, tell: Tell) -> None:
        self.is_open = False
        self.thread = 0
        self._state = state
        self._tell = tell
        self._group: TaskGroup | None = None
        self._idle = anyio.Event()

    def open(self, group: TaskGroup) -> None:
        """Begin to answer.

        Args:
            group: owns the computations.
        """
        self._group, self.thread, self.is_open = group, threading.get_ident(), True

    async def close(self) -> None:
        """Stop to answer; what runs gets half a second, then whoever still waits for it asks the handler."""
        self.is_open = False
        with anyio.move_on_after(CLOSING_SECONDS):
            while self._state.running > 0:
                self._idle = anyio.Event()
                await self._idle.wait()
        if self._group is not None:
            self._group.cancel_scope.cancel()
            self._group = None

    def abandon(self) -> None:
        """Stop to answer without ending anything: what runs does so in another process."""
        self.is_open, self.thread, self._group = False, 0, None

    async def joinable(self, address: Address) -> Flight | None:
        """Give the computation that whoever asks now may wait for: one that began after every invalidation so far.

        Args:
            address: of which entry.
        """
        state = self._state
        while (flight := state.flights.get(address.key)) is not None:
            if flight.seen is None or flight.seen.version == state.epochs.version:
                return flight
            validity = await state.epochs.validity(flight.seen)
            if state.flights.get(address.key) is not flight:
                continue
            if validity is not Validity.VALID:
                return None
            flight.seen = flight.seen.under(state.epochs.version)
        return None

    def start(self, address: Address, trigger: Trigger, *, background: bool = False) -> Flight | None:
        """Start a computation, which is the one to wait for from now on; None if the cache is closed.

        Args:
            address: of which entry.
            trigger: why.
            background: whether nobody waits for it.
        """
        state = self._state
        if self._group is None or not self.is_open:
            return None
        flight = Flight(address, trigger, state.now(), is_background=background)
        state.flights[address.key] = flight
        state.running += 1
        state.background += background
        # Nothing of the caller's context but whose the answer is: it may end long before the computation does.
        context = Context()
        context.run(within.set, within.get() | {address.key})
        context.run(current.set, _reduced(current.get()))
        context.run(self._group.start_soon, self._run, flight)
        return flight

    async def refresh(self, address: Address, trigger: Trigger) -> bool:
        """Start a computation that nobody waits for, if none is under way and there is room for one.

        Args:
            address: of which entry.
            trigger: why.
        """
        if threading.get_ident() != self.thread or await self.joinable(address) is not None:
            return False
        if self._state.background >= MOST_BACKGROUND:
            self._state.counters.skipped += 1
            return False
        return self.start(address, trigger, background=True) is not None

    async def _run(self, flight: Flight) -> None:
        state, began = self._state, self._state.clock.monotonic_ns()
        ending: Ending = "given_up"
        try:
            with flight.scope:
                ending = await self._fly(flight)
        except anyio.get_cancelled_exc_class():
            if self._group is None:
                raise
            # The handler awaited something that was cancelled: whoever waits asks it in a task of its own.
        except Unkeyable as error:
            name = flight.address.cached.info.message_type
            state.counters.unkeyable += 1
            state.notices.warn(
                f"key {name}", "Answers of %s are not cached: no key can be made of %s.", name, error
            )
        finally:
            self._ended(flight, ending, began)

    def _ended(self, flight: Flight, ending: Ending, began: int) -> None:
        state, key = self._state, flight.address.key
        if state.flights.get(key) is flight:
            del state.flights[key]
        flight.done.set()
        state.running -= 1
        state.background -= flight.is_background
        if state.running == 0:
            self._idle.set()
        state.counters.refreshes[flight.trigger, ending] += 1
        if flight.is_background:
            outcome = "cancelled" if flight.result is None else outcome_of(flight.result)
            took = state.clock.monotonic_ns() - began
            self._tell(
                RefreshedDetails(flight.address.cached.info, flight.trigger, outcome, took, flight.joined)
            )

    async def _fly(self, flight: Flight) -> Ending:
        if not self._state.is_leasing(flight.address.cached):
            return await self._computed(flight)
        async with leased(self._state, flight) as is_done:
            return "adopted" if is_done else await self._computed(flight)

    async def _computed(self, flight: Flight) -> Ending:
        state, address = self._state, flight.address
        shared_key = address.cached.keys.shared_of(address.key)
        scopes = address.cached.scopes(address.query, address.owner, shared_key)
        seen = flight.seen = await state.epochs.capture(scopes)
        flight.started = state.now()
        state.counters.executions += 1
        return await commit(state, flight, seen, await _limited(address))


async def _limited(address: Address) -> AnyResult:
    seconds = address.cached.policy.hard_timeout
    with anyio.move_on_after(seconds):
        return await address.cached.next(address.query)
    return Failure(TimedOut(address.cached.info.handler, seconds))


def _reduced(context: MessageContext | None) -> MessageContext:
    return MessageContext().begin() if context is None else MessageContext().follow(context)
