import subprocess
import sys
from typing import Any

HIDDEN = """
import sys
sys.modules[{library!r}] = None
from cqrs.cli import main
main()
"""


def test_without_click_the_command_says_how_to_get_it() -> None:
    """Where the extra is not installed, one line names the library and the pip command; exit 1, no traceback."""
    run = subprocess.run(
        [sys.executable, "-c", HIDDEN.format(library="click")], capture_output=True, text=True, check=False
    )

    assert run.returncode == 1
    assert run.stderr == "cqrs: click is not installed. Fix: pip install 'returns-cqrs[cli]'\n"


def test_a_broken_installation_is_not_mistaken_for_a_missing_extra() -> None:
    """Another module that is missing is not blamed on click."""
    run = subprocess.run(
        [sys.executable, "-c", HIDDEN.format(library="cqrs.describe")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "pip install" not in run.stderr
    assert "cqrs.describe" in run.stderr


def test_the_module_runs_as_the_command(cqrs: Any) -> None:
    """`python -m cqrs` is the same command under the same name."""
    run = subprocess.run(
        [sys.executable, "-m", "cqrs", "--help"], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0
    assert run.stdout.startswith("Usage: cqrs [OPTIONS] COMMAND")
    assert cqrs("--help").stdout.startswith("Usage: cqrs [OPTIONS] COMMAND")
