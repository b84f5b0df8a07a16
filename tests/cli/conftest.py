"""Set-up that the tests of the command line share."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SHOP = """
import attrs
from returns.result import Result, Success
from cqrs import Command, CqrsModule, Event, Feature, Query


@attrs.frozen
class Place(Command[int, str]):
    sku: str


@attrs.frozen
class Find(Query[int, str]):
    sku: str


@attrs.frozen
class Placed(Event):
    sku: str


class Stock: ...


good = Feature("good")


@good.handles(Place)
async def place(command: Place) -> Result[int, str]:
    return Success(1)


broken = Feature("broken")
broken.imports(good)


@broken.handles(Place)
async def place_otherwise(command: Place) -> Result[int, str]:
    return Success(2)


@broken.handles(Find)
async def find(query: Find, *, stock: Stock) -> Result[int, str]:
    return Success(1)


@broken.subscribes(Placed)
async def send_receipt(event: Placed) -> Result[None, str]:
    return Success(None)


app = CqrsModule.for_root(good, plugins=(), env={})
bad_app = CqrsModule.for_root(broken, plugins=(), env={}, enable_event_bus=False)
nothing = 5
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of a user: a folder with a module that has a sound and a broken app."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)
    (folder / "crashing.py").write_text("raise RuntimeError('no database here')\n")
    return folder


@pytest.fixture
def cqrs(project: Path, site: Path) -> Run:
    """Run the `cqrs` command in the project, in a process of its own that finds the test's distributions."""

    def run(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        code = "import sys; from cqrs.cli import main; sys.argv[0] = 'cqrs'; main()"
        variables = {"PYTHONPATH": str(site), "PATH": "", "HOME": str(project), **env}
        return subprocess.run(
            [sys.executable, "-P", "-c", code, *arguments],
            cwd=project,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
