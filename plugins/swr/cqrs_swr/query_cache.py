"""The cache as handlers and tools use it: invalidate, look, put in, refresh, count."""

from collections.abc import Iterable
from typing import TypeVar, cast, final

from returns.result import Failure, Result, Success

from cqrs import Query
from cqrs.caching import AnyQuery, CacheStats, Invalidation, InvalidationMode, NotCached
from cqrs_swr.cached_query import CachedQuery, listed
from cqrs_swr.commits import Began, applied, share
from cqrs_swr.encoding import Unkeyable
from cqrs_swr.engine import Engine
from cqrs_swr.epochs import scope
from cqrs_swr.flights import Address
from cqrs_swr.keys import type_id_of
from cqrs_swr.launch import Launcher
from cqrs_swr.state import State

Value = TypeVar("Value")
Error = TypeVar("Error")


@final
class SwrCache:
    """The ``QueryCache`` of this plugin.

    Args:
        state: what the cache consists of.
        engine: looks up.
        launcher: starts computations.
    """

    def __init__(self, state: State, engine: Engine, launcher: Launcher) -> None:
        self._state = state
        self._engine = engine
        self._launcher = launcher

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
            queries: those whose answers are invalid, for the tenant or principal who says so.
            tags: those of the policies' ``tags``.
            types: query classes of which every answer is invalid.
            tenant: a tenant of whom every answer is invalid.
            everything: whether every answer is.
            mode: what becomes of the old answers, as in ``Invalidation``.
        """
        scopes = {*map(self._scope_of, queries), *(_of_type(cls) for cls in types)}
        scopes |= {scope("tag", tag.encode()) for tag in listed(tags)}
        scopes |= {scope("tenant", tenant.encode())} if tenant is not None else set()
        scopes |= {scope("all")} if everything else set()
        if scopes:
            await self._renew(scopes, mode)

    async def after(self, invalidation: Invalidation, *told: object) -> None:
        """Do what was declared of a command or an event.

        Args:
            invalidation: what was declared.
            told: command and value, or the event.
        """
        tags = () if invalidation.tags is None else invalidation.tags(*told)
        await self.invalidate(tags=tags, types=invalidation.queries, mode=invalidation.mode)

    async def peek(self, query: Query[Value, Error], /) -> Result[Value, NotCached]:
        """Give the answer that a look-up would be served without computing.

        Args:
            query: the query.
        """
        address = self._address(query)
        if address is None:
            return Failure(NotCached())
        result = await self._engine.peek(address)
        if result is None or isinstance(result, Failure):
            return Failure(NotCached())
        return Success(cast("Value", result.unwrap()))

    async def prime(self, query: Query[Value, Error], value: Value, /) -> bool:
        """Put an answer in, as if it had been computed now.

        Args:
            query: the query.
            value: its answer.

        Returns:
            Whether it is kept.
        """
        address = self._address(query)
        if address is None:
            return False
        try:
            seen = await self._state.epochs.capture(self._scopes(address))
        except Unkeyable:
            return False
        # What is being computed began earlier, and must not replace this when it ends.
        self._state.flights.pop(address.key, None)
        began = Began(self._state.now(), seen)
        made = applied(self._state, address, began, Success(value), "success")
        await share(self._state, address, began, "success", made)
        return made is not None

    async def refresh(self, query: AnyQuery, /) -> bool:
        """Compute an answer anew in the background.

        Args:
            query: the query.

        Returns:
            Whether a computation was started: not if one is under way, or too many are.
        """
        address = self._address(query)
        return address is not None and await self._launcher.refresh(address, "forced")

    def stats(self) -> CacheStats:
        """Say what the cache has done and what it holds."""
        return self._state.counters.stats(self._state.memory, self._state.running)

    async def _renew(self, scopes: Iterable[bytes], mode: InvalidationMode) -> None:
        names = tuple(scopes)
        self._state.counters.invalidations[mode] += 1
        await self._state.epochs.renew(names, mode)
        if mode == "refresh":
            for key, entry in tuple(self._state.memory.items()):
                cached = self._state.cached(entry.query)
                if (
                    cached is not None
                    and not entry.stamps.negative
                    and not entry.seen.expire.keys().isdisjoint(names)
                ):
                    await self._launcher.refresh(
                        Address(cached, entry.query, entry.owner, key), "invalidated"
                    )

    def _address(self, query: AnyQuery) -> Address | None:
        cached = self._state.cached(query)
        return None if cached is None or not self._launcher.is_open else self._engine.address(cached, query)

    def _scope_of(self, query: AnyQuery) -> bytes:
        address = self._address(query)
        if address is None:
            return _of_type(type(query))  # whose answer is meant cannot be told: everybody's of this class
        return scope("key", address.cached.keys.shared_of(address.key))

    def _scopes(self, address: Address) -> tuple[bytes, ...]:
        cached: CachedQuery = address.cached
        return cached.scopes(address.query, address.owner, cached.keys.shared_of(address.key))


def _of_type(query: type) -> bytes:
    return scope("type", type_id_of(query).encode())
