import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cqrs_swr.cli import group
from cqrs_swr.disk_store import Tables
from cqrs_swr.shared_store import LAYOUT

from cqrs.clock import SystemClock


def run(*arguments: str, **env: str) -> Result:
    clean = {name: None for name in os.environ if name.startswith("CQRS_")}
    return CliRunner().invoke(group, arguments, env=clean | env)


@pytest.fixture
def filled(folder: Path) -> Path:
    """A folder with three answers."""
    tables = Tables(folder / LAYOUT, 8 * 1024 * 1024, SystemClock())
    folder.chmod(0o700)
    for number in range(3):
        tables.put(b"%016d" % number, b"row", 60.0)
    tables.close()
    return folder


def test_the_figures_of_a_folder_are_shown(filled: Path) -> None:
    """For people and for programs."""
    text = run("stats", CQRS_SWR_DIR=str(filled))
    as_json = run("stats", "--json", CQRS_SWR_DIR=str(filled))

    assert (text.exit_code, as_json.exit_code) == (0, 0)
    assert text.output.startswith(f"{filled}: 3 answers, ")
    found = json.loads(as_json.output)
    assert (found["rows"], found["limit"]) == (3, 1024**3)


def test_clearing_removes_the_answers_and_tells_every_process(filled: Path) -> None:
    """Those that hold some in memory see that they are invalid."""
    tables = Tables(filled / LAYOUT, 8 * 1024 * 1024, SystemClock())
    before = tables.epochs((b"",))
    result = run("clear", CQRS_SWR_DIR=str(filled))
    after, rows = tables.epochs((b"",)), len(tables)
    tables.close()

    assert (result.exit_code, rows) == (0, 0)
    assert "3 answers removed" in result.output
    assert after != before


def test_the_doctor_writes_and_reads(filled: Path) -> None:
    """And leaves nothing behind."""
    result = run("doctor", CQRS_SWR_DIR=str(filled))
    stats = run("stats", "--json", CQRS_SWR_DIR=str(filled))

    assert (result.exit_code, json.loads(stats.output)["rows"]) == (0, 3)
    assert "written and read" in result.output


def test_the_doctor_names_what_is_wrong(filled: Path) -> None:
    """Exit code 1: others could write there; or what is there is no database."""
    filled.chmod(0o777)
    loose = run("doctor", CQRS_SWR_DIR=str(filled))
    filled.chmod(0o700)
    (filled / LAYOUT / "rows" / "cache.db").write_bytes(b"garbage" * 1000)
    damaged = run("doctor", CQRS_SWR_DIR=str(filled))

    assert (loose.exit_code, damaged.exit_code) == (1, 1)
    assert "can be written by others" in loose.output
    assert "corrupt: file is not a database" in damaged.output


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (("stats",), {}, "CQRS_SWR_DIR is not set"),
        (("clear",), {}, "CQRS_SWR_DIR is not set"),
        (("stats",), {"CQRS_SWR_DIR": "/nonexistent/cache"}, "is not there yet"),
        (("stats",), {"CQRS_SWR_DIR": "relative"}, "is not an absolute path"),
        (("stats",), {"CQRS_SWR_DIR": "/etc/passwd"}, "is not a folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    """Exit code 1, no traceback."""
    result = run(*arguments, **env)

    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_without_a_folder_there_is_nothing_to_look_at() -> None:
    """That is no fault."""
    result = run("doctor")

    assert (result.exit_code, "each process keeps its own answers" in result.output) == (0, True)
