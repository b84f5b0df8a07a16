"""One computation for several processes: who holds the lease computes, the others wait for the row."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from returns.result import Success

from cqrs_swr.flights import Flight
from cqrs_swr.freshness import Phase, Validity, phase_of
from cqrs_swr.leases import Lease, Pauses
from cqrs_swr.memory import Entry
from cqrs_swr.state import State
from cqrs_swr.values import NotStorable


@asynccontextmanager
async def leased(state: State, flight: Flight) -> AsyncGenerator[bool]:
    """Hold the lease of a computation, or end the flight with what another process has computed.

    Args:
        state: the cache.
        flight: the flight.

    Yields:
        Whether the flight has ended: then there is nothing to compute.
    """
    address = flight.address
    lease = Lease(state.store, address.cached.keys.shared_of(address.key))
    is_mine = False
    with anyio.move_on_after(address.cached.policy.hard_timeout):
        pauses = Pauses()
        while not (is_mine := await lease.take()):
            if await relayed(state, flight):
                break
            await pauses.wait()
    if flight.done.is_set():
        yield True
        return
    async with anyio.create_task_group() as keeping:
        if is_mine:
            keeping.start_soon(lease.keep)
        try:
            yield is_mine and await relayed(state, flight)
        finally:
            keeping.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await lease.give_back()


async def relayed(state: State, flight: Flight) -> bool:
    """End a flight with what another process has computed meanwhile, if it has.

    Args:
        state: the cache.
        flight: the flight.
    """
    address = flight.address
    cached = address.cached
    shared_key = cached.keys.shared_of(address.key)
    newer = await state.rows.load(cached, address.query, address.owner, shared_key)
    if newer is None:
        return False
    validity = await state.epochs.validity(newer.seen)
    old = state.memory.get(address.key)
    if not _is_wanted(state, flight, newer, old, validity) or state.flights.get(address.key) is not flight:
        return False
    try:
        result = newer.result or Success(cached.codec.decode(newer.content or b"")) if cached.codec else None
    except NotStorable:
        return False
    if result is None or not state.memory.put(address.key, newer):
        return False
    del state.flights[address.key]
    flight.land(result, newer.content)
    return True


def _is_wanted(state: State, flight: Flight, newer: Entry, old: Entry | None, validity: Validity) -> bool:
    if old is not None and newer.started <= old.started:
        return False
    if flight.trigger == "forced" and newer.started < flight.registered:
        return False
    phase = phase_of(newer.stamps, flight.address.cached.windows, state.now(), validity)
    return phase is Phase.FRESH
