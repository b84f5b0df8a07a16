"""What the local server costs: ingestion, an alert, a dashboard, a start, memory.

Run with ``just bench local``. Figures are ratios where something to compare with exists: ingestion to a server
that reads and drops the same bodies, a query to DataFusion's own time on the same files. Bars are those of the
design; ``--records`` scales everything, ``--minutes`` adds steady ingestion with the memory at its ends.
"""

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import datafusion
import httpx
from cqrs_local import StoreSettings
from cqrs_local.directory import DataDirectory
from cqrs_local.store import Store
from cqrs_openobserve.provision.alerts import rules
from cqrs_openobserve.provision.boards import dashboards
from cqrs_openobserve.provision.queries import StreamNames

HOUR = 3_600_000_000
NAMES = StreamNames("cqrs_commands", "cqrs_queries", "cqrs_events")
CONNECTIONS = 4
ROUNDS = 7
ECHO = """
import socket, sys, uvicorn
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP); listener.bind(("127.0.0.1", 0)); listener.listen(100)
print("export OPENOBSERVE_URL=http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
print("export OPENOBSERVE_ORGANIZATION=x", flush=True); print("export OPENOBSERVE_TOKEN=x:x", flush=True)
uvicorn.Server(uvicorn.Config(app, http="h11", lifespan="off", log_level="error", access_log=False)).run([listener])
"""


def records(count: int, now: int, chance: random.Random) -> list[dict[str, object]]:
    """Records of commands, spread over the hour before `now`."""
    return [
        {
            "record": "handled", "kind": "command", "message_type": f"Command{chance.randrange(12)}", "outcome": "success",
            "level": "INFO", "message": "command handled", "duration_ms": chance.expovariate(0.05), "retry_count": 0,
            "service_name": "orders", "message_id": f"{chance.getrandbits(64):016x}", "trace_id": f"{chance.getrandbits(128):032x}",
            "_timestamp": now - HOUR + HOUR * at // count,
        }
        for at in range(count)
    ]  # fmt: skip


@contextmanager
def running(*command: str) -> Iterator[tuple[dict[str, str], float, int]]:
    """A server process: what it exports, seconds until it was up, its process."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found: dict[str, str] = {}
        while len(found) < 3:
            line = process.stdout.readline()
            assert line, "the server did not start"
            found |= dict(re.findall(r"export OPENOBSERVE_(\w+)=(.*)", line))
        yield found, time.perf_counter() - began, process.pid
    finally:
        process.terminate()
        process.communicate()


def up(data: Path) -> list[str]:
    return ["-m", "cqrs_local", "up", "--port", "0", "--data", str(data)]


def processor_seconds(pid: int) -> float:
    """What a process took of all cores so far: says more than the clock where other work runs beside it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def send(exported: dict[str, str], bodies: list[bytes]) -> float:
    """Seconds for all bodies, over some kept-alive connections."""
    host, port = exported["URL"].removeprefix("http://").split(":")
    token = b64encode(exported["TOKEN"].encode()).decode()
    head = f"POST /api/default/bench/_json HTTP/1.1\r\nhost: x\r\nauthorization: Basic {token}\r\ncontent-length: "
    requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]

    async def connection(share: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for request in share:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in answer, answer
            (length,) = re.findall(rb"content-length: (\d+)", answer)
            await reader.readexactly(int(length))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(connection(requests[at::CONNECTIONS]) for at in range(CONNECTIONS)))
    return time.perf_counter() - began


def ingestion(folder: Path, count: int) -> None:
    """Records a second in bodies of 100, segments on, beside a server that drops them."""
    now = time.time_ns() // 1000
    made = records(count, now, random.Random(1))
    bodies = [json.dumps(made[at : at + 100]).encode() for at in range(0, count, 100)]
    with running("-c", ECHO) as (exported, _, _):
        asyncio.run(send(exported, bodies[:1]))
        echo = asyncio.run(send(exported, bodies))
    with running(*up(folder / "ingest")) as (exported, seconds, pid):
        starting = processor_seconds(pid)
        asyncio.run(send(exported, bodies[:1]))
        began = processor_seconds(pid)
        ours = asyncio.run(send(exported, bodies))
        taken = processor_seconds(pid) - began
    print(f"start, empty                 {seconds:6.2f} s        bar 1.5; {starting:.2f} s of processor")
    print(
        f"ingestion                    {count / ours:6.0f} rec/s   bar 30000; {ours / echo:.1f} x a server that drops the bodies;"
        f" {count / taken:.0f} rec/s of processor"
    )


