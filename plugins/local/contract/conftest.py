"""The contract that clients rely on, row by row, against any server.

`just contract --url URL --org ORG --token USER:PASSWORD` runs it against a server of yours: it makes streams,
alerts and dashboards whose names begin with `contract_` and removes them. Without arguments it starts the local
server twice, as `--emulate 0.16` and as the newest version.
"""

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

HERE = Path(__file__).parent
HOUR = 3_600_000_000
PREFIX = "contract_"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which server."""
    group = parser.getgroup("contract")
    group.addoption("--url", default="", help="Base URL of the server; without it local servers are started.")
    group.addoption("--org", default="default", help="Organisation.")
    group.addoption("--token", default="", help="user:password with full rights.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run for the given server, or one for each emulated version."""
    if "server" in metafunc.fixturenames:
        given = metafunc.config.getoption("--url")
        metafunc.parametrize(
            "server", ["given"] if given else ["0.16", "newest"], indirect=True, scope="session"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a server waits for its start, however busy the machine is."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.timeout(60))


@attrs.frozen
class Server:
    """A server under test.

    Attributes:
        http: with full credentials; paths start below the server's base.
        org: organisation.
        token: user:password.
        old: whether it answers as versions before 0.60.
    """

    http: httpx.Client
    org: str
    token: str
    old: bool

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A call below the organisation."""
        return self.http.request(method, f"/api/{self.org}/{path}", **options)

    def ingest(self, stream: str, records: object, **options: Any) -> httpx.Response:
        """Send records."""
        return self.api("POST", f"{stream}/_json", json=records, **options)

    def status(self, stream: str, records: object) -> dict[str, Any]:
        """What the answer says of a batch."""
        answer = self.ingest(stream, records)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["status"][0]
        return found

    def search(self, sql: str, kind: str = "logs", **query: object) -> httpx.Response:
        """Ask for the last hour."""
        asked = {
            "sql": sql,
            "start_time": now() - HOUR,
            "end_time": now() + 60_000_000,
            "from": 0,
            "size": 100,
        }
        return self.api("POST", f"_search?type={kind}&use_cache=false", json={"query": {**asked, **query}})

    def hits(self, sql: str, rows: int = 1, kind: str = "logs") -> list[dict[str, Any]]:
        """The rows of a query, once there are as many as expected: a real server takes a moment."""
        deadline = time.monotonic() + 10
        while True:
            answer = self.search(sql, kind)
            found: list[dict[str, Any]] = answer.json().get("hits", []) if answer.status_code == 200 else []
            if len(found) >= rows or time.monotonic() > deadline:
                assert answer.status_code == 200, answer.text
                return found
            time.sleep(0.05)

    def schema(self, stream: str, kind: str = "logs") -> dict[str, str]:
        """Types by column."""
        listed = self.api("GET", f"streams/{stream}/schema?type={kind}").json()["schema"]
        return {column["name"]: column["type"] for column in listed}


def now() -> int:
    """Microseconds."""
    return time.time_ns() // 1000


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that was named, or a local one."""
    option = request.config.getoption
    if request.param == "given":
        yield from opened(option("--url").rstrip("/"), option("--org"), option("--token"))
        return
    data = tmp_path_factory.mktemp("contract")
    command = [
        sys.executable,
        "-m",
        "cqrs_local",
        "up",
        "--port",
        "0",
        "--data",
        str(data),
        "--emulate",
        request.param,
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    try:
        assert process.stdout is not None
        exported: dict[str, str] = {}
        while len(exported) < 3:
            line = process.stdout.readline()
            assert line, "the local server did not start"
            exported |= dict(re.findall(r"export (\w+)=(.*)", line))
        yield from opened(
            exported["OPENOBSERVE_URL"], exported["OPENOBSERVE_ORGANIZATION"], exported["OPENOBSERVE_TOKEN"]
        )
    finally:
        process.terminate()
        process.communicate()


def opened(url: str, org: str, token: str) -> Iterator[Server]:
    """A client for the tests; what they made is removed at the end."""
    user, _, secret = token.partition(":")
    with httpx.Client(base_url=url, auth=(user, secret), timeout=30, trust_env=False) as http:
        version = re.match(r"v?(\d+)\.(\d+)", http.get("/config").json()["version"])
        old = version is not None and (int(version[1]), int(version[2])) < (0, 60)
        made = Server(http, org, token, old)
        yield made
        tidy(made)


def tidy(server: Server) -> None:
    """Remove what begins with the prefix; what uses something else first."""
    alerts = f"/api/v2/{server.org}/alerts"
    for entry in ours(server.http.get(alerts).json()["list"], "name"):
        server.http.delete(f"{alerts}/{entry['alert_id']}")
    for kind in ("destinations", "templates"):
        for entry in ours(server.api("GET", f"alerts/{kind}").json(), "name"):
            server.api("DELETE", f"alerts/{kind}/{entry['name']}")
    for entry in ours(server.api("GET", "dashboards").json()["dashboards"], "title"):
        server.api("DELETE", f"dashboards/{entry['dashboard_id']}")
    for kind in ("logs", "metrics", "traces"):
        for entry in ours(server.api("GET", f"streams?type={kind}").json()["list"], "name"):
            server.api("DELETE", f"streams/{entry['name']}?type={kind}&delete_all=true")


def ours(entries: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Those whose name begins with the prefix."""
    return [entry for entry in entries if str(entry.get(key)).startswith(PREFIX)]


@pytest.fixture
def name() -> Callable[[], str]:
    """Names that nobody has used: `contract_` and chance."""
    return lambda: f"{PREFIX}{uuid.uuid4().hex[:12]}"


@pytest.fixture
def stream(name: Callable[[], str]) -> str:
    """A name for a stream."""
    return name()
