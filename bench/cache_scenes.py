"""The scenes of the cache benchmark: run by the interpreter that has one library, told by lines, answering by lines."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from cache_libraries import LIBRARIES, Function, Ours

HANDLER_SECONDS = 0.1
CLIENTS = 50


class Source:
    """What is cached: counts how often it is asked, takes its time, and can fail."""

    def __init__(self, seconds: float = HANDLER_SECONDS) -> None:
        self.executions = 0
        self.seconds = seconds
        self.fails = False
        self.answer: Callable[[Any], Any] = lambda _argument: self.executions

    async def __call__(self, argument: Any) -> Any:
        """Answer."""
        self.executions += 1
        answer = self.answer(argument)
        await asyncio.sleep(self.seconds)
        if self.fails:
            raise ConnectionError
        return answer


class Stalls:
    """When the event loop did not run, since the machine was busy otherwise: no caller waited for its cache then."""

    def __init__(self) -> None:
        self.found: list[tuple[float, float]] = []

    async def watch(self, until: float) -> None:
        """Look every five milliseconds."""
        while (began := time.perf_counter()) < until:
            await asyncio.sleep(0.005)
            self.found.append((began + 0.005, time.perf_counter()))

    def within(self, start: float, end: float) -> float:
        """How much of a time that was."""
        recent = self.found[-200:]
        return sum(max(0.0, min(end, late) - max(start, due)) for due, late in recent)


def failed(result: Any) -> bool:
    """Whether a caller got an error."""
    return type(result).__name__ == "Failure"


def held(result: Any) -> Any:
    """What a caller got."""
    return result.unwrap() if type(result).__name__ == "Success" else result


class Scenes:
    """What is done with one library.

    Args:
        library: which.
        folder: what its processes share.
    """

    def __init__(self, library: str, folder: str) -> None:
        self.make = Ours if library == "ours" else LIBRARIES[library][0]
        self.folder = folder
        self.fresh = 0
        self.open: list[Any] = []

    async def cached(
        self, source: Source, ttl: float, *, shared: bool = False, windows: bool = False
    ) -> Function:
        """Cache a source; in a folder of its own unless processes are to share it."""
        self.fresh += 1
        library: Any = self.make(self.folder if shared else tempfile.mkdtemp(dir=self.folder))
        self.open.append(library)
        self.library = library

        async def ask(argument: Any) -> Any:
            return await source(argument)

        return await library.cached(ask, ttl, windows=windows)

    async def stampede(self, *, shared: bool = False) -> float:
        """Two hundred callers of what is not there: executions."""
        source = Source()
        call = await self.cached(source, 600, shared=shared)
        if shared:
            print(json.dumps("ready"), flush=True)
            sys.stdin.readline()
        await asyncio.gather(*(call(7) for _ in range(200)))
        return source.executions

    async def shared_stampede(self) -> float:
        """The same in one of several processes."""
        return await self.stampede(shared=True)

    async def load(self, *, outage: bool) -> list[float]:
        """Fifty callers for four seconds: share of calls blocked for half the handler's time, of errors, executions."""
        source = Source()
        call = await self.cached(source, 1, windows=True)
        await call(1)
        blocked, calls, errors, stalls = 0, 0, 0, Stalls()
        if outage:
            source.fails = True
        before, until = source.executions, time.perf_counter() + 4

        async def client() -> None:
            nonlocal blocked, calls, errors
            while time.perf_counter() < until:
                began = time.perf_counter()
                try:
                    errors += failed(await call(1))
                except ConnectionError:
                    errors += 1
                ended = time.perf_counter()
                calls += 1
                await asyncio.sleep(0.02)
                blocked += ended - began - stalls.within(began, ended) > HANDLER_SECONDS / 2

        await asyncio.gather(stalls.watch(until), *(client() for _ in range(CLIENTS)))
        return [blocked / calls, errors / calls, source.executions - before]

    async def expiry(self) -> float:
        """While answers end: the share of calls that were blocked."""
        return (await self.load(outage=False))[0]

    async def outage(self) -> list[float]:
        """While the source fails: the share of errors, and executions."""
        return (await self.load(outage=True))[1:]

    async def invalidated(self) -> bool:
        """Whether what was made invalid while it was computed is served afterwards."""
        source, world = Source(), ["old"]
        source.answer = lambda _argument: world[0]
        call = await self.cached(source, 600)
        served = []
        for is_early in (False, True):
            world[0] = "old"
            await self.library.invalidate(1)
            flight = asyncio.ensure_future(call(1))
            await asyncio.sleep(HANDLER_SECONDS / 2)
            world[0] = "new"
            await self.library.invalidate(1)
            served += [await call(1)] if is_early else []
            await flight
            served.append(await call(1))
        return "old" in map(held, served)

    async def cancelled(self) -> float:
        """The share of followers who get no value when the first caller is cancelled."""
        call = await self.cached(Source(), 600)
        callers = [asyncio.ensure_future(call(1))]
        await asyncio.sleep(HANDLER_SECONDS / 4)
        callers += [asyncio.ensure_future(call(1)) for _ in range(5)]
        await asyncio.sleep(HANDLER_SECONDS / 4)
        callers[0].cancel()
        results = await asyncio.gather(*callers, return_exceptions=True)
        return sum(isinstance(result, BaseException) for result in results[1:]) / 5

    async def failure(self) -> bool:
        """Whether a ``Failure`` is kept as a success."""
        from returns.result import Failure

        source = Source(0)
        source.answer = lambda _argument: Failure("no")
        call = await self.cached(source, 600)
        for _ in range(3):
            await call(1)
        return source.executions < 3

    async def ttl_0(self) -> bool:
        """Whether a ttl of 0 keeps anything."""
        source = Source(0)
        call = await self.cached(source, 0)
        for _ in range(3):
            await call(1)
            await asyncio.sleep(0.01)
        return source.executions < 3

    async def collisions(self) -> int:
        """How many of six pairs of different questions share an entry."""
        pairs = [
            (1, True),
            (1, 1.0),
            (1, "1"),
            (None, ""),
            (("a", "b"), ("a:b",)),
            (("x y", "z"), ("x", "y z")),
        ]
        found = 0
        for one, other in pairs:
            source = Source(0)
            source.answer = lambda argument: f"{type(argument).__name__}"
            call = await self.cached(source, 600)
            await call(one)
            await call(other)
            found += source.executions < 2
        return found

    async def locked(self) -> list[float]:
        """Another process holds the write lock 200 ms in a second: p99 of an operation, longest stall of the loop, ms."""
        import subprocess
        from pathlib import Path

        source = Source(0)
        call = await self.cached(source, 600)
        for number in range(200):
            await call(number)
        await asyncio.sleep(0.5)
        files = [str(path) for path in Path(self.folder).rglob("cache.db")]  # noqa: ASYNC240 - nobody waits
        if not files:
            return []
        idle = await self._stalls(call, 2)
        locker = subprocess.Popen([sys.executable, "-c", LOCKER, *files])  # noqa: ASYNC220 - nobody waits
        try:
            return [*idle, *(await self._stalls(call, 3))]
        finally:
            locker.kill()
            locker.wait()

    async def _stalls(self, call: Function, seconds: float) -> list[float]:
        took, stalls, until = [], [], time.perf_counter() + seconds

        async def tick() -> None:
            while time.perf_counter() < until:
                began = time.perf_counter()
                await asyncio.sleep(0.001)
                stalls.append(time.perf_counter() - began - 0.001)

        ticking, number = asyncio.ensure_future(tick()), 0
        while time.perf_counter() < until:
            began = time.perf_counter()
            await call(number % 200 if number % 10 else 1000 + number)
            took.append(time.perf_counter() - began)
            number += 1
            await asyncio.sleep(0.002)
        await ticking
        return [sorted(took)[len(took) * 99 // 100] * 1e3, sorted(stalls)[len(stalls) * 99 // 100] * 1e3]

    async def hit(self) -> dict[str, float]:
        """What hits cost, in microseconds of processor time."""
        from cache_costs import costs

        if not hasattr(self, "costs"):
            self.costs = await costs(self)
        return {name: await measure() for name, measure in self.costs.items()}


LOCKER = """
import sqlite3, sys, time
connections = [sqlite3.connect(file, isolation_level=None, timeout=5) for file in sys.argv[1:]]
while True:
    for connection in connections:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            pass
    time.sleep(0.2)
    for connection in connections:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    time.sleep(0.8)
"""


async def main() -> None:
    """Do what each line says."""
    scenes = Scenes(sys.argv[1], sys.argv[2])
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # exceptions that a library never retrieves
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        try:
            answer = await getattr(scenes, line)()
        except Exception as error:  # noqa: BLE001 - it is printed in the table
            answer = f"{type(error).__name__}: {error}"[:80]
        print(json.dumps(answer), flush=True)
    for library in scenes.open:
        if hasattr(library, "close"):
            await library.close()


if __name__ == "__main__":
    asyncio.run(main())
