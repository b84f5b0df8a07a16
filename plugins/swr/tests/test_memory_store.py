from cqrs_swr.epochs import VERSION_SCOPE
from cqrs_swr.memory_store import MemoryStore
from cqrs_swr.testing import SteppedClock

KEY = b"k" * 16


async def test_rows_end_with_their_time(clock: SteppedClock) -> None:
    """Not before, and at once then."""
    store = MemoryStore(most_rows=10, clock=clock)
    await store.put(KEY, b"row", 5.0)
    clock.advance(4.99)
    assert await store.get(KEY) == b"row"
    clock.advance(0.01)

    assert await store.get(KEY) is None


async def test_the_rows_that_were_not_used_for_longest_give_way(clock: SteppedClock) -> None:
    """There are never more than may be."""
    store = MemoryStore(most_rows=2, clock=clock)
    await store.put(b"a", b"1", 60.0)
    await store.put(b"b", b"2", 60.0)
    await store.get(b"a")
    await store.put(b"c", b"3", 60.0)

    assert [await store.get(key) for key in (b"a", b"b", b"c")] == [b"1", None, b"3"]


async def test_without_rows_there_are_epochs_and_leases(clock: SteppedClock) -> None:
    """That is what a process that shares nothing needs."""
    store = MemoryStore(clock=clock)
    await store.put(KEY, b"row", 60.0)

    assert await store.get(KEY) is None
    assert await store.lease(KEY, b"me", 1.0) is True


async def test_a_lease_ends_by_itself(clock: SteppedClock) -> None:
    """Whoever held it may be gone."""
    store = MemoryStore(clock=clock)
    await store.lease(KEY, b"me", 2.0)
    assert await store.lease(KEY, b"you", 2.0) is False
    clock.advance(2.0)

    assert await store.lease(KEY, b"you", 2.0) is True


async def test_when_there_are_too_many_epochs_everything_is_invalid() -> None:
    """Memory is bounded, and nothing that was invalidated is forgotten: each scope has another token then."""
    store = MemoryStore(most_epochs=2)
    await store.renew((b"a", b"b"), b"token")
    before = await store.epochs((VERSION_SCOPE, b"a", b"b", b"c"))
    await store.renew((b"d",), b"other")
    after = await store.epochs((VERSION_SCOPE, b"a", b"b", b"c"))

    assert all(one != other for one, other in zip(before, after, strict=True))
