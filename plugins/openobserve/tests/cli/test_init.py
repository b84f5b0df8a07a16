"""``init`` as a person runs it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from cqrs_openobserve.provision.dashboards import Dashboard
from cqrs_openobserve.testing import Reply

Run = Callable[..., Result]
HOOK = {"CQRS_ALERT_CHANNEL": "webhook:https://hooks.example.com/canary-T0123"}


def test_each_step_is_a_line_and_again_nothing_changes(run: Run, env: dict[str, str], local: Any) -> None:
    """Exit 0 both times, and no secret."""
    del local
    env |= HOOK
    first, second = run("init", **env), run("init", **env)
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert first.stdout.count("created    ") == 17
    assert "17 created" in first.stdout
    assert "17 unchanged" in second.stdout
    assert f"{env['OPENOBSERVE_URL']}, organisation default" in first.stdout
    assert "canary" not in first.output + second.output


def test_without_a_channel_the_alerts_are_skipped_with_the_reason(
    run: Run, env: dict[str, str], local: Any
) -> None:
    """Said once at the end; exit 0."""
    del local
    result = run("init", **env)
    assert result.exit_code == 0
    assert result.stdout.count("skipped    alert") == 6
    assert "set CQRS_ALERT_CHANNEL" in result.stdout


def test_a_step_that_fails_is_exit_1_with_its_fix(
    run: Run, env: dict[str, str], local: Any, server: Any
) -> None:
    """On standard error; what needs it is not tried, the rest is done, and a rerun mends it."""
    env |= HOOK
    refusal = Reply(
        400,
        b'{"code":400,"message":"Destination URL blocked by SSRF guard: canary-T0123 \\u001b[31m'
        + b"x" * 5000
        + b'"}',
    )
    tried: list[str] = []

    def refuses(received: Any) -> Any:
        if received.method == "POST" and received.path.endswith("/alerts/destinations"):
            tried.append(received.path)
            return refusal
        return local(received)

    server.behave = refuses
    result = run("init", **env)
    assert result.exit_code == 1
    assert len(tried) == 1
    assert "ZO_SSRF_ALLOW_LOOPBACK" in result.stderr
    assert result.stderr.count("it needs destination, which failed") == 6
    assert result.stdout.count("created    dashboard") == 3
    assert "canary" not in result.output
    assert "\x1b" not in result.output
    assert max(map(len, result.output.splitlines())) < 500
    server.behave = local
    assert run("init", **env).exit_code == 0


def test_an_ingestion_token_is_told_at_once(run: Run, env: dict[str, str], local: Any) -> None:
    """With the variable to set; nothing is tried that cannot work."""
    token = local.local.ingestion_token
    result = run("init", **(env | {"OPENOBSERVE_TOKEN": f"a:{token}"}))
    assert result.exit_code == 1
    assert "an ingestion token may only send: set OPENOBSERVE_ADMIN_TOKEN" in result.stderr
    assert token not in result.output
    assert (
        run(
            "init", **(env | {"OPENOBSERVE_TOKEN": f"a:{token}", "OPENOBSERVE_ADMIN_TOKEN": local.token})
        ).exit_code
        == 0
    )


def test_a_dry_run_touches_nothing(run: Run, env: dict[str, str], local: Any) -> None:
    """It prints the plan."""
    result = run("init", "--dry-run", **env)
    assert result.exit_code == 0
    assert "create     stream       cqrs_commands" in result.stdout
    assert {method for method, _ in local.asked} == {"GET"}
    assert json.loads(run("init", "--dry-run", "--json", **env).stdout)["pending"] is True


def test_json_and_quiet(run: Run, env: dict[str, str], local: Any) -> None:
    """For programs, and for those who want to hear of trouble alone."""
    del local
    found = json.loads(run("init", "--json", **env).stdout)
    assert found["ok"] is True
    assert {"subject", "name", "did", "text", "hint"} == set(found["steps"][0])
    quiet = run("init", "--quiet", **env)
    assert (quiet.exit_code, quiet.output) == (0, "")


def test_prune_is_needed_to_remove_anything(run: Run, env: dict[str, str], local: Any) -> None:
    """And then only what init made goes."""
    run("init", **env)
    folder = local.request("GET", "/api/v2/default/folders/dashboards").json()["list"][0]["folderId"]
    entry = local.request("GET", f"/api/default/dashboards?folder={folder}").json()["dashboards"][0]
    copy = {**entry["v5"], "title": "Copy"}
    for body in (Dashboard("Old", "Old", ()).body(), copy, {**copy, "title": "Mine", "description": "mine"}):
        local.request("POST", f"/api/default/dashboards?folder={folder}", json=body)
    assert "removed" not in run("init", **env).stdout
    assert "removed    dashboard    Old" in run("init", "--prune", **env).stdout
    left = local.request("GET", f"/api/default/dashboards?folder={folder}").json()["dashboards"]
    assert {each["title"] for each in left} == {
        "CQRS commands",
        "CQRS queries",
        "CQRS events",
        "Copy",
        "Mine",
    }


def test_what_is_in_the_way_of_all_alerts_is_exit_1_and_plan_exit_2(
    run: Run, env: dict[str, str], local: Any
) -> None:
    """With what to do; a deployment that has no alerts is no success."""
    env |= HOOK
    body = {"name": "cqrs_openobserve", "title": "", "type": "http", "body": "mine"}
    local.request("POST", "/api/default/alerts/templates", json=body)
    for _ in range(2):
        found = run("init", **env)
        assert found.exit_code == 1
        assert "somebody else's template of the same name" in found.stderr
        assert "rename or remove it" in found.stderr
        planned = run("plan", **env)
        assert (planned.exit_code, "somebody else's template" in planned.stdout) == (2, True)
    assert run("doctor", **env).exit_code == 2


@pytest.mark.parametrize("level", ["WARN", "ERROR"])
def test_a_level_that_hides_successes_is_said(run: Run, env: dict[str, str], local: Any, level: str) -> None:
    """Rates then have no denominator."""
    del local
    assert "no denominator" in run("init", **(env | {"CQRS_LOG_LEVEL": level})).stderr


def test_ctrl_c_leaves_a_state_that_the_next_run_completes(
    env: dict[str, str], local: Any, server: Any, run: Run
) -> None:
    """Exit 130 and a sentence; in a process of its own, while the server takes its time."""
    arrived, go_on = threading.Event(), threading.Event()

    def slow(received: Any) -> Any:
        if received.method == "POST" and received.path.startswith("/api/default/dashboards"):
            arrived.set()
            go_on.wait(10)
        return local(received)

    server.behave = slow
    env |= HOOK
    process = subprocess.Popen(
        [sys.executable, "-m", "cqrs_openobserve", "init"], env={"PATH": os.environ["PATH"], **env},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert arrived.wait(15)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    go_on.set()
    assert process.returncode == 130, (out, err)
    assert "run init again, and it goes on from there" in err
    assert "Traceback" not in err
    server.behave = local
    again = run("init", **env)
    assert again.exit_code == 0
    assert run("plan", **env).exit_code == 0
