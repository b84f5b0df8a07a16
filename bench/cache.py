"""What the query cache costs and keeps, beside other caches, each in an environment of its own.

Run with ``just bench cache``; ``--peers`` makes the peers' environments first (a minute, and needs an index). Every
figure is a ratio within one run: peers and ours are timed in turns. Without the peers, the bars that need none are printed.
"""

import argparse
import asyncio
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
from cqrs_swr import Swr
from returns.result import Result, Success

from cqrs import CqrsModule, Feature, Query
from cqrs.caching import SHARED, QueryCache

PEERS = ("async-lru", "cashews[diskcache]", "aiocache", "diskcache")
HOME = Path(__file__).resolve().parent.parent / ".venv-bench"

PEER = """
import asyncio, json, sys, tempfile, time
which, calls = sys.argv[1], int(sys.argv[2])
counted = 0

async def slow(number):
    global counted
    counted += 1
    await asyncio.sleep(0.1)
    return number

async def main():
    global counted
    if which == "async-lru":
        from async_lru import alru_cache
        cached = alru_cache(maxsize=1000, ttl=600)(slow)
    elif which == "cashews":
        from cashews import cache
        cache.setup("mem://")
        cached = cache(ttl=600, protected=True)(slow)
    elif which == "aiocache":
        from aiocache import cached as decorate
        cached = decorate(ttl=600)(slow)
    elif which == "diskcache":
        import diskcache, attrs
        store = diskcache.Cache(tempfile.mkdtemp())
        @attrs.frozen
        class Answer:
            sku: str = "sku-1"
            quantity: int = 2
        globals()["Answer"] = Answer
        Answer.__module__, Answer.__qualname__ = "__main__", "Answer"
        store.set("key", Answer())
        async def cached(number):
            return store.get("key")
    await cached(1)
    best = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(calls):
            await cached(1)
        best.append((time.perf_counter() - began) / calls)
    counted = 0
    await asyncio.gather(*(cached(2) for _ in range(200)))
    print(json.dumps({"hit": min(best), "stampede": counted}))

asyncio.run(main())
"""


@attrs.frozen
class Find(Query[str, str]):
    """The query; built anew in each call."""

    order: int


class Timed:
    """An app with one cached query.

    Attributes:
        executions: how often the handler ran.
        seconds: how long it takes.
        fails: whether it does.
    """

    def __init__(self, folder: Path | None, **policy: Any) -> None:
        self.executions = 0
        self.seconds = 0.0
        self.fails = False
        feature = Feature("bench")

        @feature.handles(Find)
        async def find(query: Find) -> Result[str, str]:
            self.executions += 1
            await asyncio.sleep(self.seconds)
            if self.fails:
                raise ConnectionError
            return Success(f"order {query.order}")

        feature.caches(Find, **{"ttl": 600, "scope": SHARED, **policy})
        given = {} if folder is None else {"dir": folder}
        self.app = CqrsModule.for_root(feature, plugins=(Swr(**given),), env={})


async def per_call(call: Callable[[], Awaitable[object]], calls: int) -> float:
    """The best of seven rounds, in seconds per call."""
    rounds = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(calls):
            await call()
        rounds.append((time.perf_counter() - began) / calls)
    return min(rounds)


