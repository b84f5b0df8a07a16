"""The demo: what it prints, and the whole of it as a process."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from examples.orders.demo.readback import TypeFigures
from examples.orders.demo.report import comparison, differences, error_rate, figures_table
from examples.orders.demo.server import ServerError, local_server
from examples.orders.tally import Seen

ROOT = Path(__file__).parents[3]
ONE = Seen("command", "handled", "PlaceOrder", "", "success", "aa")
OTHER = Seen("command", "handled", "PlaceOrder", "", "error", "bb")


def test_the_demo_reads_back_what_it_dispatched() -> None:
    """As a process, with a server of its own: exit 0, and every record read back once."""
    command = [
        sys.executable,
        "-m",
        "examples.orders.demo",
        "--seconds",
        "1.5",
        "--rate",
        "80",
        "--seed",
        "3",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    total = re.search(r"dispatched (\d+) = accepted \1 = delivered \1 = read back \1\n", done.stdout)
    assert total is not None
    assert int(total[1]) > 100
    assert "NO" not in done.stdout
    assert "\r" not in done.stdout


@pytest.mark.parametrize(
    "arguments", [["--rate", "0"], ["--seconds", "nan"], ["--seconds", "ten"], ["--speed", "1"]]
)
def test_a_wrong_argument_is_named(arguments: list[str]) -> None:
    """A wrong argument ends the demo before anything starts, names the option, and shows no traceback."""
    command = [sys.executable, "-m", "examples.orders.demo", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A data directory that is a file ends in the server's own words."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerError, match="file"), local_server(tmp_path / "file"):
        pass


def test_a_missing_record_is_named() -> None:
    """A record that was dispatched and not stored makes its type unequal and is named with its identity."""
    happened, stored = Counter([ONE, OTHER]), Counter([ONE])
    assert [line.split()[-1] for line in comparison(happened, stored)][1:] == ["NO"]
    assert list(differences(happened, stored)) == ["missing: command PlaceOrder  error message_id=bb"]


def test_a_record_stored_twice_is_named() -> None:
    """A duplicate is a difference, though nothing is missing."""
    happened, stored = Counter([ONE]), Counter([ONE, ONE])
    assert [line.split()[-1] for line in comparison(happened, stored)][1:] == ["NO"]
    assert [line.split(":")[0] for line in differences(happened, stored)] == ["not dispatched or twice"]


def test_equal_counters_are_equal() -> None:
    """What was read back as dispatched is said to be equal."""
    assert [line.split()[-1] for line in comparison(Counter([ONE]), Counter([ONE]))][1:] == ["yes"]
    assert not list(differences(Counter([ONE]), Counter([ONE])))


def test_a_rejection_is_no_error() -> None:
    """The error rate counts errors among handled messages of its kind alone."""
    figures = [
        TypeFigures("command", "handled", "A", 10, 6, 2, 2, 1.0, 2.0, 3.0),
        TypeFigures("command", "published", "A", 10, 0, 0, 10, 1.0, 2.0, 3.0),
        TypeFigures("query", "handled", "B", 1, 0, 0, 1, 1.0, 2.0, 3.0),
    ]
    assert error_rate(figures, "command") == 20.0
    assert error_rate(figures, "event") == 0.0
    assert "A (published)" in "\n".join(figures_table(figures))
