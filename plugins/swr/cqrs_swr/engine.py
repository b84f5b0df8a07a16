"""Look-ups: what the cache does between a query and its handler."""

import math
import threading
from typing import Final, final

import anyio
import attrs
from returns.result import Failure, Success

from cqrs import Refused
from cqrs.caching import ONLY_IF_CACHED, AnyQuery, AnyResult, CacheControl, NotCached
from cqrs.context import current
from cqrs_swr.cached_query import CachedQuery
from cqrs_swr.encoding import Unkeyable
from cqrs_swr.flights import Address, Flight, within
from cqrs_swr.freshness import (
    WAIT,
    Decision,
    Phase,
    Status,
    Validity,
    controlled,
    decide,
    phase_of,
    quiet_until,
)
from cqrs_swr.hits import note
from cqrs_swr.keys import owner_of
from cqrs_swr.launch import Launcher
from cqrs_swr.memory import Entry
from cqrs_swr.state import State
from cqrs_swr.values import NotStorable

_NO_TENANT: Final = (
    "Answers of %s are not cached: its scope is %s, and the dispatch does not say whose it is. Say so with "
    "cqrs_context(tenant=...) around it, or share them on purpose with caches(..., scope=SHARED)."
)
_NO_KEY: Final = "Answers of %s are not cached: no key can be made of %s."


