"""What the tests of the plugin share: a server that misbehaves as told, a configuration for it, dispatches."""

import asyncio
import json
import os
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import attrs
import pytest
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.observations import Observation, Subject
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plugin import pipeline_of
from cqrs_openobserve.testing import Behaviour, FaultServer, Received, Reply, stored

CANARY = "s3cret-canary"

Configure = Callable[..., Configuration]
MakePipeline = Callable[..., Pipeline]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that stores everything until told otherwise."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def configure(server: FaultServer) -> Configure:
    """Reads settings, with the fault server as default."""

    def configure(**given: Any) -> Configuration:
        quiet = {"spool_dir": "none", "metrics_enabled": "false", "tracing_enabled": "false"}
        return read({}, {"url": server.url, "token": f"user:{CANARY}", **quiet, **given}).unwrap()

    return configure


@pytest.fixture
def make_pipeline(configure: Configure) -> Iterator[MakePipeline]:
    """Makes pipelines and stops them."""
    made: list[Pipeline] = []

    def make(**given: Any) -> Pipeline:
        pipeline = pipeline_of(configure(**({"flush_interval": "20ms", "exit_timeout": "1s"} | given)))
        made.append(pipeline)
        return pipeline

    yield make
    for pipeline in made:
        pipeline.stop()


@pytest.fixture
def observe() -> Callable[..., Observation]:
    """Makes an observation."""

    def observe(
        number: int = 1, *, kind: Any = "command", outcome: Any = "success", ended: int = 0
    ) -> Observation:
        subject = Subject(kind, "handled", "PlaceOrder", "shop.place_order")
        return (
            subject,
            outcome,
            ended or time.monotonic_ns(),
            1_000_000,
            number,
            number,
            None,
            number,
            7,
            0,
            False,
            None,
        )

    return observe


