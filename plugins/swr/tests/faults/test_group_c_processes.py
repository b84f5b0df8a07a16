"""Group C of the fault catalogue, processes: forks, short threads, exits and kills."""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from cqrs_swr import Swr
from cqrs_swr.shared_store import LAYOUT
from returns.result import Success

FORKS = """
import multiprocessing, sqlite3

def in_a_child(app, cache, sent):
    async def ask_there():
        found = {"threads": [t.name for t in threading.enumerate() if "swr" in t.name], "held": len(cache._state.memory)}
        found["computed"] = await ask(app, 1, 1, 2)
        stats = cache.stats()
        found |= {"bypass": stats.lookups["bypass"], "flights": stats.flights}
        found["changed"] = (await app.commands.execute(Change(1))).unwrap()
        return found
    sent.send(anyio.run(ask_there))
    sent.close()

def fork_here(app, cache):
    received, sent = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=in_a_child, args=(app, cache, sent))
    child.start()
    sent.close()
    found = received.recv()
    child.join()
    received.close()
    return child.exitcode, sorted(found.items())

async def fork(app, cache):
    return await anyio.to_thread.run_sync(fork_here, app, cache)
"""
NO_THREADS = "import warnings\nwarnings.filterwarnings('ignore', '.*multi-threaded.*', DeprecationWarning)"


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
def test_c29_a_fork_with_an_open_cache(start: Any, folder: Path) -> None:
    """The child holds nothing of its parent and asks the handler; what it makes invalid is so for all; the parent goes on."""
    parent = start(folder, NO_THREADS, FORKS)
    assert parent.tell("ask(bus, 1, 2, 1)") == "2"
    assert parent.tell("settle(store)") == "True"
    for _ in range(3):
        found = (
            "[('bypass', 3), ('changed', 1), ('computed', 3), ('flights', 0), ('held', 0), ('threads', [])]"
        )
        assert parent.tell("fork(bus, cache)") == f"(0, {found})"
        time.sleep(0.2)  # the coherence time of the program is a tenth of a second
        assert parent.tell("ask(bus, 1, 2)") == "1", "the one that the child has made invalid"
        assert parent.tell("settle(store)") == "True"
    other = start(folder)
    assert other.tell("ask(bus, 1, 2)") == "0", "the parent still writes"
    assert other.end() == parent.end() == ""
    for name in ("rows", "control"):
        connection = sqlite3.connect(folder / LAYOUT / name / "cache.db")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_c29_a_hundred_short_threads(open_shop: Any, folder: Path) -> None:
    """Each with an event loop of its own: all are answered, and no file stays open."""
    wrong: list[Any] = []
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        await shop.find(1)
        before = descriptors()

        async def ask(number: int) -> None:
            if await shop.find(1) != Success("answer 1") or not isinstance(await shop.find(number), Success):
                wrong.append(number)

        def run_in_threads() -> None:
            for number in range(100):
                thread = threading.Thread(target=anyio.run, args=(ask, 100 + number))
                thread.start()
                thread.join()

        await anyio.to_thread.run_sync(run_in_threads)
        assert descriptors() <= before + 1  # the pool's own thread may have opened something
        assert wrong == []


SLOW = """
async def slow(query):
    print("computing", flush=True)
    await anyio.sleep(600)
    return Success("never")
"""


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "alone"])
def test_c23_an_exit_with_a_refresh_running(start: Any, folder: Path, shared: object) -> None:
    """The refresh is given up after half a second, and counted; the app closes."""
    extra = SLOW + (
        "async def refresh(cache, policy=None):\n"
        "    object.__setattr__(cache._state.queries[Find], 'next', slow)\n"
        "    return await cache.refresh(Find(1))\n"
    )
    process = start(
        folder, "" if shared else "import sys; sys.argv.pop(); sys.argv.append('/proc/none')", extra
    )
    assert process.tell("ask(bus, 1)") == "1"
    assert process.tell("refresh(cache)") == "True"
    assert process.said() == "computing"
    began = time.monotonic()
    process.end()
    assert time.monotonic() - began < 30
