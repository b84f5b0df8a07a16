"""The commands as a person runs them."""

import os
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cqrs_openobserve.cli import group
from cqrs_openobserve.cli import group as entry_point
from cqrs_openobserve.testing import FaultServer, Reply

SECRET = "user:s3cret-canary"


def run(*arguments: str, **env: str) -> Result:
    clean = {name: None for name in os.environ if name.startswith(("OPENOBSERVE_", "CQRS_", "OTEL_"))}
    return CliRunner().invoke(group, arguments, env=clean | env)


@pytest.fixture
def env(server: FaultServer) -> dict[str, str]:
    return {
        "OPENOBSERVE_URL": server.url,
        "OPENOBSERVE_TOKEN": SECRET,
        "OPENOBSERVE_EXIT_TIMEOUT": "200ms",
        "OPENOBSERVE_TIMEOUT": "500ms",
    }


def test_init_says_each_step_and_then_that_nothing_changes(env: dict[str, str], store: Any) -> None:
    """Exit 0 both times."""
    first, second = run("init", **env), run("init", **env)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.count("created") == 3
    assert second.stdout.count("unchanged") == 3
    assert f"{env['OPENOBSERVE_URL']}, organisation default" in first.stdout
    assert "canary" not in first.output + second.output
    assert store.schemas


def test_verify_proves_each_stream(env: dict[str, str], store: Any) -> None:
    """Exit 0, with the delay of each."""
    result = run("verify", "--timeout", "5s", **env)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("proven") == 3
    assert store.rows


def test_a_miss_is_exit_1_with_its_cause(env: dict[str, str], store: Any) -> None:
    """On the same output as what was proven."""
    store.fails["POST", "/_search"] = Reply(401, b"Unauthorized Access")
    result = run("verify", "--timeout", "500ms", **env)
    assert result.exit_code == 1
    assert result.stdout.count("MISSED") == 3
    assert "Likely cause: an ingestion token may only send: set OPENOBSERVE_ADMIN_TOKEN" in result.stdout


def test_a_step_that_fails_is_exit_1_with_its_fix(env: dict[str, str], store: Any) -> None:
    """On standard error."""
    store.fails["POST", "/streams/cqrs_commands"] = Reply(401, b"Unauthorized Access s3cret-canary")
    result = run("init", **env)
    assert result.exit_code == 1
    assert "401: Unauthorized Access ********" in result.stderr
    assert "Fix: an ingestion token may only send" in result.stderr
    assert "canary" not in result.output


@pytest.mark.parametrize("command", ["init", "verify"])
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
    env: dict[str, str], command: str, changed: dict[str, str], says: str
) -> None:
    """Exit 1, no traceback, no secret, nothing sent."""
    result = run(command, **(env | changed))
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert "canary" not in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("verify", "--timeout", "soon"), "is not a duration"),
        (("verify", "--timeout", "5"), "did you mean 5000?"),
        (("verify", "--forever"), "No such option"),
        (("innit",), "No such command"),
        (("init", "extra"), "unexpected extra argument"),
    ],
)
def test_wrong_arguments_are_told(arguments: tuple[str, ...], says: str) -> None:
    """As usage errors, exit 2."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.parametrize(
    ("changed", "says", "code"),
    [
        ({"CQRS_LOG_LEVEL": "WARN"}, "no denominator", 0),
        ({"OPENOBSERVE_ENABLED": "false"}, "OPENOBSERVE_ENABLED is off", 1),
        ({"OPENOBSERVE_LOGS_ENABLED": "false"}, "OPENOBSERVE_LOGS_ENABLED is off", 1),
    ],
)
def test_settings_that_make_a_proof_worthless_are_said(
    env: dict[str, str], store: Any, changed: dict[str, str], says: str, code: int
) -> None:
    """The way works, but the app does not use it as one might think."""
    result = run("verify", "--timeout", "5s", **(env | changed))
    assert says in result.stderr
    assert result.exit_code == code
    assert store.rows


def test_a_defect_is_said_without_a_traceback(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """And without the secret, should it stand in the exception."""
    import importlib

    module = importlib.import_module("cqrs_openobserve.cli.group")

    def broken(*_: object) -> None:
        raise RuntimeError("user:s3cret-canary")

    monkeypatch.setattr(module, "client_of", broken)
    result = run("init", **env)
    assert result.exit_code == 1
    assert "this is a defect of returns-cqrs-openobserve: RuntimeError: ********" in result.stderr


def test_help_says_what_is_needed() -> None:
    """For the group and each command."""
    assert "OPENOBSERVE_URL" in run("--help").stdout
    assert "Repeated, it changes nothing" in run("init", "-h").stdout
    assert "--timeout" in run("verify", "--help").stdout
    assert entry_point is group


def test_it_runs_as_a_module(env: dict[str, str], store: Any) -> None:
    """And as ``cqrs openobserve``, in processes of their own."""
    variables = {"PATH": os.environ["PATH"], "OPENOBSERVE_SPOOL_DIR": "none", **env}
    for command in (["-m", "cqrs_openobserve"], ["-m", "cqrs", "openobserve"]):
        done = subprocess.run(
            [sys.executable, *command, "init"],
            env=variables,
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done
    assert len(store.schemas) == 3
