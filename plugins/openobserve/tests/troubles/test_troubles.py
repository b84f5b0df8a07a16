"""Fifteen troubles, each staged for real and put before ``verify`` and ``doctor``, which have to name it."""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import attrs
import pytest
import trustme
from click.testing import Result
from cqrs_openobserve.configuration import read
from cqrs_openobserve.observations import Subject
from cqrs_openobserve.plugin import pipeline_of
from cqrs_openobserve.testing import FaultServer, Reply

Env = dict[str, str]
VERSIONS = ("0.16", "newest")
HOURS = 3600.0
GZIP = b"\x1f\x8b"


@attrs.frozen
class Trouble:
    """One trouble.

    Attributes:
        stage: makes it: takes the running server, the variables and what ends with the test, and gives other variables.
        named: what both commands say.
        verify: what ``verify`` says besides.
        doctor: what ``doctor`` says besides.
        code: of ``doctor``: 1 for a warning, 2 for a failure.
        alike: whether no answer of the server decides, so that one version tells of both.
    """

    stage: Callable[[Any, Env, ExitStack], Env]
    named: str
    verify: str = ""
    doctor: str = ""
    code: int = 2
    alike: bool = False


def wrong_organisation(live: Any, env: Env, _: ExitStack) -> Env:
    return env | {"OPENOBSERVE_ORGANIZATION": f"{live.organization}x"}


def ingestion_only(live: Any, env: Env, _: ExitStack) -> Env:
    return env | {"OPENOBSERVE_TOKEN": f"shop:{live.ingestion_token}"}


def clock_off(live: Any, env: Env, _: ExitStack) -> Env:
    live.gate.clock.ahead_s = 6 * HOURS
    return env


def stream_deleted(live: Any, env: Env, _: ExitStack) -> Env:
    live.request("DELETE", "/api/{org}/streams/cqrs_commands?type=logs&delete_all=true")
    return env


def sampling_zero(_live: Any, env: Env, _: ExitStack) -> Env:
    return env | {"OPENOBSERVE_TRACING_SAMPLING_RATE": "0"}


def tracing_off(_live: Any, env: Env, _: ExitStack) -> Env:
    return env | {"OPENOBSERVE_TRACING_ENABLED": "false"}


def partial_rejects(live: Any, env: Env, stack: ExitStack) -> Env:
    """The server takes a request and refuses a record in it; an app that runs has met that already."""
    entry = {"name": "cqrs_commands", "successful": 0, "failed": 1, "error": "odd \x1b[31m"}
    told = json.dumps({"code": 200, "status": [entry]}).encode()
    live.gate.answer = lambda _, path, body: (
        (200, told) if path.endswith("/cqrs_commands/_json") and body[:2] == GZIP else None
    )
    clock = Stepped()
    pipeline = pipeline_of(read(env).unwrap(), clock)
    stack.callback(pipeline.stop)
    subject = Subject("command", "handled", "PlaceOrder", "shop.place_order")
    now = clock.monotonic_ns()
    pipeline.queue.offer((subject, "success", now, 1_000_000, 1, 1, None, 1, 7, 0, False, None))
    pipeline.flush(10)
    clock.ahead_ns = 6 * 10**9  # books are written down every five seconds
    pipeline.flush(10)
    return env


def wrong_name_in_certificate(_live: Any, env: Env, stack: ExitStack) -> Env:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("observe.example.com").configure_cert(context)
    trusted = stack.enter_context(authority.cert_pem.tempfile())
    server = stack.enter_context(FaultServer(lambda _: Reply(200, b'{"status":"ok"}'), context))
    return env | {"OPENOBSERVE_URL": server.url, "OPENOBSERVE_CA_FILE": trusted}


def wrong_path(_live: Any, env: Env, _: ExitStack) -> Env:
    return env | {"OPENOBSERVE_URL": f"{env['OPENOBSERVE_URL']}/observe"}


def server_down(_live: Any, env: Env, _: ExitStack) -> Env:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return env | {"OPENOBSERVE_URL": f"http://127.0.0.1:{port}"}


