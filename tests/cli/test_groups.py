import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Install = Callable[..., None]

GROUP = """
import click
@click.group()
def group(): "Commands of the journal."
@group.command()
def show(): click.echo("journal shown")
"""


def test_a_plugins_group_is_listed_and_run(cqrs: Any, install: Install) -> None:
    """A group of an installed distribution stands in the help and runs like a command of the core."""
    install("shop-journal", "[cqrs.commands]\njournal = shop_cli:group\n", shop_cli=GROUP)

    assert re.search(r"journal +Commands of the journal\.", cqrs("--help").stdout)
    assert cqrs("journal", "show").stdout == "journal shown\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("group = 5", "it is a int"),
        ("", "AttributeError"),
    ],
    ids=["import error", "exits", "no command", "missing attribute"],
)
def test_a_broken_group_breaks_itself_alone(source: str, reason: str, cqrs: Any, install: Install) -> None:
    """The help and other commands work; the broken group says why, with its distribution, whatever its arguments."""
    install("shop-journal", "[cqrs.commands]\njournal = shop_cli:group\n", version="0.3", shop_cli=source)

    run = cqrs("journal", "show", "--all")

    assert run.returncode == 1
    assert f"the command group 'journal' (from shop-journal 0.3) cannot be loaded: {reason}" in run.stderr
    assert "Traceback" not in run.stderr
    assert cqrs("check", "shop:app").returncode == 0
    assert "Broken: " in cqrs("--help").stdout


def test_a_group_cannot_replace_a_command_of_the_core(cqrs: Any, install: Install) -> None:
    """The core's own commands win."""
    install("shop-journal", "[cqrs.commands]\ncheck = shop_cli:group\n", shop_cli=GROUP)

    assert "nothing is missing" in cqrs("check", "shop:app").stdout


@pytest.mark.parametrize("metadata", [True, False])
def test_a_malformed_distribution_hides_only_its_own_groups(
    cqrs: Any, install: Install, site: Path, *, metadata: bool
) -> None:
    """Entry points that cannot be parsed are told, by distribution where it has a name; other groups work."""
    install("shop-broken", "[cqrs.commands]\nno equals sign here\n")
    install("shop-other", "[other]\nno equals sign here\n")
    install("shop-journal", "[cqrs.commands]\njournal = shop_cli:group\n", shop_cli=GROUP)
    if not metadata:
        (site / "shop_broken-1.0.dist-info" / "METADATA").unlink()

    run = cqrs("journal", "show")
    helped = cqrs("--help")

    assert run.stdout == "journal shown\n"
    assert helped.returncode == 0
    assert run.stderr == helped.stderr
    assert run.stderr.count("entry_points.txt is malformed") == 1
    assert "cqrs: shop-broken: " in run.stderr if metadata else "shop_broken-1.0.dist-info: " in run.stderr
    assert "shop-other" not in run.stderr
    assert "Traceback" not in run.stderr


def test_an_unknown_command_is_a_usage_error(cqrs: Any) -> None:
    """A misspelt command exits 2 with its name."""
    run = cqrs("chk")

    assert run.returncode == 2
    assert "No such command 'chk'" in run.stderr
