"""``doctor`` as a person, or a program, runs it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Env = dict[str, str]


def test_lines_are_told_with_what_to_do(
    start: Callable[[str], Any], env_of: Callable[[Any], Env], command: Run
) -> None:
    """Exit 2 before init, and the fix is init."""
    result = command("doctor", **env_of(start("newest")))
    assert result.exit_code == 2
    assert "  ok    server        OpenObserve v0.92.2 (opensource)" in result.stdout
    assert "Fix: cqrs openobserve init" in result.stdout
    assert re.search(r"\n\d+ ok, \d+ warn, \d+ fail\n$", result.stdout)
    assert result.stderr == ""


def test_json_is_one_object_with_every_setting(
    start: Callable[[str], Any], env_of: Callable[[Any], Env], command: Run
) -> None:
    """The same lines, the same exit code; the token is masked."""
    env = env_of(start("newest"))
    result = command("doctor", "--json", **env)
    report = json.loads(result.stdout)
    assert set(report) == {"version", "status", "exit_code", "url", "organization", "lines", "settings"}
    assert report["exit_code"] == result.exit_code == 2
    settings = {each["variable"]: each for each in report["settings"]}
    assert settings["OPENOBSERVE_TOKEN"] == {
        "variable": "OPENOBSERVE_TOKEN",
        "value": "********",
        "source": "OPENOBSERVE_TOKEN",
    }
    assert env["OPENOBSERVE_TOKEN"].partition(":")[2] not in result.output


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, ("OPENOBSERVE_URL is not set", "OPENOBSERVE_TOKEN is not set")),
        ({"OPENOBSERVE_URL": "http://h"}, ("OPENOBSERVE_TOKEN is not set",)),
        (
            {
                "OPENOBSERVE_URL": "http://h",
                "OPENOBSERVE_TOKEN": "a:b",
                "OPENOBSERVE_ADMIN_TOKEN": "s3cret-canary",
            },
            ("OPENOBSERVE_ADMIN_TOKEN is a secret without a user",),
        ),
        (
            {
                "OPENOBSERVE_URL": "http://h",
                "OPENOBSERVE_TOKEN": "a:b",
                "OPENOBSERVE_ADMIN_TOKEN": "canary@example.com:",
            },
            ("OPENOBSERVE_ADMIN_TOKEN has a user but no secret after the colon",),
        ),
        (
            {"OPENOBSERVE_ADMIN_TOKEN": ":s3cret-canary"},
            ("OPENOBSERVE_URL is not set", "OPENOBSERVE_TOKEN is not set"),
        ),
    ],
    ids=["nothing", "url", "bare admin", "admin without secret", "admin alone"],
)
def test_credentials_that_are_half_set_list_what_is_missing(
    command: Run, given: Env, says: tuple[str, ...]
) -> None:
    """Every variable at once, exit 2, and no secret."""
    result = command("doctor", **given)
    assert result.exit_code == 2
    for each in says:
        assert each in result.stdout
    assert "canary" not in result.output


def test_unknown_flags_are_refused(command: Run) -> None:
    """As a usage error."""
    assert command("doctor", "--fix").exit_code == 2
    assert "No such option" in command("doctor", "--fix").stderr


def test_it_is_also_a_command_of_cqrs_itself(
    start: Callable[[str], Any], env_of: Callable[[Any], Env]
) -> None:
    """``cqrs doctor``, in a process of its own: the same command by another entry point."""
    variables = {"PATH": os.environ["PATH"], **env_of(start("newest"))}
    done = subprocess.run(
        [sys.executable, "-m", "cqrs", "doctor"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert "Fix: cqrs openobserve init" in done.stdout
