import threading
import warnings
from pathlib import Path
from typing import Any

import anyio
import pytest
from cqrs_swr.counters import Counters
from cqrs_swr.epochs import VERSION_SCOPE
from cqrs_swr.notices import Notices
from cqrs_swr.shared_store import LAYOUT, SharedStore
from cqrs_swr.write_queue import PendingRow

from cqrs.clock import SystemClock

KEY = b"k" * 16


def store_in(folder: Path) -> SharedStore:
    clock = SystemClock()
    return SharedStore(folder, 16 * 1024 * 1024, clock, Counters(), Notices(clock))


async def written(store: SharedStore) -> None:
    """Wait until nothing waits to be written."""
    with anyio.fail_after(10):
        while not store._queue.is_empty():  # noqa: ASYNC110 - another thread empties it
            await anyio.sleep(0.005)


def descriptors(folder: Path) -> int:
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            found += str(folder) in str(link.readlink())
        except OSError:
            continue
    return found


async def test_what_waits_to_be_written_is_read_already(folder: Path) -> None:
    """A process sees its own rows, removals and epochs at once."""
    store = store_in(folder)
    await store.put(KEY, b"row", 60.0)
    assert await store.get(KEY) == b"row"
    await store.renew((b"scope",), b"token...")
    assert list(await store.epochs((b"scope",))) == [b"token..."]
    await store.remove(KEY)
    assert await store.get(KEY) is None


async def test_everything_is_closed_where_it_was_opened(folder: Path) -> None:
    """No descriptor, no thread and no warning is left (C29, I9)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            store = store_in(folder)
            await store.open()
            await store.put(KEY, b"row", 60.0)
            await written(store)
            assert await store.get(KEY) == b"row"
            await store.close()

    assert descriptors(folder) == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "cqrs-swr-writer"]


async def test_what_waits_is_written_when_it_closes(folder: Path) -> None:
    """The next process finds it."""
    store = store_in(folder)
    await store.open()
    for number in range(100):
        await store.put(b"%016d" % number, b"row", 60.0)
    await store.close()
    other = store_in(folder)
    await other.open()
    found = [await other.get(b"%016d" % number) for number in range(100)]
    await other.close()

    assert found == [b"row"] * 100


async def test_short_threads_open_nothing(folder: Path) -> None:
    """A hundred of them look, and the number of open files stays what it was (C29)."""
    store = store_in(folder)
    await store.open()
    await store.put(KEY, b"row", 60.0)
    await written(store)
    await store.get(KEY)
    before = descriptors(folder)
    found: list[Any] = []

    def look() -> None:
        async def get() -> None:
            found.append(await store.get(KEY))

        anyio.run(get)

    for _ in range(100):
        thread = threading.Thread(target=look)
        thread.start()
        await anyio.to_thread.run_sync(thread.join)
    after = descriptors(folder)
    await store.close()

    assert (after, found) == (before, [None] * 100)


async def test_a_folder_that_was_deleted_is_made_anew(folder: Path) -> None:
    """And everything in it is invalid: what was written into the void is not trusted."""
    store = store_in(folder)
    await store.open()
    before = await store.epochs((VERSION_SCOPE, b"scope"))
    (folder / LAYOUT).rename(folder / "moved")
    with anyio.fail_after(10):
        while (await store.epochs((VERSION_SCOPE, b"scope")))[1] == before[1]:  # noqa: ASYNC110 - as above
            await anyio.sleep(0.01)
    await store.put(KEY, b"row", 60.0)
    await written(store)
    await store.close()

    assert (folder / LAYOUT / "rows" / "cache.db").exists()
    assert descriptors(folder) == 0


async def test_a_lease_that_nobody_can_look_up_is_given(folder: Path) -> None:
    """Work is done twice rather than not at all."""
    store = store_in(folder)

    assert await store.lease(KEY, b"me", 1.0) is True
    await store.release(KEY, b"me")


@pytest.mark.parametrize("row", [PendingRow(b"x", 1.0), PendingRow(None, 0.0)])
def test_a_pending_row_knows_its_size(row: PendingRow) -> None:
    """A removal weighs nothing."""
    assert row.size == len(row.row or b"")
