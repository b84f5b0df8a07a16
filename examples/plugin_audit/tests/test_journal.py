"""What the plugin does: in an app of its own, and as an installed distribution that no program names."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from cqrs_audit import Audit, Journal, LastEntries, NoneKept, Settings, audit, last_entries
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsApp, CqrsModule, Feature
from cqrs.testing import HANDLER_LAWS, HandlerSubject, LawBroken, check_law

ROOT = Path(__file__).parent.parent


@attrs.frozen
class Place(Command[int, str]):
    """A command."""

    sku: str


orders = Feature("orders")


@orders.handles(Place)
async def place(command: Place) -> Result[int, str]:
    return Success(1) if command.sku == "apple" else Failure("out of stock")


def app_of(path: Path, **env: str) -> CqrsApp:
    return CqrsModule.for_root(orders, audit, plugins=[Audit()], env={"AUDIT_JOURNAL": str(path), **env})


async def test_every_command_is_an_entry(tmp_path: Path) -> None:
    """The file has one line per command with identity, name, outcome and time; queries are not noted."""
    async with app_of(tmp_path / "audit.log") as bus:
        await bus.commands.execute(Place("apple"))
        await bus.commands.execute(Place("pear"))
        assert await bus.queries.execute(LastEntries(1)) == Success(("Place error",))
        assert await bus.queries.execute(LastEntries(0)) == Failure(NoneKept(0))

    lines = [line.split() for line in (tmp_path / "audit.log").read_text().splitlines()]
    assert [(len(line[0]), *line[1:3], line[4]) for line in lines] == [
        (32, "Place", "success", "ms"),
        (32, "Place", "error", "ms"),
    ]


async def test_a_journal_that_cannot_be_opened_costs_the_plugin_alone(tmp_path: Path) -> None:
    """The folder is missing: commands are answered, the plugin is failed and says why."""
    app = CqrsModule.for_root(
        orders, plugins=[Audit()], env={"AUDIT_JOURNAL": str(tmp_path / "none" / "audit.log")}
    )
    async with app as bus:
        assert await bus.commands.execute(Place("apple")) == Success(1)
        assert bus.plugins[0].state == "failed"
        assert "FileNotFoundError" in bus.plugins[0].reason


async def test_a_journal_that_was_removed_is_not_well(tmp_path: Path) -> None:
    """A health check finds what no command notices."""
    async with app_of(tmp_path / "audit.log") as bus:
        assert bus.health()[0].ok
        (tmp_path / "audit.log").unlink()
        assert bus.health()[0].text == f"{tmp_path / 'audit.log'} was removed"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The distribution, installed by pip into a folder of its own."""
    folder = tmp_path / "site"
    flags = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "cqrs_audit.py"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *flags, "--target", str(folder), str(copy)], check=True
    )
    return folder


PROGRAM = """
import json
import anyio, attrs
from returns.result import Result, Success
from cqrs import Command, CqrsModule, Feature

@attrs.frozen
class Place(Command[int, str]): ...

orders = Feature("orders")

@orders.handles(Place)
async def place(command: Place) -> Result[int, str]:
    return Success(1)

app = CqrsModule.for_root(orders)

async def main():
    async with app as bus:
        await bus.commands.execute(Place())
        print(json.dumps([[p.name, p.distribution, p.state] for p in bus.plugins if p.name == "audit"]))

anyio.run(main)
"""


@pytest.mark.timeout(90)
def test_an_installed_plugin_needs_no_line_of_code(installed: Path, tmp_path: Path) -> None:
    """A program that does not name the plugin writes the journal once the plugin is installed and its variable set."""
    environment: dict[str, Any] = {"PYTHONPATH": str(installed), "HOME": str(tmp_path)}

    def run(**env: str) -> object:
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**environment, **env},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        return json.loads(ran.stdout)

    assert run() == [["audit", "cqrs-audit 0.1.0", "off"]]
    assert not (tmp_path / "audit.log").exists()
    assert run(AUDIT_JOURNAL="audit.log") == [["audit", "cqrs-audit 0.1.0", "active"]]
    assert (tmp_path / "audit.log").read_text().split()[1:3] == ["Place", "success"]


def test_a_handler_that_is_not_pure_is_shown_with_its_smallest_example() -> None:
    """A handler that counts what it was asked, declared deterministic, breaks that law with claim and message."""
    asked: list[int] = []
    impure = Feature("impure")

    @impure.handles(LastEntries)
    async def counting(query: LastEntries) -> Result[tuple[str, ...], NoneKept]:
        asked.append(query.count)
        return Success((str(len(asked)),))

    subject = HandlerSubject(
        LastEntries, lambda: CqrsModule.for_root(impure, plugins=(), env={}), deterministic=True
    )
    broken: list[str] = []
    for law in [law for law in HANDLER_LAWS if law.applies(subject)]:
        try:
            check_law(law, subject)
        except LawBroken as error:
            broken.append(f"{error} {error.__notes__}")

    (report,) = broken
    assert "Law is_deterministic: The same message to the same dependencies gets the same answer." in report
    assert "message=LastEntries(count=10)" in report


def test_the_handler_is_what_the_feature_registers() -> None:
    """The feature handles exactly the one query, and remembers what the settings say."""
    assert [(handling.message, handling.handler) for handling in audit.handlings] == [
        (LastEntries, last_entries)
    ]
    assert Journal(Settings(journal="x", kept=3)).last.maxlen == 3
