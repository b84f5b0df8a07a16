from collections.abc import Sequence

import anyio
import pytest
from cqrs_swr.epochs import Epochs, Seen, removing, scope
from cqrs_swr.freshness import Validity
from cqrs_swr.memory_store import MemoryStore

A, B = scope("tag", b"a"), scope("tag", b"b")


@pytest.fixture
def store() -> MemoryStore:
    """What two processes share."""
    return MemoryStore()


@pytest.fixture
def epochs(store: MemoryStore) -> Epochs:
    """One process's."""
    return Epochs(store, 1.0)


def test_scopes_of_two_kinds_are_two() -> None:
    """A tag "a" is no tenant "a", and its twin is another scope."""
    names = [
        scope("tag", b"a"),
        scope("tenant", b"a"),
        scope("tag", b"b"),
        removing(scope("tag", b"a")),
        scope("all"),
    ]

    assert len(set(names)) == 5
    assert {len(name) for name in names} == {8}


async def test_what_was_captured_before_is_invalid_after(epochs: Epochs) -> None:
    """A renewal is seen the moment it returns; what was captured after it is valid (I2)."""
    before = await epochs.capture((A, B))
    assert await epochs.validity(before) is Validity.VALID
    await epochs.renew((A,), "expire")

    assert await epochs.validity(before) is Validity.EXPIRED
    assert await epochs.validity(await epochs.capture((A, B))) is Validity.VALID
    assert await epochs.validity(await epochs.capture((B,))) is Validity.VALID


async def test_removing_is_more_than_expiring(epochs: Epochs) -> None:
    """Whatever came first, what was removed stays removed."""
    before = await epochs.capture((A,))
    await epochs.renew((A,), "remove")
    assert await epochs.validity(before) is Validity.REMOVED
    await epochs.renew((A,), "expire")

    assert await epochs.validity(before) is Validity.REMOVED


async def test_another_scope_is_not_touched(epochs: Epochs) -> None:
    """What was computed under other scopes stays valid."""
    other = await epochs.capture((B,))
    await epochs.renew((A,), "remove")

    assert await epochs.validity(other) is Validity.VALID


async def test_another_process_sees_it_within_the_time(store: MemoryStore, epochs: Epochs) -> None:
    """At the next look at the store, which is due after the coherence time, and not before."""
    other = Epochs(store, 1.0)
    await other.sync(10.0)
    seen = await other.capture((A,))
    await epochs.renew((A,), "expire")
    assert await other.validity(seen) is Validity.VALID
    assert (other.is_due(10.9), other.is_due(11.0)) == (False, True)
    await other.sync(11.0)

    assert await other.validity(seen) is Validity.EXPIRED
    other.ask_soon()
    assert other.is_due(11.0)


class Slow:
    """A store whose answers take a turn of the event loop, and whose renewals wait until they are let through."""

    def __init__(self) -> None:
        self.right = MemoryStore()
        self.through = anyio.Event()

    async def epochs(self, scopes: Sequence[bytes], /) -> Sequence[bytes]:
        """Answer late, with what was there first."""
        found = await self.right.epochs(scopes)
        await anyio.lowlevel.checkpoint()
        return found

    async def renew(self, scopes: Sequence[bytes], token: bytes, /) -> None:
        """Wait."""
        await self.through.wait()
        await self.right.renew(scopes, token)


async def test_a_renewal_on_its_way_counts_already() -> None:
    """However long a store takes, and whatever it is asked meanwhile, this process does not forget (I2)."""
    store = Slow()
    epochs = Epochs(store, 0.0)  # type: ignore[arg-type]  # rows and leases are not asked for
    before = await epochs.capture((A,))
    async with anyio.create_task_group() as group:
        group.start_soon(epochs.renew, (A,), "expire")
        await anyio.lowlevel.checkpoint()
        await store.right.renew((B,), b"other...")
        await epochs.sync(1.0)
        assert await epochs.validity(before) is Validity.EXPIRED
        assert await epochs.validity(await epochs.capture((A,))) is Validity.VALID
        store.through.set()

    assert await epochs.validity(before) is Validity.EXPIRED


async def test_a_capture_is_of_one_instant() -> None:
    """What is invalidated while it is captured is captured as invalidated, or not at all."""
    store = Slow()
    store.through.set()
    epochs = Epochs(store, 0.0)  # type: ignore[arg-type]  # rows and leases are not asked for
    captured: list[Seen] = []

    async def capture() -> None:
        captured.append(await epochs.capture((A, B)))

    async with anyio.create_task_group() as group:
        group.start_soon(capture)
        await anyio.lowlevel.checkpoint()
        await epochs.renew((A, B), "expire")

    assert await epochs.validity(captured[0]) is Validity.VALID


async def test_what_was_seen_is_written_and_read(epochs: Epochs) -> None:
    """Packed, for a row, and taken apart again when it is compared."""
    seen = await epochs.capture((A, B))
    read = Seen(seen.version, packed=seen.packed())

    assert (read, read.packed(), hash(read)) == (seen, seen.packed(), hash(seen))
    assert (dict(read.expire), dict(read.remove)) == (dict(seen.expire), dict(seen.remove))
    assert read.under(b"version2") != seen
    assert read.under(b"version2").expire == seen.expire
    await epochs.renew((B,), "remove")
    assert await epochs.validity(Seen(seen.version, packed=seen.packed())) is Validity.REMOVED
