"""What every command says of wrong settings, of odd answers and of defects."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from cqrs_openobserve.testing import Reply

Run = Callable[..., Result]


@pytest.mark.parametrize("command", ["init", "plan", "verify"])
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"OPENOBSERVE_URL": ""}, "OPENOBSERVE_URL is not set"),
        ({"OPENOBSERVE_TOKEN": ""}, "OPENOBSERVE_TOKEN is not set"),
        ({"OPENOBSERVE_TOKEN": "s3cret-canary"}, "OPENOBSERVE_TOKEN is a secret without a user"),
        ({"OPENOBSERVE_BATCH_SIZE": "many"}, "OPENOBSERVE_BATCH_SIZE='many'"),
        ({"OPENOBSERVE_URL": "localhost:5080"}, "OPENOBSERVE_URL='localhost:5080' has no scheme"),
        ({"OPENOBSERVE_URL": "http://u:s3cret-canary@h"}, "OPENOBSERVE_TOKEN"),
    ],
)
def test_wrong_settings_are_told_by_name(
    run: Run, env: dict[str, str], command: str, changed: dict[str, str], says: str
) -> None:
    """Exit 1, no traceback, no secret, nothing sent."""
    result = run(command, **(env | changed))
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert "canary" not in result.output


def test_a_defect_is_said_without_a_traceback(
    run: Run, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without the secret, should it stand in the exception."""
    import importlib

    module = importlib.import_module("cqrs_openobserve.cli.states")

    def broken(*_: object) -> None:
        raise RuntimeError("user:s3cret-canary")

    monkeypatch.setattr(module, "client_of", broken)
    result = run("init", **env)
    assert result.exit_code == 1
    assert "this is a defect of returns-cqrs-openobserve: RuntimeError: ********" in result.stderr


def test_a_defect_is_one_bounded_line_without_the_channel(
    run: Run, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands in the exception."""
    import importlib

    module = importlib.import_module("cqrs_openobserve.cli.states")

    def broken(*_: object) -> None:
        raise RuntimeError("\x1b[31m https://h.example.com/canary-T0123 " + "x" * 5000)

    monkeypatch.setattr(module, "client_of", broken)
    result = run("init", **env, CQRS_ALERT_CHANNEL="webhook:https://h.example.com/canary-T0123")
    assert "canary" not in result.output
    assert "\x1b" not in result.output
    assert max(map(len, result.output.splitlines())) < 600


def _nested(depth: int) -> Any:
    value: Any = "made by hand"
    for _ in range(depth):
        value = [value]
    return value


def _odd(body: Any, oddity: str) -> Any:
    """The same answer with something odd in it, wherever it fits."""
    if isinstance(body, list):
        return [_odd(each, oddity) for each in body]
    if not isinstance(body, dict):
        return body
    body = {key: _odd(value, oddity) for key, value in body.items()}
    if "index_fields" in body and oddity == "index":
        body["index_fields"] = 5
    if oddity == "time":
        body |= {key: 2**62 for key in ("since", "last_triggered_at", "last_satisfied_at") if key in body}
    if oddity == "url" and "template" in body:
        body["url"] = "http://[bad"
    if oddity == "deep" and ("description" in body or "row_template" in body):
        body |= {"description": _nested(900), "silence": _nested(900), "row_template": _nested(900)}
    return body


@pytest.mark.parametrize("oddity", ["index", "time", "url", "deep"])
@pytest.mark.parametrize(
    "command", [("plan",), ("plan", "--json"), ("doctor",), ("alerts", "list"), ("init",)], ids="-".join
)
def test_odd_answers_are_never_a_traceback(
    run: Run, env: dict[str, str], local: Any, server: Any, *, command: tuple[str, ...], oddity: str
) -> None:
    """Nor called a defect of ours: what a server writes is looked at as what somebody else wrote."""
    env["CQRS_ALERT_CHANNEL"] = "webhook:https://h.example.com/canary-T0123"
    assert run("init", **env).exit_code == 0
    local.request("POST", "/api/default/cqrs_commands/_json", json=[{"duration_ms": "abc"}])

    def behave(received: Any) -> Any:
        reply = local(received)
        if not reply.body.startswith((b"{", b"[")):
            return reply
        return Reply(reply.status, json.dumps(_odd(json.loads(reply.body), oddity)).encode())

    server.behave = behave
    result = run(*command, **env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "defect" not in result.output
    assert "Traceback" not in result.output
    assert "canary" not in result.output