class Store:
    """As much of an OpenObserve as init and verify ask for, in memory, behind the fault server.

    Attributes:
        schemas: column types by stream.
        rows: records by stream.
        fails: answers that come instead, by method and end of the path.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, dict[str, str]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.fails: dict[tuple[str, str], Behaviour] = {}

    def __call__(self, received: Received) -> Behaviour:
        """Answer one request."""
        path = received.path.partition("?")[0]
        for (method, end), behaviour in self.fails.items():
            if received.method == method and path.endswith(end):
                return behaviour
        if path.endswith("/_json"):
            return self._ingest(received)
        if path.endswith("/_search"):
            return self._search(json.loads(received.body)["query"]["sql"])
        if path.endswith("/schema"):
            return self._schema(path.split("/")[-2])
        return self._create(path.split("/")[-1], json.loads(received.body))

    def _create(self, name: str, body: dict[str, Any]) -> Reply:
        if name in self.schemas:
            return Reply(400, b'{"code":400,"message":"stream already exists"}')
        self.schemas[name] = {"_timestamp": "Int64"} | {
            field["name"]: field["type"] for field in body["fields"]
        }
        return Reply(200, b'{"code":200,"message":"stream created"}')

    def _schema(self, name: str) -> Reply:
        if name not in self.schemas:
            return Reply(404, b'{"code":404,"message":"stream not found"}')
        fields = [{"name": column, "type": kind} for column, kind in self.schemas[name].items()]
        return Reply(200, json.dumps({"name": name, "schema": fields}).encode())

    def _ingest(self, received: Received) -> Reply:
        types = {int: "Int64", float: "Float64", str: "Utf8", bool: "Boolean"}
        schema = self.schemas.setdefault(received.stream, {})
        for row in received.rows:
            for column, value in row.items():
                schema.setdefault(column, types[type(value)])
            self.rows.setdefault(received.stream, []).append(row)
        return stored(len(received.rows))

    def _search(self, sql: str) -> Reply:
        matched = re.fullmatch(r"SELECT \* FROM \"(\w+)\" WHERE correlation_id = '([0-9a-f]{32})'", sql)
        assert matched is not None, sql
        if matched[1] not in self.schemas:
            return Reply(400, b'{"code":20002,"message":"Search stream not found"}')
        hits = [row for row in self.rows.get(matched[1], []) if row["correlation_id"] == matched[2]]
        return Reply(200, json.dumps({"hits": hits, "total": len(hits), "is_partial": False}).encode())


@pytest.fixture
def store(server: FaultServer) -> Store:
    """Puts the store behind the server."""
    server.behave = found = Store()
    return found


# --- a real local server behind a gate, on a socket, beside the test

LIVE_VERSIONS = ("0.16", "newest")


class SteppedClock:
    """The machine's clock, set forward.

    Attributes:
        ahead_s: by how much, in seconds.
    """

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def time_ns(self) -> int:
        """Wall-clock time."""
        return time.time_ns() + round(self.ahead_s * 1e9)

    def monotonic_ns(self) -> int:
        """Time since some point."""
        return time.monotonic_ns()


@attrs.define
class Gate:
    """Stands before the server: refuses, answers otherwise, and tells the server's own time.

    Attributes:
        app: the server.
        clock: the server's.
        answer: gives status and body of an answer that comes instead of the server's, by method, path and body.
        path: gives the path that the server sees.
    """

    app: Any
    clock: SteppedClock
    answer: Callable[[str, str, bytes], tuple[int, bytes] | None] = lambda *_: None
    path: Callable[[str], str] = lambda path: path

    def reset(self) -> None:
        """Let everything through."""
        self.answer, self.path, self.clock.ahead_s = lambda *_: None, lambda path: path, 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        date = formatdate(self.clock.time_ns() / 1e9, usegmt=True).encode()

        async def dated(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"date", date)]
            await send(message)

        raw, body, more = scope["raw_path"].decode(), b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        instead = self.answer(scope["method"], raw, body)
        if instead is None:
            path = self.path(raw)
            await self.app(scope | {"raw_path": path.encode(), "path": path}, again, dated)
            return
        length = (b"content-length", str(len(instead[1])).encode())
        headers = [(b"content-type", b"application/json"), length]
        await dated({"type": "http.response.start", "status": instead[0], "headers": headers})
        await dated({"type": "http.response.body", "body": instead[1]})


@attrs.define
class Live:
    """A running server.

    Attributes:
        version: what it emulates.
        url: where it listens.
        token: reaches everything.
        ingestion_token: may only send.
        gate: before it.
        organization: this test's own.
    """

    version: str
    url: str
    token: str
    ingestion_token: str
    gate: Gate
    organization: str = "default"

    def request(self, method: str, path: str, **more: Any) -> Any:
        """Ask the server as somebody who may do everything; ``{org}`` in the path is the organisation."""
        import httpx

        user, _, secret = self.token.partition(":")
        url = f"{self.url}{path.format(org=self.organization)}"
        answer = httpx.request(method, url, auth=(user, secret), trust_env=False, **more)
        assert answer.status_code < 300, answer.text
        return answer


def _running(folder: Path, version: str) -> Iterator[Live]:
    # Here and not above: most tests need no server of this kind.
    import uvicorn
    from cqrs_local import LocalServer
    from cqrs_local.emulation import Emulation
    from cqrs_local.server import bind

    clock, started = SteppedClock(), threading.Event()
    made: list[Any] = []
    listener = bind("127.0.0.1", 0)  # whose connections asyncio sends on without delay

    async def run() -> None:
        local = LocalServer(folder, emulation=Emulation(version), clock=clock)
        await local.open()
        gate = Gate(local.app, clock)
        config = uvicorn.Config(
            gate, http="h11", ws="none", lifespan="off", log_config=None, access_log=False, date_header=False
        )
        server = uvicorn.Server(config)
        stop = asyncio.Event()
        made.extend((local, gate, asyncio.get_running_loop(), stop))
        serving = asyncio.create_task(server._serve([listener]))
        started.set()
        await stop.wait()
        server.should_exit = True
        await serving
        await local.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert started.wait(30)
    local, gate, loop, stop = made
    pool = local._backend.engine._threads  # which makes its threads one by one, when they are needed
    together = threading.Barrier(pool._max_workers)
    for ready in [pool.submit(together.wait, 30) for _ in range(pool._max_workers)]:
        ready.result(30)
    port = listener.getsockname()[1]
    yield Live(version, f"http://127.0.0.1:{port}", local.token, local.ingestion_token, gate)
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Live]]:
    """Servers by emulated version; before any test, because a thread that a test starts has to end with it."""
    running = [_running(tmp_path_factory.mktemp("server") / "data", version) for version in LIVE_VERSIONS]
    yield {live.version: live for live in map(next, running)}
    for steps in running:
        next(steps, None)


@pytest.fixture
def start(servers: Callable[[str], Live], request: pytest.FixtureRequest) -> Iterator[Callable[[str], Live]]:
    """Gives a server of a version, with an organisation that is this test's own."""
    used: list[Live] = []

    def start(version: str) -> Live:
        live = servers[version]
        live.gate.reset()
        live.organization = f"org_{abs(hash(request.node.name)) % 10**9}_{time.monotonic_ns()}"
        live.request("POST", "/api/{org}/made/_json", json=[])
        used.append(live)
        return live

    yield start
    for live in used:
        live.gate.reset()


