"""Answers in the shared store: from a row to an entry and back, whatever clocks have done in between."""

import hashlib
from math import inf
from pathlib import Path
from typing import Final, final

import attrs
from returns.result import Success

from cqrs.caching import AnyQuery, CacheStore
from cqrs.clock import Clock
from cqrs_swr.cached_query import LONGEST, CachedQuery
from cqrs_swr.counters import Counters
from cqrs_swr.epochs import Seen
from cqrs_swr.freshness import Stamps, quiet_until
from cqrs_swr.keys import Owner
from cqrs_swr.memory import BOOKS, Entry
from cqrs_swr.rows import Row, pack, unpack
from cqrs_swr.sharing import is_immutable
from cqrs_swr.values import JsonCodec, NotStorable

NO_MACHINE: Final = bytes(8)
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def this_machine() -> bytes:
    """Name the running boot of this machine: within it, processes share one monotonic clock."""
    try:
        return hashlib.blake2b(_BOOT_ID.read_bytes(), digest_size=8).digest()
    except OSError:
        return NO_MACHINE


def _entry(
    cached: CachedQuery, whose: tuple[AnyQuery, Owner], value: object, row: Row, stamps: Stamps
) -> Entry:
    """Make an entry: handed out by reference if nobody can change the value, else decoded for each caller."""
    is_shared = (cached.codec is not None and cached.codec.never_changes) or is_immutable(value)
    result, content = (Success(value), None) if is_shared else (None, row.payload)
    seen = Seen(row.version, packed=row.epochs)
    started, size = stamps.committed - row.took, len(row.payload) + BOOKS
    quiet = quiet_until(stamps, cached.windows)
    return Entry(*whose, result, content, stamps, started, seen, size, quiet)


def _tombstone(query: AnyQuery, owner: Owner, row: Row, stamps: Stamps) -> Entry:
    stamps = attrs.evolve(stamps, negative=True)
    seen = Seen(row.version, packed=row.epochs)
    return Entry(query, owner, None, None, stamps, stamps.committed - row.took, seen, BOOKS)


@final
class SharedRows:
    """Reads and writes the rows of one store.

    Args:
        store: where they are.
        clock: the process's clocks.
        machine: which machine's monotonic clock that is.
        counters: counts what is wrong with rows.
    """

    def __init__(self, store: CacheStore, clock: Clock, machine: bytes, counters: Counters) -> None:
        self._store = store
        self._clock = clock
        self._machine = machine
        self._counters = counters

    async def load(
        self, cached: CachedQuery, query: AnyQuery, owner: Owner, shared_key: bytes
    ) -> Entry | None:
        """Give what another process, or this one before, has computed; None if there is nothing to be trusted.

        Args:
            cached: the query class.
            query: the query.
            owner: for whom.
            shared_key: its key between processes.
        """
        codec = cached.codec
        content = None if codec is None else await self._store.get(shared_key)
        if codec is None or content is None:
            return None
        row = unpack(content, shared_key, codec.fingerprint, cached.policy.max_bytes)
        if not isinstance(row, Row):
            await self._damaged(shared_key, row)
            return None
        stamps = self._stamps(row)
        if stamps is None:
            await self._damaged(shared_key, "clock")
        if stamps is None or stamps.age(self._clock.monotonic_ns() / 1e9) >= min(stamps.life(), LONGEST):
            return None
        try:
            if not row.is_gone:
                return _entry(cached, (query, owner), codec.decode(row.payload), row, stamps)
        except NotStorable:
            await self._damaged(shared_key, "integrity")
            return None
        return _tombstone(query, owner, row, stamps)

    async def save(
        self, codec: JsonCodec, shared_key: bytes, entry: Entry, content: bytes, *, is_gone: bool = False
    ) -> None:
        """Write an answer, or that there is none any more.

        Args:
            codec: the query class's.
            shared_key: its key between processes.
            entry: the answer's entry.
            content: the answer encoded.
            is_gone: whether there is none: nothing that began before it is served then.
        """
        stamps = entry.stamps
        # The commit may be a while ago: what is written is when it was, on both clocks.
        ago_ns = round(stamps.age(self._clock.monotonic_ns() / 1e9) * 1e9)
        row = Row(
            shared_key,
            codec.fingerprint,
            self._machine,
            self._clock.time_ns() - ago_ns,
            self._clock.monotonic_ns() - ago_ns,
            stamps.committed - entry.started,
            stamps.fresh,
            stamps.stale,
            stamps.fail_safe,
            entry.seen.version,
            entry.seen.packed(),
            content,
            is_gone,
        )
        await self._store.put(shared_key, pack(row), stamps.life())

    async def _damaged(self, shared_key: bytes, reason: str) -> None:
        if reason != "other_type":  # a deploy has changed the answer's class, which is no damage
            self._counters.l2_errors[reason] += 1
        await self._store.remove(shared_key)

    def _stamps(self, row: Row) -> Stamps | None:
        fresh, stale, fail_safe = row.fresh, row.stale, row.fail_safe
        if not (0 <= row.took < inf and 0 <= fresh < inf and 0 <= stale < inf and 0 <= fail_safe < inf):
            return None
        age = (self._clock.time_ns() - row.wall_ns) / 1e9
        now = self._clock.monotonic_ns() / 1e9
        if row.machine == self._machine != NO_MACHINE:
            since = now - row.monotonic_ns / 1e9
            if since < 0:
                return None  # written in the future: how long ago that is cannot be told
            age = max(age, since)
        elif age < 0:
            return None
        return Stamps(now - age, fresh, stale, fail_safe)