def read_only(live: Any, env: Env, _: ExitStack) -> Env:
    live.gate.answer = lambda method, path, _: (
        None if method == "GET" or path.endswith("/_search") else (403, b"Unauthorized Access")
    )
    return env


def named_otherwise(live: Any, env: Env, _: ExitStack) -> Env:
    """A server that keeps no colon in a name, where ours keeps it."""
    live.gate.path = lambda path: path.replace("shop:commands", "shop_commands").replace(
        "shop%3Acommands", "shop_commands"
    )
    live.request("POST", "/api/{org}/shop:commands/_json", json=[{"a": 1}])
    return env | {"CQRS_STREAM_COMMANDS": "shop:commands"}


def type_conflict(live: Any, env: Env, _: ExitStack) -> Env:
    live.request("POST", "/api/{org}/cqrs_queries/_json", json=[{"duration_ms": "soon", "record": "handled"}])
    return env


class Stepped:
    """A clock that can be set forward."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def time_ns(self) -> int:
        """Wall-clock time."""
        return time.time_ns() + self.ahead_ns

    def monotonic_ns(self) -> int:
        """Time since some point."""
        return time.monotonic_ns() + self.ahead_ns


def alert_disabled(live: Any, env: Env, _: ExitStack) -> Env:
    (alert,) = [
        each
        for each in live.request("GET", "/api/v2/{org}/alerts").json()["list"]
        if each["name"] == "cqrs_event_dead_letters"
    ]
    live.request("PATCH", f"/api/v2/{{org}}/alerts/{alert['alert_id']}/enable?value=false")
    return env


def dashboard_drifted(live: Any, env: Env, _: ExitStack) -> Env:
    (folder,) = [
        each["folderId"]
        for each in live.request("GET", "/api/v2/{org}/folders/dashboards").json()["list"]
        if each["name"] == "CQRS"
    ]
    listed = live.request("GET", f"/api/{{org}}/dashboards?folder={folder}").json()["dashboards"]
    (entry,) = [each for each in listed if each["v5"]["title"] == "CQRS events"]
    board = entry["v5"]
    board["tabs"][0]["panels"][0]["title"] = "changed by hand"
    path = f"/api/{{org}}/dashboards/{board['dashboardId']}?folder={folder}&hash={entry['hash']}"
    live.request("PUT", path, json=board)
    return env


TROUBLES = {
    "alert disabled": Trouble(alert_disabled, "the alert cqrs_event_dead_letters is disabled"),
    "dashboard drifted": Trouble(
        dashboard_drifted,
        r"the dashboard CQRS events changed by hand: tabs\[0\]\.panels\[0\]\.title",
        doctor="cqrs openobserve plan shows it",
        code=1,
    ),
    "TLS name mismatch": Trouble(
        wrong_name_in_certificate,
        "Hostname mismatch",
        "OPENOBSERVE_CA_FILE",
        r"not for localhost but for observe\.example\.com",
        alike=True,
    ),
    "wrong organisation": Trouble(
        wrong_organisation, r"server has no organisation org_\S+x", doctor="export OPENOBSERVE_ORGANIZATION="
    ),
    "ingestion-only token": Trouble(
        ingestion_only,
        "ingestion token: it may send records, but not read",
        "OPENOBSERVE_ADMIN_TOKEN",
        code=1,
    ),
    "clock 6 h off": Trouble(
        clock_off, r"server's clock is \+21[56]\d\d s away", r"refused 1 of 1 records", "timedatectl"
    ),
    "stream deleted": Trouble(
        stream_deleted, "stream cqrs_commands does not exist", doctor="Fix: cqrs openobserve init"
    ),
    "sampling 0": Trouble(sampling_zero, "OPENOBSERVE_TRACING_SAMPLING_RATE is 0", code=1, alike=True),
    "tracing off": Trouble(tracing_off, "OPENOBSERVE_TRACING_ENABLED is off", code=1, alike=True),
    "partial rejects": Trouble(
        partial_rejects, "refused", r"refused 1 of 1 records: .*odd", "lost: 1 rejected_record", alike=True
    ),
    "wrong URL path": Trouble(
        wrong_path,
        r"there is one at http://127\.0\.0\.1:\d+: the path is wrong",
        doctor=r"export OPENOBSERVE_URL=http://127\.0\.0\.1:\d+\n",
    ),
    "server down": Trouble(
        server_down,
        "refused",
        "refused the connection",
        "cannot be connected to: Connection refused",
        alike=True,
    ),
    "read-only token": Trouble(read_only, "OPENOBSERVE_TOKEN may read but not send records"),
    "name that normalises differently": Trouble(
        named_otherwise, "it has shop_commands: it writes names", "export CQRS_STREAM_COMMANDS=shop_commands"
    ),
    "field type conflict": Trouble(
        type_conflict,
        "column types of cqrs_queries conflict: duration_ms is Utf8, not Float64",
        "duration_ms is a str, not Float64",
    ),
}


each_trouble = pytest.mark.parametrize(
    ("name", "version"),
    [
        (name, version)
        for name, trouble in TROUBLES.items()
        for version in VERSIONS
        if version == "newest" or not trouble.alike
    ],
)
each_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def staged(
    start: Callable[[str], Any], env_of: Callable[[Any], Env], command: Callable[..., Result]
) -> Iterator[Callable[[str, str], Env]]:
    """Stages a trouble after a good beginning: ``init`` has run."""

    def staged(name: str, version: str) -> Env:
        live = start(version)
        env = env_of(live)
        assert command("init", **env).exit_code == 0
        return TROUBLES[name].stage(live, env, stack)

    with ExitStack() as stack:
        yield staged


@each_trouble
def test_both_commands_name_each_trouble(
    staged: Callable[[str, str], Env],
    command: Callable[..., Result],
    name: str,
    version: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """``verify`` misses something and ``doctor`` warns or fails, each with the cause and without a secret."""
    trouble, env = TROUBLES[name], staged(name, version)

    verified = command("verify", "--timeout", "60s", **env)
    examined = command("doctor", **env)

    assert verified.exit_code == 1, verified.output
    assert "MISSED" in verified.stdout
    assert examined.exit_code == trouble.code, examined.output
    for pattern in (trouble.named, trouble.verify):
        assert re.search(pattern, verified.output), f"{pattern}\n{verified.output}"
    for pattern in (trouble.named, trouble.doctor):
        assert re.search(pattern, examined.output), f"{pattern}\n{examined.output}"
    said = verified.output + examined.output
    assert env["OPENOBSERVE_TOKEN"].partition(":")[2] not in said
    assert "\x1b" not in said
    capfd.readouterr()  # what a pipeline that lost something says at its end


def test_every_trouble_is_staged() -> None:
    """Fifteen, of which none is left out."""
    assert len(TROUBLES) == 15


@each_version
def test_nothing_is_missed_where_nothing_is_wrong(
    start: Callable[[str], Any], env_of: Callable[[Any], Env], command: Callable[..., Result], version: str
) -> None:
    """Every signal is proven with its delay, in both versions."""
    env = env_of(start(version)) | {"CQRS_STREAM_LOGS": "shop-lines"}
    assert command("init", **env).exit_code == 0
    result = command("verify", "--timeout", "60s", "--json", **env)

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["proven"]
    delays = {
        (each["proof"], each["subject"]): each["delay_ms"] for each in report["findings"] if each["delay_ms"]
    }
    assert set(delays) == {
        ("logs", "cqrs_commands"),
        ("logs", "cqrs_queries"),
        ("logs", "cqrs_events"),
        ("logs", "shop_lines"),
        ("metrics", "cqrs_verify"),
        ("metrics", "cqrs_metrics"),
        ("traces", "traces"),
    }
    assert ("correlation", "proven") in {(each["proof"], each["outcome"]) for each in report["findings"]}
