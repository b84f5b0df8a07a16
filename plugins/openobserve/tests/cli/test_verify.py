"""``verify`` as a person, or a program, runs it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from cqrs_openobserve.cli import verify as module

Run = Callable[..., Result]
Env = dict[str, str]


@pytest.fixture
def env(start: Callable[[str], Any], env_of: Callable[[Any], Env], command: Run) -> Env:
    """Variables for a server on which ``init`` has run."""
    variables = env_of(start("newest"))
    assert command("init", **variables).exit_code == 0
    return variables


def test_every_signal_is_proven_with_its_delay(command: Run, env: Env) -> None:
    """Exit 0, a line each, nothing on standard error."""
    result = command("verify", "--timeout", "60s", **env)
    assert result.exit_code == 0, result.output
    assert f"{env['OPENOBSERVE_URL']}, organisation {env['OPENOBSERVE_ORGANIZATION']}" in result.stdout
    assert result.stdout.count("read back after") == 6
    assert "MISSED" not in result.stdout
    assert result.stderr == ""


def test_json_is_one_object(command: Run, env: Env) -> None:
    """With the probe's id and the same exit code."""
    result = command("verify", "--timeout", "60s", "--json", **env)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["proven"], report["version"]) == (0, True, 1)
    assert len(report["probe"]) == 32
    assert set(report["findings"][0]) == {"proof", "subject", "outcome", "text", "cause", "delay_ms"}


def test_a_miss_is_exit_1_with_its_cause(command: Run, env: Env) -> None:
    """On the same output as what was proven."""
    without = env | {"OPENOBSERVE_METRICS_ENABLED": "false"}
    assert command("init", "--prune", **without).exit_code == 0
    result = command("verify", "--timeout", "60s", **without)
    assert result.exit_code == 1
    assert result.stdout.count("MISSED") == 1
    assert "Likely cause: export OPENOBSERVE_METRICS_ENABLED=true." in result.stdout


@pytest.mark.parametrize("variable", ["OPENOBSERVE_ENABLED", "OPENOBSERVE_LOGS_ENABLED"])
def test_an_app_that_sends_nothing_is_a_miss(command: Run, env: Env, variable: str) -> None:
    """The way works, but the app does not use it."""
    result = command("verify", "--timeout", "60s", **env | {variable: "false"})
    assert result.exit_code == 1
    assert f"{variable} is off" in result.stdout


def test_a_level_that_hides_successes_is_said(command: Run, env: Env) -> None:
    """No miss: it is a choice that changes what rates mean."""
    result = command("verify", "--timeout", "60s", **env | {"CQRS_LOG_LEVEL": "WARN"})
    assert "no denominator" in result.stderr
    assert result.exit_code == 0


def test_who_watches_sees_what_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal only: nothing of it gets into a file."""
    module._progress(2, 5)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    module._progress(2, 5)
    module._progress(0, 5)
    assert capsys.readouterr().err.count("waiting for 2 of 5 probes") == 1
