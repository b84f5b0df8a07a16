"""One look at everything: the order of sections, where it ends early, and that nothing is changed."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cqrs_openobserve.doctor import Examination, Line
from cqrs_openobserve.testing import Behaviour, FaultServer, Hang, Received, Reply

Env = dict[str, str]


def looked(env: Env) -> list[Line]:
    return list(Examination(env).run())


def sections(lines: list[Line]) -> list[str]:
    return list(dict.fromkeys(line.section for line in lines))


def test_a_good_installation_is_looked_at_section_by_section(
    start: Callable[[str], Any], env_of: Callable[[Any], Env], live_version: str
) -> None:
    """One thing after what it needs, and nothing is made by looking."""
    live = start(live_version)
    before = live.request("GET", "/api/{org}/streams").json()
    lines = looked(env_of(live))

    assert sections(lines) == [
        "versions",
        "settings",
        "network",
        "server",
        "clock",
        "credentials",
        "streams",
        "signals",
        "provisioning",
        "files",
        "process",
        "ledger",
    ]
    assert live.request("GET", "/api/{org}/streams").json() == before
    assert not Path(env_of(live)["OPENOBSERVE_SPOOL_DIR"]).exists()


def test_without_settings_what_is_missing_is_listed() -> None:
    """The rest of the machine is still looked at."""
    lines = looked({})
    problems = [line for line in lines if line.section == "settings"]
    assert [line.status for line in problems] == ["fail", "fail"]
    assert [line.text.split(" ")[0] for line in problems] == ["OPENOBSERVE_URL", "OPENOBSERVE_TOKEN"]
    assert sections(lines) == ["versions", "settings", "process"]


def test_a_way_that_ends_is_not_gone_on(tmp_path: Path) -> None:
    """What cannot be asked is not judged."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    env = {"OPENOBSERVE_URL": f"http://127.0.0.1:{port}", "OPENOBSERVE_TOKEN": "a:b"}
    lines = looked(env | {"OPENOBSERVE_SPOOL_DIR": str(tmp_path)})
    assert sections(lines) == ["versions", "settings", "network", "signals", "files", "process", "ledger"]


def test_warnings_of_the_settings_are_lines(server: FaultServer) -> None:
    """As an app says them at its start."""
    server.behave = lambda _: Reply(404)
    env = {
        "OPENOBSERVE_URL": f"{server.url}/api/default",
        "OPENOBSERVE_TOKEN": "a:b",
        "OPENOBSERVE_SPOOL_DIR": "none",
    }
    warning = next(line for line in looked(env) if line.name == "warning")
    assert warning.status == "warn"
    assert "cut off" in warning.text


@pytest.mark.parametrize(
    "answer", [Reply(200, b"\x1b]0;x\x07" * 9_000), Reply(500, b"user:s3cret-canary")], ids=["long", "secret"]
)
def test_what_a_server_writes_is_bounded_and_escaped(server: FaultServer, answer: Reply) -> None:
    """Whatever it answers to everything."""
    server.behave = lambda _: answer
    env = {
        "OPENOBSERVE_URL": server.url,
        "OPENOBSERVE_TOKEN": "user:s3cret-canary",
        "OPENOBSERVE_SPOOL_DIR": "none",
    }
    examination = Examination(env)
    lines = tuple(examination.run())
    said = examination.report(lines).as_json().decode()
    assert "canary" not in said
    assert "\\u001b" not in said
    assert all(len(line.text) < 1_000 for line in lines if line.section == "server")


def test_a_setting_is_told_with_the_variable_that_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """If that is another one than its own."""
    monkeypatch.setenv("OPENOBSERVE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENOBSERVE_TOKEN", "a:b")
    monkeypatch.setenv("OPENOBSERVE_ORG", "acme")
    line = next(line for line in Examination().run() if line.name == "set")
    assert "OPENOBSERVE_ORGANIZATION=acme (from OPENOBSERVE_ORG)" in line.text
    assert "OPENOBSERVE_TOKEN=********" in line.text


def test_a_server_that_hangs_is_not_waited_for_at_every_question(server: FaultServer) -> None:
    """All questions together have a time."""

    def behave(received: Received) -> Behaviour:
        path = received.path
        known = {"/healthz": b'{"status":"ok"}', "/config": b'{"version":"v0.92.2"}'}
        return Reply(200, known[path]) if path in known else Hang()

    server.behave = behave
    env = {
        "OPENOBSERVE_URL": server.url,
        "OPENOBSERVE_TOKEN": "a:b",
        "OPENOBSERVE_SPOOL_DIR": "none",
        "OPENOBSERVE_TIMEOUT": "60s",
    }
    lines = list(Examination(env, timeout_s=1.0).run())
    assert {line.status for line in lines if line.section == "credentials"} == {"warn"}
    assert any("cannot be told" in line.text for line in lines)


def test_the_report_names_the_server(server: FaultServer) -> None:
    """And has nothing to name if the settings do not tell."""
    env = {"OPENOBSERVE_URL": server.url, "OPENOBSERVE_TOKEN": "a:b", "OPENOBSERVE_ORGANIZATION": "acme"}
    assert Examination(env).report(()).url == server.url
    assert Examination(env).report(()).organization == "acme"
    assert Examination({}).report(()).url == ""


def test_a_look_that_fails_is_a_line_and_the_rest_is_looked_at(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of ours is told as such, without the secret, and hides nothing that comes after it."""
    from cqrs_openobserve.doctor import network

    def broken(*_: object) -> None:
        raise TypeError("\x1b[31m u:s3cret-canary " + "x" * 5000)

    monkeypatch.setattr(network, "look", broken)
    lines = looked({"OPENOBSERVE_URL": server.url, "OPENOBSERVE_TOKEN": "u:s3cret-canary"})
    (defect,) = [line for line in lines if line.name == "defect"]
    assert (defect.section, defect.status) == ("server", "fail")
    assert "TypeError" in defect.text
    assert defect.text.isprintable()
    assert len(defect.text) < 500
    assert "canary" not in defect.text
    assert sections(lines)[-4:] == ["server", "files", "process", "ledger"]
