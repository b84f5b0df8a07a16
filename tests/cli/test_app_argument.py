from typing import Any

import pytest


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
def test_a_wrong_reference_is_told_with_its_fix(reference: str, told: str, cqrs: Any) -> None:
    """What cannot be imported, or is no app, is one line that names it; exit 1, no traceback."""
    run = cqrs("check", reference)

    assert run.returncode == 1
    assert told in run.stderr
    assert "Fix: " in run.stderr
    assert "Traceback" not in run.stderr


def test_the_name_of_the_app_may_be_left_out(cqrs: Any) -> None:
    """A module alone means its `app`, found in the current directory."""
    assert cqrs("check", "shop").returncode == 0


def test_without_a_reference_the_usage_is_told(cqrs: Any) -> None:
    """Neither argument nor variable is a usage error that names the argument."""
    run = cqrs("check")

    assert run.returncode == 2
    assert "APP" in run.stderr
