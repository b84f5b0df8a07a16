"""A day in the life of a cache: ten thousand keys, and nothing grows."""

import asyncio
import gc
import os
import random
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest
from cqrs_swr import Swr
from cqrs_swr.directory import size_of
from cqrs_swr.testing import SteppedClock
from returns.result import Success

MEBIBYTE = 1024 * 1024
HOURS, KEYS, MOST_ENTRIES = 24, 10_000, 500
LOOK_UPS = 4_000 if os.environ.get("FAULTS_HEAVY") else 40  # an hour
# Rows within their limit of 1 MiB, and beside each of the two databases a log that SQLite lets grow to 4 MiB.
MOST_ON_DISK = 10 * MEBIBYTE


def descriptors() -> set[str]:
    return {os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()}


@pytest.mark.timeout(120)  # a thousand look-ups on a machine that may be busy
async def test_a_day_with_ten_thousand_keys_keeps_both_limits(
    open_shop: Any, folder: Path, clock: SteppedClock
) -> None:
    """In memory and on disk, hour by hour; when it is closed, no task, thread or file is left."""
    before, threads = descriptors(), threading.active_count()
    chance = random.Random(24)
    plugin = Swr(dir=folder, size_limit=MEBIBYTE, clock=clock)
    async with open_shop(plugin=plugin, ttl=3600, stale=3600, lease=False) as shop:
        shop.state.memory._most_entries = MOST_ENTRIES
        shop.answer = lambda number: Success(f"{number} " + chance.randbytes(20_000).hex())
        store: Any = shop.state.store
        for _ in range(HOURS):
            for _ in range(LOOK_UPS):
                assert isinstance(await shop.find(chance.randrange(KEYS)), Success)
            await shop.cache.invalidate(tags=(f"order:{chance.randrange(KEYS)}",))
            with anyio.fail_after(60):
                while not store._queue.is_empty():  # noqa: ASYNC110 - another thread empties it
                    await anyio.sleep(0.005)
            stats = shop.cache.stats()
            assert stats.entries <= MOST_ENTRIES
            assert stats.bytes <= 64 * MEBIBYTE
            assert stats.flights <= 8
            assert size_of(folder) <= MOST_ON_DISK
            clock.advance(3600)
        assert stats.evictions > LOOK_UPS
        assert stats.l2_errors == {}
    gc.collect()
    assert len(asyncio.all_tasks()) <= 2, "this test, and what runs it"
    assert threading.active_count() <= threads + 1, "a worker of the pool ends with its event loop"
    assert {path for path in descriptors() - before if str(folder) in path} == set()
