"""What the faults of group C share: an app in a process of its own, told line by line what to do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

PROGRAM = """
import os, sys, threading
from pathlib import Path
import anyio, attrs
from returns.result import Failure, Success
from cqrs import Command, CqrsModule, Feature, Query
from cqrs.caching import SHARED, QueryCache
from cqrs_swr import Swr
import cqrs_swr.shared_store

@attrs.frozen
class Find(Query[str, str]):
    order: int

@attrs.frozen
class Change(Command[int, str]):
    order: int

shop, computed, size = Feature("shop"), [0], [0]

@shop.handles(Find)
async def find(query):
    computed[0] += 1
    return Success(f"order {query.order}" + "." * size[0])

@shop.handles(Change)
async def change(command):
    return Success(command.order)

shop.caches(Find, ttl=600, jitter=0, scope=SHARED, tags=lambda query: (f"order:{query.order}",))
shop.invalidates(Change, tags=lambda command, _order: (f"order:{command.order}",))

async def main():
    async with CqrsModule.for_root(shop, plugins=(Swr(dir=Path(sys.argv[1]), coherence=0.1),), env={}) as bus:
        cache = bus.container.resolve(QueryCache)
        store = cache._state.store
        print("ready", flush=True)
        while (line := (await anyio.to_thread.run_sync(sys.stdin.readline)).strip()):
            print(await eval(line, globals(), locals()), flush=True)
    print("closed", flush=True)

async def ask(bus, *orders):
    before = computed[0]
    answers = [(await bus.queries.execute(Find(order))).unwrap() for order in orders]
    assert [answer.rstrip(".") for answer in answers] == [f"order {order}" for order in orders], answers
    return computed[0] - before

async def settle(store):
    with anyio.move_on_after(10):
        while not store._queue.is_empty():
            await anyio.sleep(0.01)
    return store._queue.is_empty()
"""


class Process:
    """A process with an app.

    Args:
        folder: what its processes share.
        prelude: code that it runs first.
        extra: code that it runs before the app starts.
    """

    def __init__(self, folder: Path, prelude: str = "", extra: str = "") -> None:
        code = f"{prelude}\n{PROGRAM}\n{extra}\nanyio.run(main)\n"
        self.run = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.said() == "ready", self.run.communicate()

    def said(self) -> str:
        """What it says next."""
        assert self.run.stdout is not None
        return self.run.stdout.readline().rstrip()

    def tell(self, expression: str) -> str:
        """Let it await an expression, and give what it prints.

        ``ask(bus, *orders)`` gives how many of them were computed, and fails if one is answered wrongly.
        """
        assert self.run.stdin is not None
        self.run.stdin.write(f"{expression}\n")
        self.run.stdin.flush()
        said = self.said()
        assert said, self.run.communicate()
        return said

    def end(self) -> str:
        """Let it close, see that it does so in order, and give what it has written to stderr."""
        rest, errors = self.run.communicate("\n", timeout=50)
        assert (rest, self.run.returncode) == ("closed\n", 0), (rest, errors)
        return errors


class Start(Protocol):
    """Starts a process."""

    def __call__(self, folder: Path, prelude: str = "", extra: str = "") -> Process:
        """Start it."""
        ...


@pytest.fixture
def start() -> Iterator[Start]:
    """Give what starts processes; those that a test leaves behind are killed."""
    started: list[Process] = []

    def start_it(folder: Path, prelude: str = "", extra: str = "") -> Process:
        started.append(Process(folder, prelude, extra))
        return started[-1]

    yield start_it
    for process in started:
        if process.run.poll() is None:
            process.run.kill()
            process.run.communicate()


@pytest.fixture
def heavy() -> bool:
    """Whether faults are repeated in full: FAULTS_HEAVY=1, which is `./dev faults-heavy`."""
    return bool(os.environ.get("FAULTS_HEAVY"))
