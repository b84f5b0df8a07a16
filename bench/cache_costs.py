"""What a hit costs in each library: a function that gives microseconds of processor time per call."""

import tempfile
from collections.abc import Awaitable, Callable
from typing import Any

from cache_libraries import now

CALLS = 2_000
KEYS = 100

Measure = Callable[[], Awaitable[float]]


async def costs(scenes: Any) -> dict[str, Measure]:
    """The measures of a library, by name."""
    name = scenes.make.__name__
    if name == "Ours":
        return await ours(scenes.folder)
    if name == "Diskcache":
        return {"get": _diskcache(scenes.folder)}

    async def give(argument: Any) -> Any:
        return argument

    call = await scenes.cached(give, 600)
    await call(1)
    return {"hit": lambda: per_call(lambda: call(1))}


async def per_call(call: Callable[[], Awaitable[object]], calls: int = CALLS) -> float:
    """The mean, in microseconds of processor time."""
    began = now()
    for _ in range(calls):
        await call()
    return (now() - began) / calls * 1e6


def _diskcache(folder: str) -> Measure:
    import attrs
    import diskcache

    answer = attrs.make_class("Answer", {"sku": attrs.field(), "quantity": attrs.field()}, frozen=True)
    answer.__module__ = "__main__"
    vars(__import__("__main__"))["Answer"] = answer
    store = diskcache.Cache(tempfile.mkdtemp(dir=folder))
    for number in range(KEYS):
        store.set(f"order:{number}", answer("sku-1", 2))
    turn = [0]

    async def get() -> object:
        turn[0] += 1
        return store.get(f"order:{turn[0] % KEYS}")

    return lambda: per_call(get)


async def ours(folder: str) -> dict[str, Measure]:
    """The cache alone, held and on disk, and the whole dispatch."""
    from pathlib import Path

    import anyio
    from bench_query import Answer, Find
    from cqrs_swr import Swr
    from returns.result import Result, Success

    from cqrs import CqrsModule, Feature
    from cqrs.caching import SHARED

    feature = Feature("bench")

    @feature.handles(Find)
    async def find(query: Find) -> Result[Answer, str]:
        del query
        return Success(Answer())

    feature.caches(Find, ttl=3600, scope=SHARED)
    plugin = Swr(dir=Path(tempfile.mkdtemp(dir=folder)) / "cache")
    bus = await CqrsModule.for_root(feature, plugins=(plugin,), env={}).__aenter__()
    for number in (*range(KEYS), *range(KEYS)):
        await bus.queries.execute(Find(number))
    await anyio.sleep(1)  # until everything is on disk
    execute = bus.queries.execute
    return {**_alone(bus), "dispatch": lambda: per_call(lambda: execute(Find(1)))}


def _alone(bus: Any) -> dict[str, Measure]:
    """The cache as the pipeline calls it, in the context of a dispatch: what that costs is measured and taken off."""
    from bench_query import Find
    from cqrs_swr.hits import answering

    from cqrs import MessageContext
    from cqrs.caching import QueryCache
    from cqrs.context import current

    cache = bus.container.resolve(QueryCache)
    state = cache._state  # noqa: SLF001 - the cache alone
    queries, turn = [Find(number) for number in range(KEYS)], [0]
    call = answering(state, state.queries[Find], cache._launcher, cache._engine.answer)  # noqa: SLF001 - the cache alone

    async def context_alone() -> None:
        current.set(MessageContext().begin())

    async def held() -> object:
        current.set(MessageContext().begin())
        return await call(queries[0])

    async def on_disk() -> object:
        turn[0] += 1
        if turn[0] % KEYS == 0:
            state.memory.clear()
        current.set(MessageContext().begin())
        return await call(queries[turn[0] % KEYS])

    async def less(measured: Callable[[], Awaitable[object]]) -> float:
        return await per_call(measured) - await per_call(context_alone)

    return {"L1": lambda: less(held), "L2": lambda: less(on_disk)}
