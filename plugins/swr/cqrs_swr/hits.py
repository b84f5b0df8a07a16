"""Hits: the short way of a look-up, for what is answered at once, since nothing has to be decided or started.

It serves what the long one would: an entry of which has been noted until when it is fresh and nothing else is to be
done, under epochs of which nothing has changed since; held, or read from the shared store.
"""

from collections.abc import Callable, Coroutine
from math import inf
from threading import get_ident
from typing import Any, Protocol

import attrs

from cqrs.caching import HITS, AnyQuery, AnyResult, CacheControl, CacheScope, take_control
from cqrs.context import MessageContext, current
from cqrs_swr.cached_query import CachedQuery
from cqrs_swr.encoding import Unkeyable
from cqrs_swr.freshness import Status
from cqrs_swr.keys import SHARED_OWNER, LocalKey, Owner, owner_of
from cqrs_swr.memory import Entry
from cqrs_swr.state import State

Answer = Callable[[AnyQuery], Coroutine[Any, Any, AnyResult]]
_Read = Callable[[AnyQuery, Owner, LocalKey], Coroutine[Any, Any, Entry | None]]


class Opening(Protocol):
    """Tells whether look-ups are answered, and on which thread's event loop."""

    is_open: bool
    thread: int


class LongWay(Protocol):
    """Answers whatever comes."""

    def __call__(
        self, cached: CachedQuery, query: AnyQuery, control: CacheControl | None, *, looked: bool = False
    ) -> Coroutine[Any, Any, AnyResult]:
        """Answer a query.

        Args:
            cached: how it is cached.
            query: the query.
            control: what its dispatch asks of the cache.
            looked: whether it is known that the shared store has nothing.
        """
        ...


def answering(state: State, cached: CachedQuery, opening: Opening, answer: LongWay) -> Answer:
    """Make what answers a query class: the short way where it is enough, else the long one.

    Args:
        state: the cache.
        cached: the query class.
        opening: tells whether look-ups are answered.
        answer: the long way.
    """
    # What is the same for each look-up is looked up once: this is what a hit costs.
    key_of, held, flights = cached.keys.local, state.memory.get, state.flights
    lookups, epochs = state.counters.lookups, state.epochs
    monotonic_ns, context_of = state.clock.monotonic_ns, current.get
    owner_in, read = _owning(cached.policy.scope), _reading(state, cached)
    is_shared = cached.policy.scope is CacheScope.SHARED

    async def call(query: AnyQuery, /) -> AnyResult:
        control = take_control(query)
        context = context_of()
        owner = SHARED_OWNER if is_shared else owner_in(context)
        now = monotonic_ns() / 1e9
        if control is not None or owner is None or not opening.is_open or now >= epochs.next_sync:
            return await answer(cached, query, control)
        try:
            key = key_of(query, owner)
        except Unkeyable:
            return await answer(cached, query, control)
        entry, looked = held(key), False
        if entry is None and read is not None and key not in flights and get_ident() == opening.thread:
            entry = await read(query, owner, key)
            looked = entry is None
        is_quiet = entry is not None and now < entry.quiet and entry.seen.version == epochs.version
        if entry is None or entry.result is None or not is_quiet:
            return await answer(cached, query, control, looked=looked)
        status: Status = "negative" if entry.stamps.negative else "fresh"
        lookups[status] += 1
        if context is not None:  # as note_hit does, without its call
            leave = context.note
            leave("cache_status", status)
            leave("cache_hit", True)  # noqa: FBT003 - a note is a name and a value
            leave("cache_age_ms", (now - entry.stamps.committed) * 1000)
        return entry.result

    return call


def _reading(state: State, cached: CachedQuery) -> _Read | None:
    """Make what reads from the shared store; None if nothing of the query class is there."""
    if not state.is_shared or not cached.policy.l2 or cached.codec is None:
        return None
    load, shared_of, epochs, memory = state.rows.load, cached.keys.shared_of, state.epochs, state.memory

    async def read(query: AnyQuery, owner: Owner, key: LocalKey) -> Entry | None:
        entry = await load(cached, query, owner, shared_of(key))
        if entry is None:
            return None
        if entry.seen.version == epochs.version and memory.get(key) is None and memory.put(key, entry):
            return entry
        return attrs.evolve(entry, quiet=-inf)  # what is not certain is left to the long way

    return read


def _owning(scope: CacheScope) -> Callable[[MessageContext | None], Owner | None]:
    if scope is CacheScope.TENANT:
        return _tenant
    return lambda context: owner_of(scope, *_asking(context))


def _tenant(context: MessageContext | None) -> Owner | None:
    tenant = None if context is None else context.origin.tenant
    return None if tenant is None else (tenant,)


def _asking(context: MessageContext | None) -> tuple[str | None, str | None]:
    return (None, None) if context is None else (context.tenant, context.principal)


def note(status: Status, age: float | None) -> None:
    """Leave word for whoever observes the dispatch.

    Args:
        status: how the cache answered.
        age: seconds since what it served was computed; None if it served nothing.
    """
    context = current.get()
    if context is None:
        return
    if age is not None and status in HITS:
        note_hit(context, status, age)
    else:
        context.note("cache_status", status)
        context.note("cache_hit", False)  # noqa: FBT003 - a note is a name and a value


def note_hit(context: MessageContext, status: Status, age: float) -> None:
    """Leave word that the cache answered.

    Args:
        context: the dispatch's.
        status: how it did.
        age: seconds since that was computed.
    """
    context.note("cache_status", status)
    context.note("cache_hit", True)  # noqa: FBT003 - a note is a name and a value
    context.note("cache_age_ms", age * 1000)
