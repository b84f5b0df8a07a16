"""The stores of the plugin keep the laws, and a store that does not is found out."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cqrs_swr.counters import Counters
from cqrs_swr.memory_store import MemoryStore
from cqrs_swr.notices import Notices
from cqrs_swr.shared_store import SharedStore
from cqrs_swr.testing import STORE_LAWS, StoreSubject
from hypothesis import Phase, settings

from cqrs.caching import CacheStore
from cqrs.clock import SystemClock
from cqrs.testing import Law, LawBroken, check_law, laws_for

Views = tuple[CacheStore, CacheStore]


@asynccontextmanager
async def in_memory() -> AsyncIterator[Views]:
    store = MemoryStore(most_rows=100)
    yield store, store


@asynccontextmanager
async def on_disk() -> AsyncIterator[Views]:
    with tempfile.TemporaryDirectory() as folder:
        stores = [store_in(Path(folder) / "cache") for _ in range(2)]
        for store in stores:
            await store.open()
        try:
            yield stores[0], stores[1]
        finally:
            for store in stores:
                await store.close()


def store_in(folder: Path) -> SharedStore:
    clock = SystemClock()
    return SharedStore(folder, 16 * 1024 * 1024, clock, Counters(), Notices(clock))


TestMemoryStore = laws_for("TestMemoryStore", STORE_LAWS, subject=StoreSubject(in_memory))
TestDiskStore = laws_for(
    "TestDiskStore", STORE_LAWS, subject=StoreSubject(on_disk), settings=settings(max_examples=10)
)


class _Wrong:
    """A store that forwards to a right one; subclasses do one thing wrong."""

    def __init__(self) -> None:
        self.right = MemoryStore(most_rows=100)

    async def get(self, key: bytes, /) -> bytes | None:
        return await self.right.get(key)

    async def put(self, key: bytes, row: bytes, seconds: float, /) -> None:
        await self.right.put(key, row, seconds)

    async def remove(self, key: bytes, /) -> None:
        await self.right.remove(key)

    async def epochs(self, scopes: Sequence[bytes], /) -> Sequence[bytes]:
        return await self.right.epochs(scopes)

    async def renew(self, scopes: Sequence[bytes], token: bytes, /) -> None:
        await self.right.renew(scopes, token)

    async def lease(self, key: bytes, owner: bytes, seconds: float, /) -> bool:
        return await self.right.lease(key, owner, seconds)

    async def release(self, key: bytes, owner: bytes, /) -> None:
        await self.right.release(key, owner)


class _OneKey(_Wrong):
    async def get(self, key: bytes, /) -> bytes | None:
        del key
        return await super().get(b"k" * 16)


class _KeepsForEver(_Wrong):
    async def remove(self, key: bytes, /) -> None:
        del key


class _RenewsAll(_Wrong):
    async def epochs(self, scopes: Sequence[bytes], /) -> Sequence[bytes]:
        (token,) = await super().epochs((b"",))
        return [token] * len(scopes)


class _RenewsNothing(_Wrong):
    async def renew(self, scopes: Sequence[bytes], token: bytes, /) -> None:
        del scopes, token


class _LeasesToAll(_Wrong):
    async def lease(self, key: bytes, owner: bytes, seconds: float, /) -> bool:
        del key, owner, seconds
        return True


class _ReleasesForAnyone(_Wrong):
    async def release(self, key: bytes, owner: bytes, /) -> None:
        del owner
        self.right._leases.pop(key, None)


def law_named(name: str) -> Law[StoreSubject]:
    return next(each for each in STORE_LAWS if each.name == name)


@pytest.mark.parametrize(
    ("wrong", "law"),
    [
        (_OneKey, "gives_what_was_put"),
        (_KeepsForEver, "gives_what_was_put"),
        (_KeepsForEver, "shares_what_was_put"),
        (_RenewsAll, "renews_what_it_was_told"),
        (_RenewsNothing, "shares_what_was_renewed"),
        (_LeasesToAll, "leases_to_one"),
        (_ReleasesForAnyone, "leases_to_one"),
    ],
)
def test_a_store_that_does_one_thing_wrong_breaks_a_law(wrong: type[_Wrong], law: str) -> None:
    """Each law notices what it is there for."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Views]:
        store = wrong()
        yield store, store

    options = settings(max_examples=50, database=None, derandomize=True, phases=(Phase.generate,))
    with pytest.raises(LawBroken):
        check_law(law_named(law), StoreSubject(opened, patience=0.02), settings=options)
