"""The commands together."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from cqrs_openobserve.cli import group
from cqrs_openobserve.cli.group import group as same

Run = Callable[..., Result]


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
def test_wrong_arguments_are_told(run: Run, arguments: tuple[str, ...], says: str) -> None:
    """As usage errors, exit 2."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_help_says_what_is_needed(run: Run) -> None:
    """For the group and each command."""
    assert "OPENOBSERVE_URL" in run("--help").stdout
    assert "Repeated, it changes nothing" in run("init", "-h").stdout
    assert "--timeout" in run("verify", "--help").stdout
    assert same is group


def test_it_runs_as_a_module(env: dict[str, str], local: Any) -> None:
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
    assert len(local.request("GET", "/api/default/streams").json()["list"]) == 4
