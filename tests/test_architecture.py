"""Who may import whom: the contracts hold on the tree, and each of them notices when it is broken.

Every violation is planted in a copy of the packages and must be found by the contract that is there for it.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "cqrs": "cqrs",
    "cqrs_openobserve": "plugins/openobserve/cqrs_openobserve",
    "cqrs_local": "plugins/local/cqrs_local",
    "cqrs_swr": "plugins/swr/cqrs_swr",
}


class Planted(NamedTuple):
    """A line of source put into a module, new or existing, and the contract that has something against it."""

    contract: str
    module: str
    source: str


IN_FUNCTION = "def _late() -> None:\n    {}\n"
FOR_CHECKERS = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {}\n"

VIOLATIONS = [
    Planted("core-layers", "cqrs.problems", "import cqrs.registry"),
    Planted("core-layers", "cqrs.messages", "import cqrs.results"),
    Planted("core-layers", "cqrs.registry", IN_FUNCTION.format("from cqrs import pipeline")),
    Planted("core-layers", "cqrs.faults", FOR_CHECKERS.format("from cqrs.app import CqrsApp")),
    Planted("core-layers", "cqrs.newcomer", ""),
    *(
        Planted("core-alone", "cqrs.clock", f"import {library}")
        for library in ("cqrs_openobserve", "cqrs_local", "cqrs_swr", "cqrs_redis", "opentelemetry", "httpx")
    ),
    Planted("core-alone", "cqrs.app", IN_FUNCTION.format("import datafusion")),
    Planted("core-alone", "cqrs.app", FOR_CHECKERS.format("from redis import Redis")),
    Planted("core-alone", "cqrs.app", "import diskcache"),
    Planted("test-libraries", "cqrs.clock", "import hypothesis"),
    Planted("test-libraries", "cqrs_local.newcomer", "import pytest"),
    Planted("terminal-libraries", "cqrs.describe", "import rich"),
    Planted("terminal-libraries", "cqrs_openobserve.newcomer", "import click"),
    Planted("plugins-strangers", "cqrs_local.newcomer", "import cqrs_openobserve.settings"),
    Planted("plugins-strangers", "cqrs_openobserve.newcomer", IN_FUNCTION.format("import cqrs_local")),
    Planted("core-doors", "cqrs_openobserve.newcomer", "from cqrs.registry import Registry"),
    Planted("core-doors", "cqrs_local.newcomer", "from cqrs import app"),
    Planted("http-speaker", "cqrs_openobserve.newcomer", "import httpx"),
    Planted("http-speaker", "cqrs_local.newcomer", "import httpcore"),
    Planted("diskcache-speaker", "cqrs_swr.newcomer", "import diskcache"),
    Planted("datafusion-speaker", "cqrs_local.newcomer", "from datafusion import SessionContext"),
    Planted("punq-speaker", "cqrs.registry", FOR_CHECKERS.format("import punq")),
    Planted("no-cycles", "cqrs.problems", "import cqrs.secret\nimport cqrs.settings"),
    Planted("no-cycles", "cqrs_openobserve.settings", "import cqrs_openobserve.configuration"),
    Planted("no-cycles-through-the-root", "cqrs.results", "from cqrs import Command"),
    Planted("openobserve-rooms", "cqrs_openobserve.client", "import cqrs_openobserve.pipeline"),
    Planted("openobserve-rooms", "cqrs_openobserve.newcomer", ""),
    Planted("swr-rooms", "cqrs_swr.freshness", "import cqrs_swr.engine"),
]

ALLOWED = [
    Planted("core-alone", "cqrs.cli.newcomer", "import click"),
    Planted("test-libraries", "cqrs.testing.newcomer", "import hypothesis\nimport pytest"),
    Planted("terminal-libraries", "cqrs.cli.newcomer", "import click\nimport rich"),
    Planted(
        "core-doors",
        "cqrs_local.newcomer",
        "import cqrs\nfrom cqrs.settings import load\nimport cqrs.plugins",
    ),
    Planted("http-speaker", "cqrs_openobserve.client", "import httpx\nimport httpcore"),
]

Plant = Callable[[Planted], "subprocess.CompletedProcess[str]"]


def test_the_tree_keeps_every_contract() -> None:
    """All contracts hold on the packages as they are."""
    run = lint(ROOT)

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("planted", VIOLATIONS, ids=lambda planted: f"{planted.contract}:{planted.module}")
def test_a_planted_violation_is_caught(plant: Plant, planted: Planted) -> None:
    """The contract that is there for it names the module in which it was broken."""
    run = plant(planted)

    assert run.returncode == 1, run.stdout
    assert "1 broken" in run.stdout
    assert planted.module.rpartition(".")[2] in run.stdout


@pytest.mark.parametrize("planted", ALLOWED, ids=lambda planted: f"{planted.contract}:{planted.module}")
def test_what_a_contract_allows_passes(plant: Plant, planted: Planted) -> None:
    """A contract refuses nothing but what it is there for."""
    run = plant(planted)

    assert run.returncode == 0, run.stdout


def test_every_contract_was_broken_once() -> None:
    """No contract is without a planted violation that proves it works."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    assert {contract["id"] for contract in contracts} == {planted.contract for planted in VIOLATIONS}


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Puts a line into a copy of the packages and checks its contract there."""

    def run(planted: Planted) -> "subprocess.CompletedProcess[str]":
        copy_tree(tmp_path)
        target = file_of(tmp_path, planted.module)
        target.parent.mkdir(exist_ok=True)
        (target.parent / "__init__.py").touch()
        with target.open("a") as file:
            file.write(f"\n{planted.source}\n")
        return lint(tmp_path, "--contract", planted.contract)

    return run


def copy_tree(folder: Path) -> None:
    """Copy what the contracts look at."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path in PACKAGES.values():
        shutil.copytree(ROOT / path, folder / path, ignore=shutil.ignore_patterns("__pycache__"))


def file_of(folder: Path, module: str) -> Path:
    """The file of a module, which need not exist."""
    package, *rest = module.split(".")
    path = folder.joinpath(PACKAGES[package], *rest)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def lint(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run import-linter over the packages in a folder."""
    paths = [str(folder.joinpath(path).parent) for path in PACKAGES.values()]
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
