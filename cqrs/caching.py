"""Caching, declared: policies, overrides and what a cache and its store look like; no engine is in the core."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeVar, final

import attrs
from returns.result import Failure, Result

from cqrs.cache_control import BYPASS, ONLY_IF_CACHED, REFRESH, CacheControl, asking, max_age, take_control
from cqrs.cache_policy import (
    PRINCIPAL,
    SHARED,
    TENANT,
    AnyQuery,
    CachePolicy,
    CacheScope,
    ErrorKind,
    Invalidation,
    InvalidationMode,
    mistakes,
)
from cqrs.faults import Rejection, is_rejection, is_transient
from cqrs.messages import AnyResult, Query

__all__ = [
    "BYPASS",
    "HITS",
    "ONLY_IF_CACHED",
    "PRINCIPAL",
    "REFRESH",
    "SHARED",
    "TENANT",
    "AnyQuery",
    "AnyResult",
    "CacheControl",
    "CachePolicy",
    "CacheScope",
    "CacheStats",
    "CacheStore",
    "EmptyCache",
    "ErrorKind",
    "Invalidation",
    "InvalidationMode",
    "NotCached",
    "QueryCache",
    "asking",
    "is_rejection",
    "is_transient",
    "max_age",
    "mistakes",
    "take_control",
]

Value = TypeVar("Value")
Error = TypeVar("Error")


@final
@attrs.frozen
class NotCached(Rejection):
    """The cache holds no answer, and the dispatch asked for a cached one only."""


@final
@attrs.frozen
class CacheStats:
    """What a cache has done since it was opened, and what it holds now.

    Attributes:
        lookups: look-ups by status: fresh, negative, stale, stale_error, miss, collapsed, bypass.
        refreshes: computations by trigger and outcome.
        invalidations: by mode.
        evictions: entries that gave way to others.
        l2_errors: failures of the shared store, by kind.
        unkeyable: look-ups of queries from which no key could be made.
        entries: how many answers this process holds.
        bytes: their encoded size.
        flights: computations that run now.
        failing: entries whose last refresh failed.
    """

    lookups: Mapping[str, int] = attrs.field(factory=dict[str, int])
    refreshes: Mapping[tuple[str, str], int] = attrs.field(factory=dict[tuple[str, str], int])
    invalidations: Mapping[str, int] = attrs.field(factory=dict[str, int])
    evictions: int = 0
    l2_errors: Mapping[str, int] = attrs.field(factory=dict[str, int])
    unkeyable: int = 0
    entries: int = 0
    bytes: int = 0
    flights: int = 0
    failing: int = 0

    @property
    def hit_rate(self) -> float | None:
        """The share of look-ups that the cache answered, those that bypassed it left out; None without any."""
        all_but_bypass = sum(self.lookups.values()) - self.lookups.get("bypass", 0)
        hits = sum(self.lookups.get(status, 0) for status in HITS)
        return hits / all_but_bypass if all_but_bypass > 0 else None


HITS: Final = ("fresh", "stale", "stale_error", "negative")


class QueryCache(Protocol):
    """The cache of query answers; inject it by this type. The core's own holds nothing."""

    async def invalidate(
        self,
        *queries: AnyQuery,
        tags: Iterable[str] = (),
        types: Iterable[type[AnyQuery]] = (),
        tenant: str | None = None,
        everything: bool = False,
        mode: InvalidationMode = "expire",
    ) -> None:
        """Make answers invalid; once this returns, no look-up of this process is answered with an older one.

        Args:
            queries: those whose answers are invalid.
            tags: those of the policies' ``tags``.
            types: query classes of which every answer is invalid.
            tenant: a tenant of whom every answer is invalid.
            everything: whether every answer is.
            mode: what becomes of the old answers, as in ``Invalidation``.
        """
        ...

    async def peek(self, query: Query[Value, Error], /) -> Result[Value, NotCached]:
        """Give the answer that a look-up would be served without computing.

        Args:
            query: the query.
        """
        ...

    async def prime(self, query: Query[Value, Error], value: Value, /) -> bool:
        """Put an answer in, as if it had been computed now.

        Args:
            query: the query.
            value: its answer.

        Returns:
            Whether it is kept.
        """
        ...

    async def refresh(self, query: AnyQuery, /) -> bool:
        """Compute an answer anew in the background.

        Args:
            query: the query.

        Returns:
            Whether a computation was started.
        """
        ...

    def stats(self) -> CacheStats:
        """Say what the cache has done and what it holds."""
        ...


class CacheStore(Protocol):
    """Rows of bytes by key, shared by processes; implement it to keep them elsewhere.

    It never raises: what cannot be read is None, what cannot be written is not there. Expiry is a service to the
    store's size: a row says itself how long it may be served.
    """

    async def get(self, key: bytes, /) -> bytes | None:
        """Give a row, or None."""
        ...

    async def put(self, key: bytes, row: bytes, seconds: float, /) -> None:
        """Keep a row for a time; the last one wins."""
        ...

    async def remove(self, key: bytes, /) -> None:
        """Forget a row."""
        ...

    async def epochs(self, scopes: Sequence[bytes], /) -> Sequence[bytes]:
        """Give each scope's token of 8 bytes; that of ``b""`` changes with each renewal of any."""
        ...

    async def renew(self, scopes: Sequence[bytes], token: bytes, /) -> None:
        """Give scopes a new token; every process sees it, and it is never evicted."""
        ...

    async def lease(self, key: bytes, owner: bytes, seconds: float, /) -> bool:
        """Take or prolong the one lease of a key; False while another owner holds it."""
        ...

    async def release(self, key: bytes, owner: bytes, /) -> None:
        """Give a lease back, if this owner holds it."""
        ...


@final
class EmptyCache:
    """A cache that holds nothing: what is injected where no plugin brings one."""

    __slots__ = ()

    async def invalidate(
        self,
        *queries: AnyQuery,
        tags: Iterable[str] = (),
        types: Iterable[type[AnyQuery]] = (),
        tenant: str | None = None,
        everything: bool = False,
        mode: InvalidationMode = "expire",
    ) -> None:
        """Do nothing: there is nothing to make invalid."""

    async def peek(self, query: Query[Value, Error], /) -> Result[Value, NotCached]:
        """Find nothing."""
        del query
        return Failure(NotCached())

    async def prime(self, query: Query[Value, Error], value: Value, /) -> bool:
        """Keep nothing."""
        del query, value
        return False

    async def refresh(self, query: AnyQuery, /) -> bool:
        """Start nothing."""
        del query
        return False

    def stats(self) -> CacheStats:
        """Say that nothing was ever looked up."""
        return CacheStats()
