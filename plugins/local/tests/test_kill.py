"""`kill -9` in the middle of ingestion: what was answered is there, once."""

import asyncio
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

CONNECTIONS = 4
BATCH = 20

# As `cqrs local up`, with segments so small that kills hit their writing too.
SMALL_SEGMENTS = """
import asyncio, sys
from pathlib import Path
from cqrs_local import StoreSettings, local_server

async def main():
    async with local_server(Path(sys.argv[1]), settings=StoreSettings(segment_rows=100, merge_files=3, upkeep_seconds=0.05)) as server:
        for name, value in ("URL", server.url), ("ORGANIZATION", server.organization), ("TOKEN", server.token):
            print(f"export OPENOBSERVE_{name}={value}", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class Server:
    """A server process over one directory."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, token: str) -> None:
        self.process = process
        self.url = url
        user, _, secret = token.partition(":")
        self.auth = (user, secret)

    @classmethod
    async def start(cls, *arguments: str) -> "Server":
        """Start a process and wait until it listens."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        found: dict[str, str] = {}
        while len(found) < 3:
            line = (await process.stdout.readline()).decode()
            assert line, "the server did not start"
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                found[name] = value
        return cls(process, found["OPENOBSERVE_URL"], found["OPENOBSERVE_TOKEN"])

    async def stop(self, number: int) -> None:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        await self.process.communicate()


@pytest.mark.parametrize("seed", range(5))
async def test_a_kill_loses_nothing_that_was_answered_and_stores_nothing_twice(
    tmp_path: Path, seed: int
) -> None:
    """From several connections, at a random moment of ingestion, while segments are written; a restart has it all."""
    chance = random.Random(seed)  # a moment, not a secret
    answered: set[str] = set()
    sent: set[str] = set()
    server = await Server.start("-c", SMALL_SEGMENTS, str(tmp_path))
    writers = [
        asyncio.create_task(write(server, str(connection), answered, sent))
        for connection in range(CONNECTIONS)
    ]
    while len(answered) < 10 * BATCH:  # noqa: ASYNC110 - nobody tells when it does
        await asyncio.sleep(0.01)
    await asyncio.sleep(chance.uniform(0, 0.3))
    await server.stop(signal.SIGKILL)
    await asyncio.gather(*writers)

    server = await Server.start("-c", SMALL_SEGMENTS, str(tmp_path))
    stored = await read(server)
    await server.stop(signal.SIGKILL)

    assert {key: count for key, count in stored.items() if count > 1} == {}
    assert answered - set(stored) == set()
    assert set(stored) <= sent


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
    query = {"sql": "SELECT key FROM s", "start_time": 0, "end_time": 2**62, "size": -1}
    async with httpx.AsyncClient(base_url=server.url, auth=server.auth, timeout=20) as http:
        content = (await http.post("/api/default/_search", json={"query": query})).json()
    assert content.get("is_partial") is False, content
    return Counter(hit["key"] for hit in content["hits"])
