"""Group C of the fault catalogue on real files: no query ever fails or gets a wrong value, whatever is done to the folder."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from cqrs_swr import Swr
from cqrs_swr.shared_store import LAYOUT
from cqrs_swr.testing import SteppedClock
from returns.result import Success

DATABASE = Path(LAYOUT) / "rows" / "cache.db"
CONTROL = Path(LAYOUT) / "control" / "cache.db"


async def filled(open_shop: Any, folder: Path, count: int = 20) -> None:
    """Let an app fill a folder and close it."""
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        for order in range(count):
            await shop.find(order)


def overwritten(content: bytes) -> Callable[[Path], None]:
    return lambda file: file.write_bytes(content) and None


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    chance = random.Random(7)
    for _ in range(200):
        content[chance.randrange(100, len(content))] ^= 0xFF
    file.write_bytes(bytes(content))


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def emptied(file: Path) -> None:
    file.write_bytes(b"")


DAMAGES = {
    "empty": emptied,
    "garbage": overwritten(bytes(range(256)) * 100),
    "truncated": truncated,
    "flipped": flipped,
    "text": overwritten(b"this is no database\n" * 100),
    "folder": a_folder,
    "header": overwritten(b"SQLite format 3\0" + b"\0" * 5000),
}


@pytest.mark.parametrize("database", [DATABASE, CONTROL], ids=["rows", "control"])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_c1_a_database_that_is_damaged_before_it_is_opened(
    open_shop: Any, folder: Path, database: Path, damage: str
) -> None:
    """Every query is answered, rightly; afterwards the folder is of use again, or the process keeps to itself."""
    await filled(open_shop, folder)
    for extra in ("-wal", "-shm"):
        (folder / f"{database}{extra}").unlink(missing_ok=True)
    DAMAGES[damage](folder / database)
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        for order in range(20):
            answer = await shop.find(order)
            assert answer in (Success(f"answer {order + 1}"), Success(f"answer {len(shop.executions)}"))
        assert await shop.status(1) == "fresh"


@pytest.mark.parametrize("damage", ["garbage", "truncated", "empty"])
async def test_c2_a_database_that_is_damaged_while_it_is_open(
    open_shop: Any, folder: Path, damage: str
) -> None:
    """The same; what cannot be read is computed."""
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        for order in range(20):
            await shop.find(order)
        DAMAGES[damage](folder / DATABASE)
        shop.state.memory.clear()
        for order in range(20):
            answer = await shop.find(order)
            assert answer in (Success(f"answer {order + 1}"), Success(f"answer {len(shop.executions)}"))


async def test_c3_a_row_that_is_cut_changed_or_moved(open_shop: Any, folder: Path) -> None:
    """It is no row: the answer is computed, never a wrong one served."""
    await filled(open_shop, folder)
    with sqlite3.connect(folder / DATABASE) as connection:
        rows = connection.execute("SELECT rowid, value FROM Cache ORDER BY rowid").fetchall()
        chance = random.Random(3)
        for place, (rowid, value) in enumerate(rows):
            changed = bytearray(value)
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            content = [bytes(changed), value[: len(value) // 2], rows[(place + 1) % len(rows)][1]][place % 3]
            connection.execute("UPDATE Cache SET value = ? WHERE rowid = ?", (content, rowid))
    connection.close()
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        for order in range(20):
            assert await shop.find(order) == Success(f"answer {len(shop.executions)}")
        assert len(shop.executions) == 20
        errors = shop.cache.stats().l2_errors
        assert errors["integrity"] + errors["moved"] == 20


async def test_c6_a_folder_that_is_missing_or_cannot_be_made(open_shop: Any, tmp_path: Path) -> None:
    """It is made for its owner alone, with those above it; where it cannot be, the process keeps its own answers."""
    folder = tmp_path / "missing" / "deeper" / "cache"
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        await shop.find()
        assert await shop.status() == "fresh"
    assert [each.stat().st_mode & 0o777 for each in (folder, folder.parent)] == [0o700, 0o700]
    async with open_shop(plugin=Swr(dir=Path("/proc/cache"))) as shop:
        await shop.find()
        assert await shop.status() == "fresh"
        assert shop.cache.stats().l2_errors["io"] > 0


async def test_c8_a_lock_while_the_folder_is_opened(open_shop: Any, folder: Path) -> None:
    """The app starts all the same, and uses the folder when it can."""
    await filled(open_shop, folder, count=1)
    other = sqlite3.connect(folder / CONTROL, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        assert await shop.find(5) == Success("answer 1")
        assert shop.cache.stats().l2_errors["busy"] > 0
        other.execute("ROLLBACK")
        other.close()
        store: Any = shop.state.store
        with anyio.fail_after(15):
            while store._writer.tables is None:  # noqa: ASYNC110 - another thread opens it
                await anyio.sleep(0.01)


WORKER = """
import sys, anyio, attrs
from pathlib import Path
from returns.result import Success
from cqrs import CqrsModule, Feature, Query
from cqrs.caching import SHARED
from cqrs_swr import Swr

