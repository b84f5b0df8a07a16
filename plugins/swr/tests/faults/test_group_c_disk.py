"""Group C of the fault catalogue, the disk: full, read-only, somebody else's, and locked by another process."""

import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from cqrs_swr import Swr
from cqrs_swr.disk_store import BUSY_SECONDS
from cqrs_swr.shared_store import LAYOUT
from returns.result import Success

DATABASE = Path(LAYOUT) / "rows" / "cache.db"
CONTROL = Path(LAYOUT) / "control" / "cache.db"

# A process may write files of 600 KB, as under a quota; what is beyond that the kernel refuses.
QUOTA = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
"""
# A file system of one megabyte, in a namespace of the process's own.
TINY = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x00020000) == 0, ctypes.get_errno()
assert libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None) == 0, ctypes.get_errno()
os.makedirs(sys.argv[1], mode=0o700, exist_ok=True)
assert libc.mount(b"tmpfs", sys.argv[1].encode(), b"tmpfs", 0, b"size=1m,mode=0700") == 0, ctypes.get_errno()
"""
READ_ONLY = (
    TINY
    + """
assert libc.mount(b"tmpfs", sys.argv[1].encode(), b"tmpfs", 0x21, b"size=1m,mode=0700") == 0, ctypes.get_errno()
"""
)


def may_mount() -> bool:
    """Whether this user may mount something: only then are there tests with a real tiny file system."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", TINY, folder]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


MOUNTS = may_mount()


@pytest.mark.timeout(60)  # a process of its own, on a machine that may be busy
@pytest.mark.parametrize(
    "prelude", [QUOTA, *([TINY] if MOUNTS else [])], ids=["quota", "tmpfs"][: 1 + MOUNTS]
)
def test_c5_a_disk_that_is_full(start: Any, folder: Path, prelude: str) -> None:
    """Every query is answered, rightly; what does not fit is counted, and nothing is tried again for a while."""
    extra = (
        "import random\n"
        "async def fill(bus, store, cache):\n"
        "    size[0] = 150_000\n"
        "    count = 0\n"
        "    while not store._writer.is_off and count < 200:\n"
        "        count += await ask(bus, 1000 + count)\n"
        "        await anyio.sleep(0.02)\n"
        "    return store._writer.is_off\n"
        "async def errors(cache):\n"
        "    return sum(count for kind, count in cache.stats().l2_errors.items() if kind in ('full', 'io'))\n"
        "async def invalidate(cache):\n"
        "    return await cache.invalidate(everything=True)\n"
        "zlib = cqrs_swr.shared_store.Tables  # what is written stays large\n"
        "import cqrs_swr.rows\n"
        "cqrs_swr.rows._WORTHWHILE = 10 ** 9\n"
    )
    process = start(folder, prelude, extra)
    assert process.tell("ask(bus, *range(5))") == "5"
    assert process.tell("fill(bus, store, cache)") == "True", process.tell("errors(cache)")
    assert int(process.tell("errors(cache)")) >= 5
    assert process.tell("ask(bus, 1, 2, 3)") == "0", "what the process holds is served"
    assert process.tell("invalidate(cache)") == "None"
    assert process.tell("ask(bus, 1, 2, 3)") == "3", "an invalidation holds all the same"
    assert "is of no use now" in process.end()


@pytest.mark.timeout(60)  # a process of its own, on a machine that may be busy
@pytest.mark.parametrize("times", [1] if MOUNTS else [], ids=["tmpfs"][:MOUNTS])
def test_c6_a_file_system_that_is_read_only(start: Any, folder: Path, times: int) -> None:
    """The process keeps its own answers, and says why."""
    process = start(folder, READ_ONLY)
    assert process.tell("ask(bus, 1, 1, 2)") == str(times + 1)
    assert "is of no use now" in process.end()


# Everything that a program loads late is loaded while it may still be read.
UNPRIVILEGED = """
async def warm():
    async with CqrsModule.for_root(shop, plugins=(Swr(dir=Path(sys.argv[1]).parent / "warm"),), env={}) as bus:
        await ask(bus, 1)
        await anyio.to_thread.run_sync(len, "")
