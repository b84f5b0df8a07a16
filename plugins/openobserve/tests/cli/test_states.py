"""What commands begin with: the user's own rules, and both states."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from cqrs_openobserve.cli.states import load_rules
from cqrs_openobserve.configuration import read

Run = Callable[..., Result]
CONFIGURATION = read({}, {"url": "http://localhost:5080", "token": "a:b"}).unwrap()
RULES = """
from cqrs_openobserve import AlertRule
openobserve_alerts = (AlertRule("{name}", "Mine", "cqrs_commands", "SELECT count(*) AS n FROM cqrs_commands HAVING count(*) > 9", "{{n}}", 5),)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Writes a module that can be imported; it is forgotten afterwards."""
    import sys

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", {**sys.modules})

    def module(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return module


def test_rules_are_found_in_the_current_directory(module: Any) -> None:
    """By module, with or without the name of an app in it."""
    name = module("own_alerts_a", RULES.format(name="mine"))
    assert [rule.name for rule in load_rules(name, CONFIGURATION)] == ["mine"]
    assert [rule.name for rule in load_rules(f"{name}:app", CONFIGURATION)] == ["mine"]
    assert load_rules(None, CONFIGURATION) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1", "has no openobserve_alerts"),
        ("1/0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit"),
        (RULES.format(name="cqrs_command_error_rate"), "the name of another rule"),
        ("openobserve_alerts = 5", "is a int, not a tuple"),
    ],
)
def test_rules_that_cannot_be_used_are_told(module: Any, text: str, says: str) -> None:
    """Before anything is sent."""
    name = module("own_alerts_b", text)
    with pytest.raises(click.ClickException, match=says):
        load_rules(name, CONFIGURATION)


def test_what_importing_a_module_says_is_shown_without_secrets(module: Any) -> None:
    """One bounded line."""
    name = module("own_alerts_c", "raise RuntimeError('\\x1b[31m user:s3cret-canary ' + 'x' * 5000)")
    configuration = read({}, {"url": "http://127.0.0.1:9", "token": "user:s3cret-canary"}).unwrap()
    with pytest.raises(click.ClickException) as raised:
        load_rules(name, configuration)
    assert raised.value.message.isprintable()
    assert "canary" not in raised.value.message
    assert len(raised.value.message) < 600


def test_a_module_that_is_not_there_is_told() -> None:
    """With its name."""
    with pytest.raises(click.ClickException, match="no_such_module_here"):
        load_rules("no_such_module_here:app", CONFIGURATION)


def test_own_rules_are_made_beside_ours(run: Run, env: dict[str, str], local: Any, module: Any) -> None:
    """And without --app they are leftovers, which stay."""
    del local
    env |= {"CQRS_ALERT_CHANNEL": "webhook:https://hooks.example.com/x"}
    app = module("own_alerts_c", RULES.format(name="mine"))
    made = run("init", "--app", app, **env)
    assert made.exit_code == 0, made.output
    assert "created    alert        mine" in made.stdout
    assert run("plan", "--app", app, **env).exit_code == 0
    without = run("plan", **env)
    assert without.exit_code == 0
    assert "init --prune removes it" in without.stdout


def test_a_server_that_cannot_be_asked_is_exit_1_with_a_fix(run: Run, env: dict[str, str]) -> None:
    """For init and plan alike."""
    for command in ("init", "plan"):
        result = run(command, **(env | {"OPENOBSERVE_URL": "http://127.0.0.1:9"}))
        assert result.exit_code == 1
        assert "refused the connection" in result.stderr
        assert "Fix: check OPENOBSERVE_URL" in result.stderr