@attrs.frozen
class Find(Query[str, str]):
    order: int

shop = Feature("shop")

@shop.handles(Find)
async def find(query):
    print("computed", query.order, flush=True)
    await anyio.sleep(float(sys.argv[3]))
    return Success(f"order {query.order}")

shop.caches(Find, ttl=600, scope=SHARED)

async def main():
    async with CqrsModule.for_root(shop, plugins=(Swr(dir=Path(sys.argv[1])),), env={}) as bus:
        print("ready", flush=True)
        sys.stdin.readline()
        async with anyio.create_task_group() as group:
            async def ask(order):
                answer = await bus.queries.execute(Find(order))
                print("answered", order, answer.unwrap(), flush=True)
            for order in range(int(sys.argv[2])):
                for _ in range(8):
                    group.start_soon(ask, order)
    print("closed", flush=True)

anyio.run(main)
"""


def worker(folder: Path, orders: int, seconds: float) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", WORKER, str(folder), str(orders), str(seconds)]
    started = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def go(started: "subprocess.Popen[str]") -> None:
    assert started.stdin is not None
    started.stdin.write("go\n")
    started.stdin.flush()


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
def test_c9_two_processes_with_eight_callers_each_compute_once(folder: Path) -> None:
    """One holds the lease, the other waits for its row (I20)."""
    workers = [worker(folder, 1, 0.5) for _ in range(2)]
    for each in workers:
        go(each)
    printed = [each.communicate(timeout=50)[0] for each in workers]

    assert "".join(printed).count("computed 0") == 1
    assert [text.count("answered 0 order 0") for text in printed] == [8, 8]
    assert all(text.endswith("closed\n") for text in printed)


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
def test_c10_an_owner_of_a_lease_that_is_killed(folder: Path) -> None:
    """The other process computes when the lease has run out."""
    owner = worker(folder, 1, 60)
    go(owner)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "computed 0\n"
    time.sleep(0.2)
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    other = worker(folder, 1, 0)
    go(other)
    printed, _ = other.communicate(timeout=50)

    assert printed.count("answered 0 order 0") == 8


KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from cqrs.clock import SystemClock
from cqrs_swr.disk_store import Tables
chance = random.Random(11)
for _ in range(int(sys.argv[2])):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        tables = Tables(Path(sys.argv[1]), 2 ** 24, SystemClock())
        os.write(writer, b"x")
        for number in range(10 ** 9):
            tables.put(b"%016d" % (number % 50), bytes([number % 256]) * 3000, 600.0)
            tables.renew({b"scope%03d" % (number % 9): b"%08d" % number})
    os.read(reader, 1)
    time.sleep(chance.random() * 0.03)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader), os.close(writer)
"""


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
def test_c14_processes_that_are_killed_while_they_write(folder: Path, heavy: object) -> None:
    """At any moment: the databases stay whole, and what the next process reads is right; fifty of them, if in full."""
    command = [sys.executable, "-c", KILLER, str(folder / LAYOUT), "50" if heavy else "8"]
    subprocess.run(command, check=True, timeout=50)
    folder.chmod(0o700)
    for name in (DATABASE, CONTROL):
        connection = sqlite3.connect(folder / name)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
    last = worker(folder, 20, 0)
    go(last)
    printed, _ = last.communicate(timeout=50)

    assert all(printed.count(f"answered {order} order {order}\n") == 8 for order in range(20))