async def hits(calls: int) -> dict[str, float]:
    """An L1 hit, and an L2 hit with the memory emptied before each."""
    with tempfile.TemporaryDirectory() as folder:
        timed = Timed(Path(folder) / "cache")
        async with timed.app as bus:
            execute = bus.queries.execute
            await execute(Find(1))
            await asyncio.sleep(0.3)
            first = await per_call(lambda: execute(Find(1)), calls)
            cache: Any = bus.container.resolve(QueryCache)
            memory = cache._state.memory  # noqa: SLF001 - what is held has to go, so that the store is read
            before = timed.executions

            async def from_disk() -> None:
                memory.clear()
                await execute(Find(1))

            second = await per_call(from_disk, calls // 4)
            assert timed.executions == before
            return {"L1 hit": first, "L2 hit": second}


async def expiry_and_outage() -> dict[str, float]:
    """Fifty callers while answers end, then while the handler fails for four seconds."""
    timed = Timed(None, ttl=0.5, stale=20, fail_safe=20, jitter=0, backoff=(1.0, 60.0))
    timed.seconds = 0.1
    blocked, calls, errors = 0, 0, 0

    async def ask(until: float) -> None:
        nonlocal blocked, calls, errors
        while time.perf_counter() < until:
            began = time.perf_counter()
            answer = await bus.queries.execute(Find(1))
            calls += 1
            blocked += time.perf_counter() - began > 0.05
            errors += not isinstance(answer, Success)
            await asyncio.sleep(0.02)

    async with timed.app as bus:
        await bus.queries.execute(Find(1))
        await asyncio.gather(*(ask(time.perf_counter() + 4) for _ in range(50)))
        found = {"blocked at expiry, share": blocked / calls}
        timed.fails, errors, before = True, 0, timed.executions
        await asyncio.gather(*(ask(time.perf_counter() + 4) for _ in range(50)))
    return found | {"outage: errors": errors, "outage: executions": timed.executions - before}


async def stampede() -> int:
    """Two hundred callers of a key that is not there."""
    timed = Timed(None)
    timed.seconds = 0.1
    async with timed.app as bus:
        await asyncio.gather(*(bus.queries.execute(Find(1)) for _ in range(200)))
    return timed.executions


def environment(peer: str) -> Path:
    """Where a peer is installed."""
    return HOME / peer.partition("[")[0]


def install() -> None:
    """Make an environment for each peer."""
    for peer in PEERS:
        venv.create(environment(peer), with_pip=True, clear=True)
        command = [environment(peer) / "bin/python", "-m", "pip", "install", "--quiet", peer, "attrs"]
        subprocess.run(command, check=True)


def peer_figures(peer: str, calls: int) -> dict[str, float] | None:
    """What a peer does in the same machine's minute; None if it is not installed."""
    python = environment(peer) / "bin/python"
    if not python.exists():
        return None
    command = [python, "-c", PEER, peer.partition("[")[0], str(calls)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def main() -> int:
    """Measure, print, and say with the exit code whether a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", action="store_true", help="make the peers' environments first")
    parser.add_argument("--calls", type=int, default=4_000, help="calls per round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are printed")
    arguments = parser.parse_args()
    logging.getLogger("cqrs").setLevel(logging.CRITICAL)  # the outage is there on purpose
    if arguments.peers:
        install()
    ours: dict[str, list[float]] = {}
    peers: dict[str, list[dict[str, float]]] = {}
    for _ in range(arguments.rounds):
        for name, seconds in asyncio.run(hits(arguments.calls)).items():
            ours.setdefault(name, []).append(seconds)
        for peer in PEERS:
            figures = peer_figures(peer, arguments.calls)
            if figures is not None:
                peers.setdefault(peer.partition("[")[0], []).append(figures)
    return _print(ours, peers, asyncio.run(expiry_and_outage()), asyncio.run(stampede()))


def _print(
    ours: dict[str, list[float]],
    peers: dict[str, list[dict[str, float]]],
    scenes: dict[str, float],
    executions: int,
) -> int:
    own = {name: statistics.median(column) for name, column in ours.items()}
    hit = {name: statistics.median(each["hit"] for each in column) for name, column in peers.items()}
    print(
        f"Python {sys.version.split()[0]}; L1 hit {own['L1 hit'] * 1e6:.1f} us, L2 hit {own['L2 hit'] * 1e6:.1f} us"
    )
    bars: list[tuple[str, float, str, float]] = [
        ("stampede, 200 callers: executions", executions, "<=", 1),
        ("blocked at expiry, share of calls", scenes["blocked at expiry, share"], "<=", 0.0),
        ("outage of 4 s: errors", scenes["outage: errors"], "<=", 0),
        ("outage of 4 s: executions", scenes["outage: executions"], "<=", 6),
    ]
    if "async-lru" in hit:
        bars.append(("L1 hit / async-lru hit", own["L1 hit"] / hit["async-lru"], "<=", 2.5))
    if "cashews" in hit:
        bars.append(("L1 hit / cashews decorator hit", own["L1 hit"] / hit["cashews"], "<=", 1 / 15))
    if "diskcache" in hit:
        bars.append(("L2 hit / diskcache.Cache.get", own["L2 hit"] / hit["diskcache"], "<=", 2.0))
    missed = 0
    for name, value, _, most in bars:
        missed += value > most
        print(f"{name:<38}{value:>9.3f}   bar {most:.3f}   {'kept' if value <= most else 'MISSED'}")
    for name, column in peers.items():
        told = statistics.median(each["stampede"] for each in column)
        if name != "diskcache":
            print(f"stampede of 200 with {name}: {told:.0f} executions")
    absent = sorted({peer.partition("[")[0] for peer in PEERS} - set(peers))
    if absent:
        print(f"not measured, not installed (--peers): {', '.join(absent)}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
