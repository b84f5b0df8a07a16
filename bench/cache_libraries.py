"""The libraries of the cache benchmark, each behind one face: cache a function, call it, make a result invalid.

Runs in the environment of one library; imports nothing of the others.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

Function = Callable[[Any], Awaitable[Any]]


class AsyncLru:
    """async-lru: ``alru_cache``."""

    def __init__(self, folder: str) -> None:
        del folder

    async def cached(self, function: Function, ttl: float, *, windows: bool = False) -> Function:
        """Cache a function."""
        from async_lru import alru_cache

        del windows
        self.made = alru_cache(maxsize=1000, ttl=ttl)(function)
        return self.made

    async def invalidate(self, argument: Any) -> None:
        """Make a result invalid."""
        self.made.cache_invalidate(argument)


class Cashews:
    """cashews in memory: ``@cache``; for windows ``@cache.early``, the nearest it has."""

    url = "mem://"

    def __init__(self, folder: str) -> None:
        from cashews import Cache

        self.cache = Cache()
        self.cache.setup(self.url.format(folder=folder))

    async def cached(self, function: Function, ttl: float, *, windows: bool = False) -> Function:
        """Cache a function."""
        if windows:
            return self.cache.early(ttl=30, early_ttl=ttl, key="early:{argument}")(function)
        return self.cache(ttl=ttl, key="key:{argument}", lock="disk" in self.url)(function)

    async def invalidate(self, argument: Any) -> None:
        """Make a result invalid."""
        await self.cache.delete(f"key:{argument}")


class CashewsDisk(Cashews):
    """cashews on disk, with ``lock=True``."""

    url = "disk://?directory={folder}"


class Aiocache:
    """aiocache in memory: ``@cached_stampede``."""

    def __init__(self, folder: str) -> None:
        del folder

    async def cached(self, function: Function, ttl: float, *, windows: bool = False) -> Function:
        """Cache a function."""
        from aiocache import cached_stampede

        del windows
        self.made = cached_stampede(lease=2, ttl=ttl)(function)
        return self.made

    async def invalidate(self, argument: Any) -> None:
        """Make a result invalid."""
        del argument
        await self.made.cache.clear()


class FastapiCache:
    """fastapi-cache2 in memory: ``@cache``."""

    def __init__(self, folder: str) -> None:
        from fastapi_cache import FastAPICache
        from fastapi_cache.backends.inmemory import InMemoryBackend
        from fastapi_cache.coder import PickleCoder

        del folder
        FastAPICache.reset()
        FastAPICache.init(InMemoryBackend(), coder=PickleCoder, expire=60)

    async def cached(self, function: Function, ttl: float, *, windows: bool = False) -> Function:
        """Cache a function."""
        from fastapi_cache.decorator import cache

        del windows
        # It takes whole seconds alone.
        return cache(expire=max(1, round(ttl)) if ttl else 0)(function)

    async def invalidate(self, argument: Any) -> None:
        """Make a result invalid."""
        from fastapi_cache import FastAPICache

        del argument
        FastAPICache.get_backend()._store.clear()  # noqa: SLF001 - its own clear() wants a namespace


class Threaded:
    """A library for functions that block: each call in a thread."""

    async def in_threads(self, call: Callable[[Any], Any]) -> Function:
        """Call it from the event loop."""
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(200)
        loop = asyncio.get_running_loop()
        return lambda argument: loop.run_in_executor(pool, partial(call, argument))


def blocking(function: Function) -> Callable[[Any], Any]:
    """A function as such a library caches it: it sleeps instead of awaiting."""

    def call(argument: Any) -> Any:
        return asyncio.run(function(argument))

    return call


class Dogpile(Threaded):
    """dogpile.cache in memory: ``get_or_create``, which is what its decorator calls."""

    def __init__(self, folder: str) -> None:
        from dogpile.cache import make_region

        del folder
        self.region = make_region().configure("dogpile.cache.memory")

    async def cached(self, function: Function, ttl: float, *, windows: bool = False) -> Function:
        """Cache a function."""
        del windows
        self.made = self.region.cache_on_arguments(expiration_time=ttl)(blocking(function))
        return await self.in_threads(self.made)

    async def invalidate(self, argument: Any) -> None:
        """Make a result invalid."""
        self.made.invalidate(argument)


class Diskcache(Threaded):
    """diskcache: ``memoize``, or ``memoize_stampede`` for windows."""

    def __init__(self, folder: str) -> None:
        import diskcache

        self.store = diskcache.Cache(folder)

    async def cached(self, function: Function, ttl: float, *, windows: bool = False) -> Function:
        """Cache a function."""
        from diskcache import memoize_stampede

        call = blocking(function)
        call.__qualname__ = "call"
        self.made = (
            memoize_stampede(self.store, ttl)(call) if windows else self.store.memoize(expire=ttl)(call)
        )
        return await self.in_threads(self.made)

    async def invalidate(self, argument: Any) -> None:
        """Make a result invalid."""
        self.store.delete(self.made.__cache_key__(argument))


class Ours:
    """This query cache, asked through the bus."""

    def __init__(self, folder: str) -> None:
        import logging
        from pathlib import Path

        self.folder = Path(folder)
        logging.getLogger("cqrs").setLevel(logging.CRITICAL)  # the outage is there on purpose

    async def cached(self, function: Function, ttl: float, *, windows: bool = False) -> Function:
        """Cache a function."""
        from bench_query import Ask
        from cqrs_swr import Swr
        from returns.result import Result, Success

        from cqrs import CqrsModule, Feature
        from cqrs.caching import SHARED, QueryCache

        feature = Feature("bench")

        @feature.handles(Ask)
        async def handle(query: Ask) -> Any:
            found = await function(query.argument)
            return found if isinstance(found, Result) else Success(found)

        wide = {"stale": 30, "fail_safe": 30, "backoff": (1.0, 60.0)} if windows else {}
        feature.caches(Ask, ttl=ttl, jitter=0, scope=SHARED, **wide)
        self.app = CqrsModule.for_root(feature, plugins=(Swr(dir=self.folder),), env={})
        self.opened = await self.app.__aenter__()
        self.store = self.opened.container.resolve(QueryCache)

        async def call(argument: Any) -> Any:
            return await self.opened.queries.execute(Ask(argument))

        return call

    async def invalidate(self, argument: Any) -> None:
        """Make a result invalid."""
        from bench_query import Ask

        await self.store.invalidate(Ask(argument))

    async def close(self) -> None:
        """Close the app."""
        await self.app.__aexit__(None, None, None)


LIBRARIES = {
    "async-lru": (AsyncLru, ("async-lru",)),
    "cashews": (Cashews, ("cashews[diskcache]",)),
    "cashews disk": (CashewsDisk, ("cashews[diskcache]",)),
    "aiocache": (Aiocache, ("aiocache",)),
    "dogpile": (Dogpile, ("dogpile.cache",)),
    "fastapi-cache": (FastapiCache, ("fastapi-cache2", "jinja2")),
    "diskcache": (Diskcache, ("diskcache",)),
}


def now() -> float:
    """Processor time of this thread: what others do on the machine counts for little."""
    return time.thread_time()
