"""`kill -9` in the middle of ingestion: what was answered is there, once.

`just kills` kills twenty times over a million records; KILL_SEED repeats the moments of a run.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
from cqrs_local.directory import DataDirectory
from cqrs_local.store import Store
from cqrs_local.store_settings import StoreSettings

ROUNDS = int(os.environ.get("KILL_ROUNDS", "5"))
RECORDS = int(os.environ.get("KILL_RECORDS", "0"))
SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
CONNECTIONS = 4
BATCH = 20
RESTART_SECONDS = 3.0

# As `cqrs local up`, with segments so small that kills hit their writing too.
SMALL_SEGMENTS = """
import asyncio, sys, time
from pathlib import Path
from cqrs_local import StoreSettings, local_server

async def main():
    async with local_server(Path(sys.argv[1]), settings=StoreSettings(segment_rows=100, merge_files=3, upkeep_seconds=0.05)) as server:
        for name, value in ("URL", server.url), ("ORGANIZATION", server.organization), ("TOKEN", server.token), ("SECONDS", time.process_time()):
            print(f"export OPENOBSERVE_{name}={value}", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class Server:
    """A server process over one directory."""

    def __init__(self, process: asyncio.subprocess.Process, told: dict[str, str]) -> None:
        self.process = process
        self.url = told["OPENOBSERVE_URL"]
        self.processor_seconds = float(told["OPENOBSERVE_SECONDS"])
        user, _, secret = told["OPENOBSERVE_TOKEN"].partition(":")
        self.auth = (user, secret)

    @classmethod
    async def start(cls, *arguments: str) -> "Server":
        """Start a process and wait until it listens."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        found: dict[str, str] = {}
        while len(found) < 4:
            line = (await process.stdout.readline()).decode()
            assert line, "the server did not start"
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                found[name] = value
        return cls(process, found)

    async def stop(self, number: int) -> None:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        await self.process.communicate()


async def test_kills_lose_nothing_that_was_answered_and_store_nothing_twice(tmp_path: Path) -> None:
    """Round after round over one directory: from several connections, while segments are written and merged."""
    chance = random.Random(SEED)  # a moment, not a secret
    tell(f"KILL_SEED={SEED}")
    await fill(tmp_path, RECORDS)
    answered: set[str] = set()
    sent: set[str] = set()
    server = await Server.start("-c", SMALL_SEGMENTS, str(tmp_path))
    for number in range(ROUNDS):
        writers = [
            asyncio.create_task(write(server, f"{number}-{connection}", answered, sent))
            for connection in range(CONNECTIONS)
        ]
        enough = len(answered) + 10 * BATCH
        while len(answered) < enough:  # noqa: ASYNC110 - nobody tells when it does
            await asyncio.sleep(0.01)
        await asyncio.sleep(chance.uniform(0, 0.3))
        await server.stop(signal.SIGKILL)
        await asyncio.gather(*writers)
        left = left_behind(tmp_path)

        began = time.perf_counter()
        server = await Server.start("-c", SMALL_SEGMENTS, str(tmp_path))
        seconds = time.perf_counter() - began
        stored = await read(server)
        tell(
            f"round {number + 1}: {left} after the kill; up again in {seconds:.2f} s, {server.processor_seconds} s "
            f"of processor; {len(answered)} answered, {len(stored)} stored"
        )

        assert {key: count for key, count in stored.items() if count > 1} == {}
        assert answered - set(stored) == set()
        assert set(stored) <= sent
        assert (
            server.processor_seconds < RESTART_SECONDS
        )  # the clock would measure what else the machine does
    assert await count(server, "filled") == RECORDS
    await server.stop(signal.SIGKILL)


def tell(text: str) -> None:
    """Say how a run went; pytest shows it if it fails, or with -s."""
    sys.stdout.write(f"{text}\n")


def left_behind(directory: Path) -> str:
    """What a kill left, by kind of file."""
    patterns = ("*.wal", "*.parquet", "*.unfinished")
    return ", ".join(f"{len(list(directory.rglob(pattern)))} {pattern}" for pattern in patterns)


async def fill(directory: Path, records: int) -> None:
    """Records of another stream in segments, without HTTP."""
    held = DataDirectory(directory)
    store = Store(held.path, StoreSettings())
    store.add_organization("default")
    now = store.now()
    for at in range(0, records, 50_000):
        rows = [
            {"_timestamp": now - at - each, "key": f"{at + each:032x}", "n": each} for each in range(50_000)
        ]
        await store.ingest(("default", "logs", "filled"), rows)
        await store.flush()
    await store.close()
    held.release()


async def write(server: Server, name: str, answered: set[str], sent: set[str]) -> None:
    """Send batches until the server is gone, and note what it answered."""
    async with httpx.AsyncClient(base_url=server.url, auth=server.auth) as http:
        for batch in range(1_000_000):
            keys = [f"{name}-{batch}-{at}" for at in range(BATCH)]
            sent.update(keys)
            try:
                answer = await http.post("/api/default/s/_json", json=[{"key": key} for key in keys])
            except httpx.TransportError:
                return
            assert answer.json()["status"][0]["successful"] == BATCH
            answered.update(keys)


async def read(server: Server) -> Counter[str]:
    """How often each key is stored."""
    return Counter(str(hit["key"]) for hit in await hits(server, "SELECT key FROM s"))


async def count(server: Server, stream: str) -> int:
    """How many rows a stream has; none if there is no such stream."""
    found = await hits(server, f"SELECT count(*) AS n FROM {stream}") if RECORDS else [{"n": 0}]
    return int(str(found[0]["n"]))


async def hits(server: Server, sql: str) -> list[dict[str, object]]:
    """The rows of an answer that has to be whole."""
    query = {"sql": sql, "start_time": 0, "end_time": 2**62, "size": -1}
    async with httpx.AsyncClient(base_url=server.url, auth=server.auth, timeout=20) as http:
        content = (await http.post("/api/default/_search", json={"query": query})).json()
    assert content.get("is_partial") is False, content
    found: list[dict[str, object]] = content["hits"]
    return found
