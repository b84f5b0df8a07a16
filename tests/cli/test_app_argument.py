import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cqrs.cli.commands import cqrs


@pytest.fixture
def check(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run `cqrs check` in the project, in this process."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("CQRS_APP", raising=False)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cqrs, ["check", *arguments])

    yield run
    sys.modules.pop("shop", None)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("shop:nothing", "shop has a int under the name 'nothing'"),
        ("shop:missing", "shop has nothing under the name 'missing'"),
        ("shop.py:app", "cannot import 'shop.py'"),
        ("no_such_module:app", "cannot import 'no_such_module': ModuleNotFoundError"),
        ("crashing:app", "cannot import 'crashing': RuntimeError: no database here"),
        (":app", "cannot import ''"),
        ("", "cannot import ''"),
        ("../shop:app", "cannot import '../shop'"),
    ],
)
def test_a_wrong_reference_is_told_with_its_fix(reference: str, told: str, check: Any) -> None:
    """What cannot be imported, or is no app, is one line that names it; exit 1, no traceback."""
    run = check(reference)

    assert run.exit_code == 1
    assert told in run.stderr
    assert "Fix: " in run.stderr
    assert "Traceback" not in run.output
    assert isinstance(run.exception, SystemExit)


def test_the_name_of_the_app_may_be_left_out(check: Any) -> None:
    """A module alone means its `app`, found in the current directory."""
    assert check("shop").exit_code == 0


def test_without_a_reference_the_usage_is_told(check: Any) -> None:
    """Neither argument nor variable is a usage error that names the argument."""
    run = check()

    assert run.exit_code == 2
    assert "APP" in run.stderr
