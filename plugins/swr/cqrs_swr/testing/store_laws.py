"""The laws of a ``CacheStore``: what the engine relies on, whatever a store keeps its rows in."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final, final

import anyio
import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cqrs.caching import CacheStore
from cqrs.testing import Law, hold, law

_VERSION: Final = b""
_PAUSE: Final = 0.01

# Two processes that share one store, as each of them sees it.
Views = tuple[CacheStore, CacheStore]


@final
@attrs.frozen(eq=False)
class StoreSubject:
    """A store, as its laws look at it.

    Attributes:
        open: opens an empty one for two processes; one view may stand for both.
        patience: seconds within which one process sees what the other has done.
    """

    open: Callable[[], AbstractAsyncContextManager[Views]]
    patience: float = 5.0


Step = tuple[str, bytes, bytes]


def _steps(_subject: StoreSubject) -> SearchStrategy[object]:
    key = st.sampled_from((b"k" * 16, b"l" * 16, b"m" * 16))
    row = st.binary(max_size=64)
    return st.lists(st.tuples(st.sampled_from(("put", "put", "remove")), key, row), max_size=12)


def _scopes(_subject: StoreSubject) -> SearchStrategy[object]:
    return st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=4, unique=True)


def _keys(_subject: StoreSubject) -> SearchStrategy[object]:
    return st.binary(min_size=16, max_size=16)


async def _becomes(subject: StoreSubject, holds: Callable[[], Awaitable[bool]]) -> bool:
    """Tell whether something comes true in time."""
    with anyio.move_on_after(subject.patience):
        while True:
            if await holds():
                return True
            await anyio.sleep(_PAUSE)
    return False


async def _is_got(store: CacheStore, key: bytes, row: bytes | None) -> bool:
    return await store.get(key) == row


async def _is_renewed(store: CacheStore, scopes: Sequence[bytes], token: bytes) -> bool:
    return list(await store.epochs(scopes)) == [token] * len(scopes)


@law(
    "What is got is what was put last under that key, or nothing; never what was removed, or another key's.",
    steps=_steps,
)
async def gives_what_was_put(subject: StoreSubject, steps: Sequence[Step]) -> None:
    """Put, remove and get."""
    put: dict[bytes, bytes] = {}
    async with subject.open() as (store, _):
        for what, key, row in steps:
            if what == "put":
                put[key] = row
                await store.put(key, row, 60.0)
            else:
                put.pop(key, None)
                await store.remove(key)
            for each in (b"k" * 16, b"l" * 16, b"m" * 16):
                found = await store.get(each)
                hold(found is None or found == put.get(each), f"{found!r} was got under {each!r}")


@law("What one process puts and removes, the other sees: the last of it, in time.", steps=_steps)
async def shares_what_was_put(subject: StoreSubject, steps: Sequence[Step]) -> None:
    """Put and remove here, get there."""
    last: dict[bytes, bytes | None] = {}
    async with subject.open() as (here, there):
        for what, key, row in steps:
            last[key] = row if what == "put" else None
            await (here.put(key, row, 60.0) if what == "put" else here.remove(key))
        for key, expected in last.items():
            is_seen = await _becomes(subject, partial(_is_got, there, key, expected))
            found = await there.get(key)
            hold(is_seen or (found is None and expected is not None), f"{found!r} is seen, not {expected!r}")


@law(
    "A renewed scope has the new token at once, every other scope keeps its own, and that of everything changes.",
    scopes=_scopes,
)
async def renews_what_it_was_told(subject: StoreSubject, scopes: Sequence[bytes]) -> None:
    """Renew one of them."""
    async with subject.open() as (store, _):
        before = await store.epochs((_VERSION, *scopes))
        await store.renew((scopes[0],), b"a" * 8)
        after = await store.epochs((_VERSION, *scopes))
        hold(len(after) == len(scopes) + 1, "not every scope has a token")
        hold({len(token) for token in (*before, *after)} == {8}, "a token has not 8 bytes, and rows keep 8")
        hold(after[1] == b"a" * 8, f"the scope's token is {after[1]!r}")
        hold(list(after[2:]) == list(before[2:]), "another scope has another token")
        hold(after[0] != before[0], "the token of everything is the same")


@law("What one process renews, the other sees in time, and that something was.", scopes=_scopes)
async def shares_what_was_renewed(subject: StoreSubject, scopes: Sequence[bytes]) -> None:
    """Renew here, look there."""
    async with subject.open() as (here, there):
        (before,) = await there.epochs((_VERSION,))
        await here.renew(scopes, b"b" * 8)
        hold(await _becomes(subject, partial(_is_renewed, there, scopes, b"b" * 8)), "it is not seen")
        hold(list(await there.epochs((_VERSION,))) != [before], "that something was renewed is not seen")


@law(
    "A lease has one owner: it can prolong and end it, nobody else can, and whoever asks then gets it.",
    key=_keys,
)
async def leases_to_one(subject: StoreSubject, key: bytes) -> None:
    """Take, prolong, fail to take, give back, take."""
    mine, yours = b"mine....", b"yours..."
    async with subject.open() as (here, there):
        hold(await here.lease(key, mine, 30.0), "nobody has it, and it is not given")
        hold(not await there.lease(key, yours, 30.0), "two have it")
        hold(await here.lease(key, mine, 30.0), "its owner cannot prolong it")
        await there.release(key, yours)
        hold(not await there.lease(key, yours, 30.0), "who did not own it has ended it")
        await here.release(key, mine)
        given = await _becomes(subject, partial(there.lease, key, yours, 30.0))
        hold(given, "it was given back, and is not given again")
        hold(await here.lease(key[:8] + b"x" * 9, mine, 30.0), "the lease of another key is not given")


STORE_LAWS: Final[tuple[Law[StoreSubject], ...]] = (
    gives_what_was_put,
    shares_what_was_put,
    renews_what_it_was_told,
    shares_what_was_renewed,
    leases_to_one,
)