async def test_c11_planted_rows_through_the_whole_cache(open_shop: Any, folder: Path, tmp_path: Path) -> None:
    """A pickle, a file outside, a bomb: nothing runs, nothing is read, every answer is computed."""
    await filled(open_shop, folder, count=4)
    outside = tmp_path / "outside"
    outside.write_text("secret")
    with sqlite3.connect(folder / DATABASE) as connection:
        rowids = [rowid for (rowid,) in connection.execute("SELECT rowid FROM Cache ORDER BY rowid")]
        plants: list[tuple[int, Any, Any]] = [
            (4, None, b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR."),
            (2, str(outside), None),
            (3, "../../../outside", None),
            (1, None, "a text"),
        ]
        for rowid, (mode, filename, value) in zip(rowids, plants, strict=True):
            connection.execute(
                "UPDATE Cache SET mode = ?, filename = ?, value = ? WHERE rowid = ?",
                (mode, filename, value, rowid),
            )
    connection.close()
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        for order in range(4):
            assert await shop.find(order) == Success(f"answer {order + 1}")
        assert shop.cache.stats().l2_errors["tampered"] == 4

    assert not (tmp_path / "ran").exists()
    assert outside.read_text() == "secret"


async def test_c12_rows_of_a_clock_that_is_wrong(open_shop: Any, folder: Path) -> None:
    """A process whose wall clock is an hour or fifty years off serves nothing beyond its time (I19)."""
    clock = SteppedClock()
    async with open_shop(plugin=Swr(dir=folder, clock=clock), clock=clock) as shop:
        await shop.find()
    for seconds in (3600.0, 50 * 365 * 86_400.0):
        ahead = SteppedClock()
        ahead.step(seconds)
        async with open_shop(plugin=Swr(dir=folder, clock=ahead), clock=ahead) as shop:
            assert await shop.status() == "miss"
    # Its rows are of fifty years ahead: set back, nobody takes them for young; old ones stay as old as they are.
    for seconds in (-86_400.0, 50 * 365 * 86_400.0):
        clock.step(seconds)
        clock.advance(31)
        async with open_shop(plugin=Swr(dir=folder, clock=clock), clock=clock) as shop:
            assert await shop.status() == "miss"


async def test_h4_a_folder_that_others_prepared(open_shop: Any, tmp_path: Path) -> None:
    """A link, or a folder that others can write: the plugin is refused, the app runs without it."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    for folder in (tmp_path / "link", loose):
        async with open_shop(plugin=Swr(dir=folder)) as shop:
            assert [plugin.state for plugin in shop.app.plugins] == ["failed"]
            assert await shop.find() == Success("answer 1")
            assert await shop.find() == Success("answer 2")
        assert list(folder.iterdir()) == []


async def test_h5_a_tenant_that_asks_for_what_is_another_tenants(open_shop: Any, folder: Path) -> None:
    """Neither in memory nor in the folder does it find it."""
    from cqrs.caching import TENANT

    async with open_shop(plugin=Swr(dir=folder), scope=TENANT) as shop:
        await shop.find(tenant="a")
        assert await shop.find(tenant="b") == Success("answer 2")
    async with open_shop(plugin=Swr(dir=folder), scope=TENANT) as shop:
        assert await shop.find(tenant="c") == Success("answer 1")
        assert await shop.find(tenant="b") == Success("answer 2")