@pytest.fixture
def env_of(tmp_path: Path) -> Callable[[Live], dict[str, str]]:
    """Gives the variables of an app that sends to a server."""

    def env_of(live: Live) -> dict[str, str]:
        return {
            "OPENOBSERVE_URL": live.url,
            "OPENOBSERVE_ORGANIZATION": live.organization,
            "OPENOBSERVE_TOKEN": live.token,
            "OPENOBSERVE_SPOOL_DIR": str(tmp_path / "spool"),
            "OPENOBSERVE_EXIT_TIMEOUT": "300ms",
            "OPENOBSERVE_TIMEOUT": "30s",
            "OPENOBSERVE_MAX_RETRIES": "0",
            "OTEL_SERVICE_NAME": "shop",
            "CQRS_ALERT_CHANNEL": "webhook:http://127.0.0.1:9/hook",
        }

    return env_of


@pytest.fixture
def command() -> Callable[..., Any]:
    """Runs a command in this process, with these variables and no other of ours."""
    from click.testing import CliRunner
    from cqrs_openobserve.cli import group

    def command(*arguments: str, **env: str) -> Any:
        clean = {name: None for name in os.environ if name.startswith(("OPENOBSERVE_", "CQRS_", "OTEL_"))}
        result = CliRunner().invoke(group, arguments, env=clean | env)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return command


@pytest.fixture(params=LIVE_VERSIONS)
def live_version(request: pytest.FixtureRequest) -> str:
    """Each version that the local server emulates."""
    return str(request.param)


class Bridge:
    """A local server without a socket of its own; put behind the fault server, it answers what that receives.

    Attributes:
        token: with full rights.
        asked: method and path of each request, in order.
    """

    def __init__(self, folder: Path, emulation: str, limits: dict[str, Any]) -> None:
        import httpx
        from cqrs_local import LocalServer
        from cqrs_local.emulation import Emulation
        from cqrs_local.limits import Limits

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        # Alerts are evaluated when a test says so.
        found = Limits(**({"alert_seconds": 3600.0} | limits))
        self.local = LocalServer(folder, emulation=Emulation(emulation), limits=found)
        self._run(self.local.open())
        self.token = self.local.token
        user, _, secret = self.token.partition(":")
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.local.app), base_url="http://local", auth=(user, secret)
        )
        self.asked: list[tuple[str, str]] = []

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Ask it as somebody else would."""
        return self._run(self._http.request(method, path, **options))

    def __call__(self, received: Received) -> Behaviour:
        """Answer a request that the fault server received."""
        self.asked.append((received.method, received.path))
        headers = {"content-type": "application/json"}
        headers |= {
            name: received.headers[name]
            for name in ("content-type", "stream-name", "authorization")
            if name in received.headers
        }
        answer = self.request(
            received.method, received.path, content=received.body, headers=headers, auth=None
        )
        return Reply(
            answer.status_code, answer.content, {"content-type": answer.headers.get("content-type", "")}
        )

    def evaluate(self) -> None:
        """Evaluate every alert that is due."""
        self._run(self.local._schedule.run_due())  # type: ignore[union-attr]  # it is open

    @property
    def now(self) -> int:
        """The server's time in µs."""
        return self.local._backend.store.now()

    def close(self) -> None:
        """End it."""
        self._run(self._http.aclose())
        self._run(self.local.close())
        self._run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@pytest.fixture
def make_bridge(tmp_path: Path) -> Iterator[Callable[..., Bridge]]:
    """Opens local servers and closes them."""
    made: list[Bridge] = []

    def make(emulation: str = "newest", **limits: Any) -> Bridge:
        made.append(Bridge(tmp_path / f"local-{len(made)}", emulation, limits))
        return made[-1]

    yield make
    for bridge in made:
        bridge.close()