@final
class Engine:
    """Answers queries from the cache, and sees that the handler is asked when it has to be.

    Args:
        state: what the cache consists of.
        launcher: starts computations.
    """

    def __init__(self, state: State, launcher: Launcher) -> None:
        self._state = state
        self._launcher = launcher

    async def answer(
        self, cached: CachedQuery, query: AnyQuery, control: CacheControl | None, *, looked: bool = False
    ) -> AnyResult:
        """Answer a query.

        Args:
            cached: how it is cached.
            query: the query.
            control: what its dispatch asks of the cache.
            looked: whether it is known that the shared store has nothing.
        """
        if not self._launcher.is_open or (control is not None and control.kind == "bypass"):
            return await self._bypass(cached, query)
        address = self.address(cached, query)
        if address is None or address.key in within.get():
            return await self._bypass(cached, query)
        if threading.get_ident() != self._launcher.thread:
            return await self._elsewhere(address)
        state, now = self._state, self._state.now()
        if state.epochs.is_due(now):
            await state.epochs.sync(now)
        entry, decision = await self.look(address, control)
        if entry is not None and decision.serve is not None and not decision.start:
            result = self._served(cached, entry, decision.serve)
            if result is not None:
                return result
        is_forced = control is not None and control.kind == "refresh"
        if not looked and not is_forced and await self._renewed(address, entry):
            entry, decision = await self.look(address, control)
        return await self._further(address, control, entry, decision)

    def address(self, cached: CachedQuery, query: AnyQuery) -> Address | None:
        """Say which entry a look-up is about; None if there can be none.

        Args:
            cached: how the query is cached.
            query: the query.
        """
        context = current.get()
        tenant, principal = (None, None) if context is None else (context.tenant, context.principal)
        owner = owner_of(cached.policy.scope, tenant, principal)
        name = cached.info.message_type
        if owner is None:
            self._state.notices.warn(f"owner {name}", _NO_TENANT, name, cached.policy.scope, once=True)
            return None
        try:
            return Address(cached, query, owner, cached.keys.local(query, owner))
        except Unkeyable as error:
            self._state.counters.unkeyable += 1
            self._state.notices.warn(f"key {name}", _NO_KEY, name, error)
            return None

    async def look(self, address: Address, control: CacheControl | None) -> tuple[Entry | None, Decision]:
        """Say what is there and what is to be done with it.

        Args:
            address: which entry.
            control: what the dispatch asks for.
        """
        state = self._state
        while True:
            entry = state.memory.get(address.key)
            if entry is None:
                return None, WAIT if control is None else controlled(WAIT, None, 0.0, control)
            validity = Validity.VALID
            if entry.seen.version != state.epochs.version:
                validity = await state.epochs.validity(entry.seen)
                if state.memory.get(address.key) is not entry:
                    continue  # a newer one has come meanwhile
            now = state.now()
            decision = decide(entry.stamps, address.cached.windows, now, validity)
            if validity is Validity.VALID:
                entry = self._confirmed(address, entry)
            return entry, decision if control is None else controlled(decision, entry.stamps, now, control)

    def _confirmed(self, address: Address, entry: Entry) -> Entry:
        """Note what was found out about an entry, so that the next look-ups need not."""
        version, quiet = self._state.epochs.version, quiet_until(entry.stamps, address.cached.windows)
        if entry.seen.version == version and entry.quiet == quiet:
            return entry
        confirmed = attrs.evolve(entry, seen=entry.seen.under(version), quiet=quiet)
        self._state.memory.replace(address.key, entry, confirmed)
        return confirmed

    async def _further(
        self, address: Address, control: CacheControl | None, entry: Entry | None, decision: Decision
    ) -> AnyResult:
        if entry is not None and decision.serve is not None:
            if decision.start:
                await self._launcher.refresh(address, "eager" if decision.serve == "fresh" else "stale")
            result = self._served(address.cached, entry, decision.serve)
            if result is not None:
                return result
        if decision.refuse:
            self._count("miss")
            return Failure(Refused(NotCached()))
        is_forced = control is not None and control.kind == "refresh"
        return await self._waited(address, decision, forced=is_forced)

    async def _renewed(self, address: Address, entry: Entry | None) -> bool:
        """Take over what another process has computed since, unless a computation is under way here."""
        return await self._launcher.joinable(address) is None and await self._adopted(address, entry)

    async def _adopted(self, address: Address, entry: Entry | None) -> bool:
        """Take over what another process has computed since, if there is something."""
        state, cached = self._state, address.cached
        if not state.is_shared or not cached.policy.l2:
            return False
        shared_key = cached.keys.shared_of(address.key)
        newer = await state.rows.load(cached, address.query, address.owner, shared_key)
        if newer is None or (entry is not None and newer.started <= entry.started):
            return False
        validity = await state.epochs.validity(newer.seen)
        if validity is Validity.REMOVED or state.memory.get(address.key) is not entry:
            return False
        return state.memory.put(address.key, newer)

    async def _waited(self, address: Address, decision: Decision, *, forced: bool) -> AnyResult:
        flight = None if forced else await self._launcher.joinable(address)
        status: Status = "miss" if flight is None else "collapsed"
        if flight is None:
            flight = self._launcher.start(address, "forced" if forced else "miss")
        if flight is None:  # it was closed a moment ago
            return await self._bypass(address.cached, address.query)
        flight.waiters += 1
        flight.joined += 1
        try:
            await _until(flight, decision.timeout)
            if decision.fallback and (flight.is_transient or not flight.done.is_set()):
                result = await self._fallen_back(address)
                if result is not None:
                    return result
            await flight.done.wait()
        finally:
            flight.waiters -= 1
        result = flight.take()
        if result is None:
            return await self._bypass(address.cached, address.query)
        self._count(status)
        note(status, 0.0)
        return result

    async def peek(self, address: Address) -> AnyResult | None:
        """Give what a look-up would be served without computing, and count nothing.

        Args:
            address: which entry.
        """
        entry, decision = await self.look(address, ONLY_IF_CACHED)
        if decision.serve is None and await self._adopted(address, entry):
            entry, decision = await self.look(address, ONLY_IF_CACHED)
        return None if entry is None or decision.serve is None else self._read(address.cached, entry)

    async def _fallen_back(self, address: Address) -> AnyResult | None:
        """Serve what is there although its time is over, if its error window is not."""
        entry, _ = await self.look(address, None)
        if entry is None:
            return None
        validity = await self._state.epochs.validity(entry.seen)
        phase = phase_of(entry.stamps, address.cached.windows, self._state.now(), validity)
        if phase is Phase.ABSENT or entry.stamps.negative:
            return None
        return self._served(address.cached, entry, "fresh" if phase is Phase.FRESH else "stale_error")

    def _served(self, cached: CachedQuery, entry: Entry, status: Status) -> AnyResult | None:
        """Hand an entry out; None if it turns out that it cannot be read."""
        result = entry.result if entry.result is not None else self._read(cached, entry)
        if result is not None:
            self._count(status)
            note(status, entry.stamps.age(self._state.now()))
        return result

    def _read(self, cached: CachedQuery, entry: Entry) -> AnyResult | None:
        if entry.result is not None or entry.content is None or cached.codec is None:
            return entry.result
        try:
            return Success(cached.codec.decode(entry.content))
        except NotStorable:
            self._state.counters.l2_errors["integrity"] += 1
            return None

    async def _elsewhere(self, address: Address) -> AnyResult:
        """Answer on another event loop than the one that owns computations: what is held, else the handler."""
        entry = self._state.memory.get(address.key)
        if entry is not None and entry.seen.version == self._state.epochs.version:
            decision = decide(entry.stamps, address.cached.windows, self._state.now())
            result = None if decision.serve is None else self._served(address.cached, entry, decision.serve)
            if result is not None:
                return result
        self._count("miss")
        self._state.counters.executions += 1
        return await address.cached.next(address.query)

    async def _bypass(self, cached: CachedQuery, query: AnyQuery) -> AnyResult:
        self._count("bypass")
        self._state.counters.executions += 1
        note("bypass", None)
        return await cached.next(query)

    def _count(self, status: Status) -> None:
        self._state.counters.lookups[status] += 1


async def _until(flight: Flight, seconds: float) -> None:
    if seconds == math.inf:
        await flight.done.wait()
        return
    with anyio.move_on_after(seconds):
        await flight.done.wait()
