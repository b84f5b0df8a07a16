"""`cqrs local export`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cqrs_local.cli import group
from cqrs_local.directory import DataDirectory
from cqrs_local.store import Store
from cqrs_local.store_settings import StoreSettings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory with three rows, its server stopped."""
    asyncio.run(fill(tmp_path / "data"))
    return tmp_path / "data"


async def fill(directory: Path) -> None:
    held = DataDirectory(directory)
    store = Store(held.path, StoreSettings())
    await store.ingest(("default", "logs", "s"), [{"_timestamp": at, "n": at} for at in range(3)])
    await store.close()
    held.release()


def run(*arguments: object) -> Any:
    return CliRunner().invoke(group, ["export", *map(str, arguments)])


def test_a_stream_becomes_a_file(data: Path, tmp_path: Path) -> None:
    """And the number of rows is said."""
    done = run("s", "--format", "ndjson", "--data", data, "--output", tmp_path / "out.ndjson")

    assert (done.exit_code, "3 rows of s" in done.output) == (0, True), done.output
    assert [json.loads(line)["n"] for line in (tmp_path / "out.ndjson").read_text().splitlines()] == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "no logs stream 'nosuch'"),
        (["s", "--type", "traces"], "no traces stream"),
        (["s", "--org", "x"], "in x"),
    ],
)
def test_what_is_not_there_is_told(data: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    """One line, status 1, no file."""
    done = run(*arguments, "--format", "csv", "--data", data, "--output", tmp_path / "out.csv")

    assert (done.exit_code, said in done.output) == (1, True), done.output
    assert list(tmp_path.glob("out*")) == []


def test_a_running_server_is_named(data: Path, tmp_path: Path) -> None:
    """Two processes never have one directory."""
    held = DataDirectory(data)
    done = run("s", "--format", "csv", "--data", data, "--output", tmp_path / "out.csv")
    held.release()

    assert (done.exit_code, "in use by another local server" in done.output) == (1, True)


def test_a_directory_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    """A typing error leaves nothing behind."""
    done = run("s", "--format", "csv", "--data", tmp_path / "nosuch")

    assert (done.exit_code, (tmp_path / "nosuch").exists()) == (1, False)
