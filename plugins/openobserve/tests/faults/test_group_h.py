"""Group H of the fault catalogue: abuse. One test per row."""

import ast
import copy
import logging
import re
import time
import traceback
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs
import cqrs_openobserve
import pytest
from click.testing import CliRunner
from cqrs_openobserve.configuration import read
from cqrs_openobserve.names import stream_name
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.payloads import JSON, Payload
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.spool import MOST_REJECTED
from cqrs_openobserve.spool_files import packed
from cqrs_openobserve.testing import FaultServer, Reply, Row, rows
from returns.result import Failure

from cqrs.cli.commands import cqrs

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]
ROOT = Path(__file__).parents[4]
SECRETS = ("s3cret-canary", "dXNlcjpzM2NyZXQtY2FuYXJ5")


def clean(text: str) -> bool:
    return not any(secret in text for secret in SECRETS)


def test_h1_the_token_is_nowhere(
    outage_pipeline: Make,
    observe: Observe,
    server: FaultServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in repr, asdict, copies, DEBUG logs of any library, tracebacks with locals, the spool, or the health file."""
    echo = f"no: {SECRETS[0]} {SECRETS[1]}".encode()
    server.behave = lambda _: Reply(401, echo)
    with caplog.at_level(logging.DEBUG):
        pipeline = outage_pipeline()
        pipeline.queue.offer(observe())
        pipeline.flush(0.5)
        health = str(pipeline.health()) + repr(pipeline.health())
        pipeline.stop()
    configuration = pipeline._configuration
    shown = [caplog.text, health, pipeline.trouble, repr(configuration), str(configuration.credentials)]
    shown += [repr(vars(pipeline)), repr(copy.copy(configuration)), str(attrs.asdict(configuration))]
    with pytest.raises(AttributeError) as caught:
        client_of(configuration, configuration.credentials).send(object())  # type: ignore[arg-type]  # to raise inside
    inner = caught.tb.tb_next  # this function's own locals hold the canary
    told = traceback.TracebackException(caught.type, caught.value, inner, capture_locals=True)
    shown.append("".join(told.format()))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.endswith(".payload") for path in files)
    assert [text for text in shown if not clean(text)] == []
    assert all(clean(path.read_bytes().decode("latin-1")) for path in files)


@pytest.mark.parametrize("arguments", [["config"], ["plugins"], ["openobserve", "--help"]], ids=" ".join)
def test_h1_no_command_prints_the_token(arguments: list[str]) -> None:
    """What people paste into a ticket holds none of its forms, and names the variable that it comes from."""
    env = {
        "OPENOBSERVE_URL": "http://127.0.0.1:9",
        "OPENOBSERVE_TOKEN": f"user:{SECRETS[0]}",
        "OPENOBSERVE_ADMIN_TOKEN": f"Basic {SECRETS[1]}",
        "OPENOBSERVE_SPOOL_DIR": "none",
    }
    done = CliRunner(env=env).invoke(cqrs, arguments)
    assert done.exit_code == 0, done.output
    assert clean(done.output)
    assert "OPENOBSERVE_TOKEN" in done.output or arguments != ["config"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("organization", "../auth"),
        ("organization", "a/b"),
        ("organization", "a?b"),
        ("organization", "a#b"),
        ("organization", "a\r\nX: y"),
        ("organization", "a%2Fb"),
        ("stream_commands", "../../x"),
        ("stream_commands", "a?drop=1"),
        ("stream_commands", "a\r\nHost: x"),
        ("stream_commands", 'a"; DROP'),
        ("url", "http://host/..//x"),
        ("url", "http://host/a?b"),
        ("url", "http://user:pass@host/"),
        ("token", "a:b\r\nX-Injected: y"),
    ],
)
def test_h2_paths_and_headers_cannot_be_smuggled(name: str, value: str) -> None:
    """Traversal, query strings, line breaks in names, URL or token: refused at the start, no request is ever made."""
    good: dict[str, object] = {"url": "http://localhost:1", "token": "user:secret", "spool_dir": "none"}
    found = read({}, good | {name: value})
    assert isinstance(found, Failure)
    assert all(problem.code for problem in found.failure())


def test_h2_a_planted_file_smuggles_nothing(
    outage_pipeline: Make, server: FaultServer, observe: Observe, tmp_path: Path
) -> None:
    """A file in the spool with another path or header is dropped as spool_error, never sent."""
    destination = outage_pipeline()._configuration.spool.destination
    folder = tmp_path / "spool" / destination / "1-dead"
    folder.mkdir(parents=True, mode=0o700)
    for above in (tmp_path / "spool", tmp_path / "spool" / destination, folder):
        above.chmod(0o700)
    planted = [
        Payload("logs", "/../../auth/_json", JSON, b"x", 3, 0),
        Payload("logs", "/s/_json", {**JSON, "Authorization": "Basic evil"}, b"x", 4, 0),
        Payload("logs", "/s/_json", {"Content-Type": "a\r\nX: y"}, b"x", 5, 0),
    ]
    now = time.time_ns()
    for number, payload in enumerate(planted):
        path = folder / f"{now:020d}-{payload.records}-logs-{number}.payload"
        path.write_bytes(packed(payload))
    pipeline = outage_pipeline()
    pipeline.queue.offer(observe())
    assert pipeline.flush(15).complete
    assert [received.path for received in server.received] == ["/api/default/cqrs_commands/_json"]
    assert pipeline.ledger().dropped == {"spool_error": 12}
    assert pipeline.ledger().delivered == 1


@pytest.mark.parametrize("name", ["a;b", "a'b", 'a"b', "a--b", "a b", "x); DROP TABLE y", "a/*b*/"])
def test_h3_names_in_sql_are_identifiers(name: str) -> None:
    """Whatever a stream is called, the name that reaches SQL holds letters, digits, _ and : only."""
    assert re.fullmatch(r"[a-z0-9_:]*", stream_name(name))


def test_h3_only_names_and_ids_are_put_into_sql() -> None:
    """In every query of ours: a stream's normalised name, an id of ours in hexadecimal, or a text of the code."""
    sources = [path.read_text() for path in Path(cqrs_openobserve.__file__).parent.rglob("*.py")]
    queries = [
        [ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.JoinedStr) and str(getattr(node.values[0], "value", "")).startswith("SELECT ")
    ]
    assert len(queries) >= 5
    known = {"stream.name", "name", "rows", "wanted.name", "identity.text", "labels", "real"}
    assert {put for query in queries for put in query} <= known


def test_h7_refused_records_do_not_fill_the_disk(
    outage_pipeline: Make, observe: Observe, server: FaultServer, tmp_path: Path
) -> None:
    """Somebody makes records that the server refuses: the last 100 are kept, every one is counted and told."""
    server.behave = lambda _: Reply(400, b"bad")
    pipeline = outage_pipeline(batch_size=200)
    for number in range(MOST_REJECTED + 30):
        pipeline.queue.offer(observe(number))
    assert pipeline.flush(18).complete
    pipeline.stop()
    kept = list((tmp_path / "spool").glob("*/rejected/*"))
    assert len(kept) == MOST_REJECTED
    assert pipeline.ledger().dropped == {"rejected_record": MOST_REJECTED + 30}
    assert not pipeline.health().ok


@pytest.mark.parametrize("row", [row.id for row in rows("H8")])
def test_h8_a_malicious_server(
    outage_pipeline: Make,
    observe: Observe,
    play: Callable[[str], Row],
    row: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever it answers: nothing is raised, time is bounded, lines are printable, the books balance."""
    play(row)
    pipeline = outage_pipeline(max_retries=0, timeout="500ms")
    for number in range(5):
        pipeline.queue.offer(observe(number))
    began = time.monotonic()
    pipeline.flush(1.5)
    pipeline.stop()
    assert time.monotonic() - began < 8
    books = pipeline.ledger()
    assert (books.balanced, books.accepted, books.delivered) == (True, 5, 0)
    assert pipeline.trouble.isprintable()
    assert all(record.getMessage().isprintable() for record in caplog.records)
    assert all(len(record.getMessage()) < 2_000 for record in caplog.records)
    assert "internal" not in books.dropped


@pytest.mark.parametrize("arguments", [("doctor",), ("doctor", "--json"), ("verify",), ("plan",), ("init",)])
def test_h1_no_command_shows_a_secret(
    start: Callable[[str], Any],
    env_of: Callable[[Any], dict[str, str]],
    command: Callable[..., Any],
    arguments: tuple[str, ...],
) -> None:
    """Neither token, nor the part of a channel's address that is one; also not where the server repeats what it was sent."""
    live = start("newest")
    secrets = {live.token.partition(":")[2], "s3cret-canary", "h00k-canary"}
    env = env_of(live) | {
        "OPENOBSERVE_TOKEN": "shop:s3cret-canary",
        "OPENOBSERVE_ADMIN_TOKEN": live.token,
        "CQRS_ALERT_CHANNEL": "webhook:https://hooks.example.com/h00k-canary?key=h00k-canary",
    }
    echoes = {"/_json": b"no s3cret-canary", "/folders/alerts": f"no {live.token}".encode()}
    live.gate.answer = lambda _, path, __: next(
        ((403, echo) for end, echo in echoes.items() if path.endswith(end)), None
    )
    said = command(*arguments, **env).output
    assert said
    assert [secret for secret in secrets if secret in said] == []


def test_h10_what_is_installed_is_pinned_and_ours() -> None:
    """Every requirement is pinned with hashes, and the import package is the one distribution that it should be."""
    for path in (ROOT / "requirements").glob("*.txt"):
        pins = re.split(r"\n(?=\S)", path.read_text().strip())
        pinned = [pin for pin in pins if not pin.startswith("#")]
        assert all("==" in pin and "--hash=sha256:" in pin for pin in pinned), path
    plugins = entry_points(group="cqrs.plugins", name="openobserve")
    assert [plugin.dist.name for plugin in plugins if plugin.dist is not None] == ["returns-cqrs-openobserve"]
    assert [plugin.value for plugin in plugins] == ["cqrs_openobserve.plugin:plugin"]
