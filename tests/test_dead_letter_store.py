"""The store of dead letters in a file: what every queue promises is in test_dead_letter_contract."""

import asyncio
import os
import resource
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event
from cqrs.dead_letter import DeadLetter, StoreFailed
from cqrs.dead_letter_store import SqliteDeadLetterQueue


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int


class Opaque(Event):
    """An event that cannot be written."""


def letter(number: int, sequence: str | None = None) -> DeadLetter:
    return DeadLetter(Placed(number), "shop.Placed", "send", sequence)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def done(result: Result[Any, Any]) -> Any:
    assert isinstance(result, Success), result
    return result.unwrap()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "letters.db"


@pytest.fixture
async def queue(path: Path) -> AsyncIterator[SqliteDeadLetterQueue]:
    """A store that is open and has little patience."""
    queue = SqliteDeadLetterQueue(path, patience=0.1)
    done(await queue.open())
    yield queue
    await queue.close()


async def test_letters_outlive_the_store(path: Path) -> None:
    """Closing and opening changes nothing, and the file stays its owner's alone."""
    queue = SqliteDeadLetterQueue(path)
    done(await queue.open())
    done(await queue.park(letter(1)))
    await queue.close()
    again = SqliteDeadLetterQueue(path)
    done(await again.open())

    assert done(await again.count()) == 1
    assert mode_of(path) == 0o600
    await again.close()


async def test_a_store_that_is_not_open_says_so(path: Path) -> None:
    """Before it was opened and after it was closed, every step is a Failure."""
    queue = SqliteDeadLetterQueue(path)
    closed = Failure(StoreFailed(str(path), "park", "it is not open"))

    assert await queue.park(letter(1)) == closed
    done(await queue.open())
    await queue.close()
    assert await queue.park(letter(1)) == closed


async def test_a_store_that_cannot_be_opened_says_why(path: Path) -> None:
    """A folder in place of the file is a Failure that names it."""
    opened = await SqliteDeadLetterQueue(path.parent).open()

    assert isinstance(opened, Failure)
    assert opened.failure().store == str(path.parent)
    assert "IsADirectoryError" in opened.failure().reason


async def test_a_locked_file_is_a_failure_and_then_none(queue: SqliteDeadLetterQueue, path: Path) -> None:
    """While another program holds the file, nothing is parked and that is said; afterwards all is well."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused = await queue.park(letter(1))
        unknown = await queue.park_behind(letter(2, "a"))
        other.execute("ROLLBACK")

    for result in (refused, unknown):
        assert isinstance(result, Failure)
        assert "database is locked" in result.failure().reason
    assert done(await queue.count()) == 0
    done(await queue.park(letter(3)))


async def test_an_event_that_cannot_be_written_is_refused(queue: SqliteDeadLetterQueue) -> None:
    """Nothing is parked that could not be read back, and where its sequence is free it may still be delivered."""
    opaque = DeadLetter(Opaque(), "shop.Opaque", "send", "a")
    refused = await queue.park(opaque)
    free = await queue.park_behind(opaque)
    done(await queue.park(letter(1, "a")))
    behind = await queue.park_behind(opaque)

    assert "neither an attrs class nor a dataclass" in refused.failure().reason
    assert free == Success(False)
    assert isinstance(behind, Failure)
    assert done(await queue.count()) == 1


async def test_the_event_loop_does_not_wait_for_the_disk(queue: SqliteDeadLetterQueue, path: Path) -> None:
    """While a step waits for a lock, others run."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        async with anyio.create_task_group() as group:
            group.start_soon(tick)
            await queue.park(letter(1))
            group.cancel_scope.cancel()

    assert ticks > 10


async def test_many_at_once_keep_their_order(queue: SqliteDeadLetterQueue) -> None:
    """Steps that come together are done one after the other, each whole."""
    parked = await asyncio.gather(*(queue.park(letter(n, str(n % 3))) for n in range(30)))
    claims = await asyncio.gather(*(queue.claim() for _ in range(5)))

    assert set(parked) == {Success(None)}
    claimed = [done(claim) for claim in claims]
    assert len({claim.letter.id for claim in claimed if claim is not None}) == 3
    assert claimed.count(None) == 2


async def test_a_fork_does_not_use_its_parents_file(
    queue: SqliteDeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An SQLite connection must not be used in a child: there, the store says that it was opened elsewhere."""
    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert "forked" in (await queue.count()).failure().reason


def program(body: str) -> str:
    return textwrap.dedent(
        """
        import sys, anyio, attrs, os, signal, resource
        from cqrs import Event
        from cqrs.dead_letter import DeadLetter
        from cqrs.dead_letter_store import SqliteDeadLetterQueue
        @attrs.frozen
        class Placed(Event):
            order: int
            text: str = ""
        queue = SqliteDeadLetterQueue(sys.argv[1])
        """
    ) + textwrap.dedent(body)


def run(code: str, path: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=15, check=False
    )


def started(code: str, path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def test_what_was_answered_survives_kill_9(queue: SqliteDeadLetterQueue, path: Path) -> None:
    """Every letter whose parking was answered is there after the process was killed in the middle of parking."""
    killed = run(
        program("""
        async def main():
            await queue.open()
            for number in range(1000):
                assert (await queue.park(DeadLetter(Placed(number), "shop.Placed", "send", "a"))).unwrap() is None
                print(number, flush=True)
                if number == 25:
                    os.kill(os.getpid(), signal.SIGKILL)
        anyio.run(main)
        """),
        path,
    )
    answered = [int(line) for line in killed.stdout.split()]

    assert killed.returncode == -9
    page = done(await queue.page(0, 1000))
    orders = [each.event.payload for each in page.letters]
    assert orders[:26] == [f'{{"order": {number}, "text": ""}}' for number in answered]


async def test_a_claim_of_a_process_that_was_killed_is_free_at_once(
    queue: SqliteDeadLetterQueue, path: Path
) -> None:
    """Nobody waits a minute for a replay that was killed; one that runs keeps its claim."""
    done(await queue.park(letter(1)))
    code = program("""
        async def main():
            await queue.open()
            print((await queue.claim()).unwrap().letter.id, flush=True)
            sys.stdin.read()
        anyio.run(main)
        """)
    with started(code, path) as process:
        assert process.stdout is not None
        claimed = process.stdout.readline().strip()
        assert done(await queue.claim()) is None
        process.kill()
        process.wait()

    assert done(await queue.claim()).letter.id == claimed


async def test_a_full_disk_is_a_failure_and_keeps_what_was_parked(
    queue: SqliteDeadLetterQueue, path: Path
) -> None:
    """When the file cannot grow any more, parking fails and says so; what was answered before is still there."""
    assert resource.RLIMIT_FSIZE is not None
    full = run(
        program("""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        async def main():
            await queue.open()
            for number in range(1000):
                parked = await queue.park(DeadLetter(Placed(number, "x" * 5000), "shop.Placed", "send", "a"))
                if type(parked).__name__ == "Failure":
                    print("Failure", parked.failure().operation, parked.failure().reason)
                    break
                print(number)
            count = await queue.count()
            print("count", count.unwrap())
        anyio.run(main)
        """),
        path,
    )
    *parked, failure, count = full.stdout.splitlines()

    assert full.returncode == 0, full.stderr
    assert failure.startswith("Failure park OperationalError")
    assert count == f"count {len(parked)}"
    assert done(await queue.count()) == len(parked) > 0
