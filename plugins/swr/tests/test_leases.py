import time

import anyio
from cqrs_swr.leases import LEASE_SECONDS, Lease, Pauses
from cqrs_swr.memory_store import MemoryStore
from cqrs_swr.testing import SteppedClock

KEY = b"k" * 16


async def test_two_leases_of_a_key_have_two_owners() -> None:
    """One gets it; the other when it is given back."""
    store = MemoryStore()
    one, other = Lease(store, KEY), Lease(store, KEY)
    assert (await one.take(), await other.take()) == (True, False)
    await other.give_back()
    assert await other.take() is False
    await one.give_back()

    assert await other.take() is True


async def test_a_lease_is_kept_while_its_owner_works(clock: SteppedClock) -> None:
    """It is prolonged before it ends."""
    store = MemoryStore(clock=clock)
    lease = Lease(store, KEY)
    await lease.take()
    clock.advance(LEASE_SECONDS * 0.9)
    assert await lease.take() is True
    clock.advance(LEASE_SECONDS * 0.9)

    assert await Lease(store, KEY).take() is False


async def test_keeping_prolongs_at_half_time() -> None:
    """Until it is cancelled."""
    taken: list[float] = []

    class Noting:
        async def lease(self, _key: bytes, _owner: bytes, seconds: float, /) -> bool:
            taken.append(seconds)
            return True

    with anyio.move_on_after(LEASE_SECONDS * 0.75):
        await Lease(Noting(), KEY).keep()  # type: ignore[arg-type]  # nothing else is asked of it

    assert taken == [LEASE_SECONDS]


async def test_pauses_grow() -> None:
    """Short at first, so that a quick answer is found quickly."""
    pauses = Pauses()
    began = time.monotonic()
    await pauses.wait()

    assert time.monotonic() - began < 5
    assert pauses._next == 0.02
    pauses._next = 0.08
    await pauses.wait()
    assert pauses._next == 0.1
