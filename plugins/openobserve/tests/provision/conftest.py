"""Local servers: one to run queries on, without a socket, and one behind the fault server to be provisioned."""

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import attrs
import httpx
import pytest
from cqrs_local import LocalServer
from cqrs_local.emulation import Emulation
from cqrs_local.limits import Limits
from cqrs_openobserve.answers import Answer, Trouble, one_line
from cqrs_openobserve.client import Client
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.payloads import Payload
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.provision.actual import Actual, read_actual
from cqrs_openobserve.provision.apply import Step, apply
from cqrs_openobserve.provision.desired import Desired, desired
from cqrs_openobserve.provision.difference import Plan, plan
from cqrs_openobserve.provision.server import Refusal
from cqrs_openobserve.testing import FaultServer

HOUR = 3_600_000_000


@attrs.frozen
class Engine:
    """Takes records, runs queries."""

    server: LocalServer
    http: httpx.AsyncClient

    @property
    def now(self) -> int:
        """The server's time in microseconds."""
        return self.server._backend.store.now()

    async def ingest(self, stream: str, records: list[dict[str, object]]) -> None:
        """Store records."""
        answer = await self.http.post(f"/api/default/{stream}/_json", json=records)
        assert answer.json()["status"][0]["successful"] == len(records), answer.text

    async def create(self, stream: str, columns: dict[str, str]) -> None:
        """Make a stream with its columns."""
        fields = [{"name": name, "type": kind} for name, kind in columns.items() if name != "_timestamp"]
        body = {"fields": fields, "settings": {}}
        assert (
            await self.http.post(f"/api/default/streams/{stream}?type=logs", json=body)
        ).status_code == 200

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        """Run a query over the last hour; a partial answer is none."""
        query = {"sql": sql, "start_time": self.now - HOUR, "end_time": self.now + 60_000_000}
        answer = await self.http.post("/api/default/_search?type=logs", json={"query": query})
        assert answer.status_code == 200, f"{answer.text}\n{sql}"
        assert not answer.json()["is_partial"], f"{answer.text}\n{sql}"
        return cast("list[dict[str, Any]]", answer.json()["hits"])


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An empty server."""
    server = LocalServer(tmp_path / "data")
    await server.open()
    user, _, secret = server.token.partition(":")
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server", auth=(user, secret)) as http:
        yield Engine(server, http)
    await server.close()


@attrs.frozen
class Site:
    """A local server and a client of it.

    Attributes:
        bridge: the server.
        configuration: names it.
        client: with full credentials.
        desired: what should be there.
    """

    bridge: Any
    configuration: Configuration
    client: Client
    desired: Desired

    def actual(self) -> Actual:
        """Read what is there."""
        found = read_actual(self.configuration, self.client, self.desired)
        assert isinstance(found, Actual), found
        return found

    def plan(self, **options: Any) -> Plan:
        """Compare."""
        return plan(self.desired, self.actual(), **options)

    def init(self, server: Any = None, **options: Any) -> list[Step]:
        """Do what `init` does; with `server` through something that gets in the way."""
        through = server or self.client
        found = read_actual(self.configuration, through, self.desired)
        if isinstance(found, Refusal):
            return [Step("stream", "", "failed", found.text, found.hint)]
        changes = plan(self.desired, found, **options)
        return list(apply(changes, self.desired, found, self.configuration, through, sleep=lambda _: None))

    def second(self, method: str, path: str, **options: Any) -> Any:
        """Ask for something of the second version of the API, as somebody else would."""
        return self.bridge.request(method, f"/api/v2/default{path}", **options)

    def first(self, method: str, path: str, **options: Any) -> Any:
        """The same of the first version."""
        return self.bridge.request(method, f"/api/default{path}", **options)

    def state(self) -> dict[str, Any]:
        """Everything that is there, without what differs from one life to the next."""
        streams = {
            name: (
                sorted((c["name"], c["type"]) for c in schema["schema"]),
                sorted(schema["settings"]["index_fields"]),
            )
            for stream in self.first("GET", "/streams").json()["list"]
            for name in [stream["name"]]
            for schema in [self.first("GET", f"/streams/{name}/schema?type=logs").json()]
        }
        folders = {
            kind: {f["folderId"]: f["name"] for f in self.second("GET", f"/folders/{kind}").json()["list"]}
            for kind in ("alerts", "dashboards")
        }
        alerts = [
            self.second("GET", f"/alerts/{a['alert_id']}").json()
            | {"folder": folders["alerts"][a["folder_id"]], "id": 0}
            for a in self.second("GET", "/alerts").json()["list"]
        ]
        boards = [
            (folders["dashboards"][key], board["title"], board["v5"]["description"], board["v5"]["tabs"])
            for key in folders["dashboards"]
            for board in self.first("GET", f"/dashboards?folder={key}").json()["dashboards"]
        ]
        return {
            "streams": streams,
            "folders": {kind: sorted(names.values()) for kind, names in folders.items()},
            "templates": self.first("GET", "/alerts/templates").json(),
            "destinations": self.first("GET", "/alerts/destinations").json(),
            "alerts": sorted(alerts, key=lambda alert: str(alert["name"])),
            "dashboards": sorted(boards, key=str),
        }


class Direct:
    """A local server that is asked without a socket, a thread or an HTTP library: for thousands of requests.

    Attributes:
        organization: whose calls are made.
    """

    def __init__(self, folder: Path, emulation: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._server = LocalServer(
            folder, emulation=Emulation(emulation), limits=Limits(alert_seconds=3600.0)
        )
        self._loop.run_until_complete(self._server.open())
        # What survives a crash is not asked here, and writing it down costs more than all the rest.
        self._server._backend.store.save_catalogue = lambda: None  # type: ignore[method-assign]  # as said above
        self._header = b"Basic " + base64.b64encode(self._server.token.encode())
        self.token = self._server.token
        self.organization = "default"

    def call(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """A call of the organisation."""
        return self.ask(method, f"/api/{self.organization}{path}", query, body)

    def ask(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """Any other call."""
        return self._loop.run_until_complete(self._ask(method, path, urlencode(query or {}), body))

    def send(self, payload: Payload) -> Answer | Trouble:
        """Records."""
        return self.ask(
            "POST", f"/api/{self.organization}{payload.path}", None, gzip.decompress(payload.body)
        )

    def close(self) -> None:
        """End it."""
        self._loop.run_until_complete(self._server.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _ask(self, method: str, path: str, query: str, body: bytes) -> Answer:
        headers = [(b"authorization", self._header), (b"content-type", b"application/json")]
        scope: Any = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "headers": headers,
        }
        got: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            got.append(message)

        await self._server.app(scope | {"query_string": query.encode()}, receive, send)
        content = b"".join(message.get("body", b"") for message in got)
        return Answer(got[0]["status"], {}, content, one_line(content.decode())[:300])


@pytest.fixture
def make_direct(tmp_path: Path) -> Iterator[Callable[[str], Direct]]:
    """Opens such servers and closes them."""
    made: list[Direct] = []

    def make(emulation: str) -> Direct:
        made.append(Direct(tmp_path / f"direct-{len(made)}", emulation))
        return made[-1]

    yield make
    for direct in made:
        direct.close()


CHANNEL = "webhook:https://hooks.example.com/canary-T0123"


@pytest.fixture
def make_site(server: FaultServer, make_bridge: Any) -> Iterator[Callable[..., Site]]:
    """Opens local servers behind the fault server, each with a client."""
    clients: list[Client] = []

    def make(emulation: str = "newest", *, rules: Any = (), limits: Any = None, **given: Any) -> Site:
        server.behave = bridge = make_bridge(emulation, **(limits or {}))
        settings = {
            "url": server.url,
            "token": bridge.token,
            "spool_dir": "none",
            "alert_channel": CHANNEL,
            **given,
        }
        configuration = read(
            {}, {name: value for name, value in settings.items() if value is not None}
        ).unwrap()
        clients.append(client_of(configuration, configuration.admin))
        return Site(bridge, configuration, clients[-1], desired(configuration, rules))

    yield make
    for client in clients:
        client.close()


@pytest.fixture(params=["0.16", "newest"])
def site(request: pytest.FixtureRequest, make_site: Callable[..., Site]) -> Site:
    """An empty server of each version that is emulated."""
    return make_site(request.param)


@pytest.fixture
def one_server(make_direct: Callable[[str], Direct]) -> Callable[[], Direct]:
    """Gives one server again and again, each time with an organisation that is new to it."""
    direct = make_direct("newest")
    numbers = count()

    def one_server() -> Direct:
        direct.organization = f"org_{next(numbers)}"
        direct.call("POST", "/made/_json", None, b"[]")
        return direct

    return one_server