async def fill(data: Path, count: int) -> None:
    """Records in segments, without HTTP."""
    held = DataDirectory(data)
    store = Store(held.path, StoreSettings())
    store.add_organization("default")
    now, chance = time.time_ns() // 1000, random.Random(2)
    made = records(count, now, chance)
    for at in range(0, count, 10_000):
        await store.ingest(("default", "logs", NAMES.commands), made[at : at + 10_000])
        if at % 50_000 == 40_000:
            await store.flush()
    await store.close()
    held.release()


def own_time(data: Path, sql: str, start: int, end: int) -> float:
    """The median of DataFusion's own time on the same files, everything in a new session as in the server."""
    taken = []
    (shape,) = list((data / "segments" / "1").iterdir())
    for _ in range(ROUNDS):
        began = time.perf_counter()
        session = datafusion.SessionContext(
            datafusion.SessionConfig({"datafusion.execution.target_partitions": "2"})
        )
        frame = session.read_parquet(f"file://{shape}/", file_extension=".parquet")
        time_column = datafusion.col("_timestamp")
        within = (time_column >= datafusion.lit(start)) & (time_column < datafusion.lit(end))
        session.register_view(NAMES.commands, frame.filter(within))
        session.sql(sql).collect()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """The median of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


async def questions(exported: dict[str, str], data: Path, pid: int) -> None:
    """An alert and a dashboard."""
    user, _, secret = exported["TOKEN"].partition(":")
    async with httpx.AsyncClient(base_url=exported["URL"], auth=(user, secret), timeout=120) as http:
        end = time.time_ns() // 1000

        async def ask(sql: str, start: int) -> None:
            query = {"sql": sql, "start_time": start, "end_time": end, "size": 5000}
            answer = await http.post("/api/default/_search", json={"query": query})
            assert answer.status_code == 200, answer.text
            assert not answer.json()["is_partial"], answer.text

        rule = next(rule for rule in rules(NAMES) if rule.name == "cqrs_command_p95_latency")
        start = end - HOUR
        ours = await timed(lambda: ask(rule.sql, start))
        own = own_time(data, rule.sql, start, end)
        print(
            f"an alert over all records    {ours * 1000:6.0f} ms       {ours / own:.2f} x DataFusion alone, bar 3"
        )
        panels = [
            panel.sql.replace("$message_type", "%").replace("$service", "%")
            for panel in dashboards(NAMES)[0].panels[:8]
        ]
        began = processor_seconds(pid)
        board = await timed(lambda: asyncio.gather(*(ask(sql, start) for sql in panels)))
        taken = (processor_seconds(pid) - began) / ROUNDS
        print(f"a dashboard of 8 panels      {board:6.2f} s        bar 2; {taken:.2f} s of processor")


def memory(pid: int) -> float:
    """Resident MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def steady(folder: Path, minutes: float) -> None:
    """Memory under 2,000 records a second, at the end of each tenth of the time."""
    made = records(2000, time.time_ns() // 1000, random.Random(3))
    with running(*up(folder / "steady")) as (exported, _, pid):
        seen = []
        for _ in range(10):
            until = time.monotonic() + minutes * 6
            while time.monotonic() < until:
                second, now = time.monotonic() + 1, time.time_ns() // 1000
                bodies = [
                    json.dumps([{**r, "_timestamp": now} for r in made[at : at + 100]]).encode()
                    for at in range(0, 2000, 100)
                ]
                asyncio.run(send(exported, bodies))
                time.sleep(max(0.0, second - time.monotonic()))
            seen.append(memory(pid))
        print(f"memory over {minutes:g} min: {', '.join(f'{each:.0f}' for each in seen)} MiB")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="records that are asked about")
    parser.add_argument("--minutes", type=float, default=0, help="steady ingestion; the bar is 10")
    given = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, datafusion {datafusion.__version__}, {given.records} records"
    )
    with tempfile.TemporaryDirectory() as folder:
        ingestion(Path(folder), max(given.records // 4, 1000))
        data = Path(folder) / "many"
        asyncio.run(fill(data, given.records))
        with running(*up(data)) as (exported, seconds, pid):
            print(
                f"start, {given.records} records      {seconds:6.2f} s        bar 3; {processor_seconds(pid):.2f} s of processor"
            )
            asyncio.run(questions(exported, data, pid))
        if given.minutes:
            steady(Path(folder), given.minutes)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