anyio.run(warm)
computed[0] = 0
import shutil
shutil.rmtree(Path(sys.argv[1]).parent / "warm")
Path(sys.argv[1]).parent.chmod(0o555)
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can enter."""
    folder = Path(tempfile.mkdtemp(prefix="cqrs-swr-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.timeout(60)  # a process of its own, on a machine that may be busy
def test_c6_a_folder_that_must_not_be_written(start: Any, open_folder: Path) -> None:
    """A user without the right to write there: each process keeps its own answers, and says why."""
    process = start(open_folder / "cache", extra=UNPRIVILEGED)
    assert process.tell("ask(bus, 1, 1, 2)") == "2"
    assert "is of no use now" in process.end()
    assert list(open_folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
async def test_c6_a_folder_that_is_none(open_shop: Any, tmp_path: Path, kind: str) -> None:
    """A file or a link: the plugin says so with the setting and the fix, and the app runs without it."""
    place = tmp_path / "cache"
    if kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path if kind == "link" else tmp_path / "nowhere")
    async with open_shop(plugin=Swr(dir=place)) as shop:
        (plugin,) = shop.app.plugins
        assert plugin.state == "failed"
        assert f"CQRS_SWR_DIR={str(place)!r} is" in str(plugin.reason)
        assert [await shop.find() for _ in range(2)] == [Success("answer 1"), Success("answer 2")]
    assert kind != "file" or place.read_text() == "mine"


async def worked(shop: Any, order: int) -> float:
    """How long a computation and an invalidation take."""
    began = time.monotonic()
    assert await shop.find(order) == Success(f"answer {len(shop.executions)}")
    await shop.cache.invalidate(tags=(f"order:{order}",))
    took = time.monotonic() - began
    await anyio.sleep(0.005)
    return took


@pytest.mark.timeout(120)  # the lock is held for thirty seconds if it is to be in full
@pytest.mark.parametrize("lease", [True, False], ids=["leased", "alone"])
@pytest.mark.parametrize("locked", [DATABASE, CONTROL], ids=["rows", "control"])
async def test_c7_another_process_that_holds_the_write_lock(
    open_shop: Any, folder: Path, locked: Path, lease: object, heavy: object
) -> None:
    """Look-ups, computations and invalidations wait for nobody; what waits is written when the lock is gone."""
    async with open_shop(plugin=Swr(dir=folder), lease=lease) as shop:
        unlocked = [await worked(shop, order) for order in range(30)]
        store: Any = shop.state.store
        other = sqlite3.connect(folder / locked, isolation_level=None, timeout=10)
        other.execute("BEGIN IMMEDIATE")
        until, took = time.monotonic() + (30 if heavy else 0.5), list[float]()
        while time.monotonic() < until or len(took) < 30:
            took.append(await worked(shop, 30 + len(took)))
        # Whoever waited for the lock would wait that long each time; a lease is asked for once, and done without.
        waits = 1 if lease else 0
        assert statistics.median(took) < statistics.median(unlocked) * 3 + (waits + 1) * BUSY_SECONDS
        assert shop.cache.stats().l2_errors["busy"] > 0
        assert not store._queue.is_empty()
        other.execute("ROLLBACK")
        other.close()
        with anyio.fail_after(15):
            while not store._queue.is_empty():  # noqa: ASYNC110 - another thread empties it
                await anyio.sleep(0.01)


async def test_c28_reading_writes_nothing(open_shop: Any, folder: Path) -> None:
    """No eviction policy that a read has to write for: under a foreign lock each row is still served."""
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        for order in range(20):
            await shop.find(order)
    with sqlite3.connect(folder / DATABASE) as connection:
        settings = dict(connection.execute("SELECT key, value FROM Settings").fetchall())
    connection.close()
    assert (settings["eviction_policy"], settings["statistics"]) == ("least-recently-stored", 0)
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        other = sqlite3.connect(folder / DATABASE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert [await shop.find(order) for order in range(20)] == [
            Success(f"answer {n + 1}") for n in range(20)
        ]
        assert shop.executions == []
        other.execute("ROLLBACK")
        other.close()
