"""The rules of conftest.py and of pytest's settings, each broken on purpose in a small suite of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SUITE = """
import asyncio, threading, time, warnings, pytest

def test_skipped():
    pytest.skip("no server here")

@pytest.mark.skipif(True, reason="not on this machine")
def test_skipped_by_mark(): ...

@pytest.mark.xfail(reason="known", strict=False)
def test_expected_to_fail():
    raise AssertionError("still broken")

def test_leaves_a_thread():
    threading.Thread(target=time.sleep, args=(60,), name="forgotten", daemon=True).start()

def test_warns():
    warnings.warn("old name")

async def _crash():
    raise ValueError("nobody looked")

def test_forgets_a_coroutine():
    _crash()

@pytest.mark.quick
def test_good():
    assert True
"""


def run_suite(folder: Path, source: str) -> "subprocess.CompletedProcess[str]":
    """Run a suite under the repository's conftest and settings, in an interpreter of its own."""
    shutil.copy(ROOT / "conftest.py", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "test_suite.py").write_text(source)
    command = [
        sys.executable,
        "-Im",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "test_suite.py",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("test_skipped", "skipped or expected to fail, which no test here may"),
        ("test_skipped_by_mark", "skipped or expected to fail, which no test here may"),
        ("test_expected_to_fail", "skipped or expected to fail, which no test here may"),
        ("test_leaves_a_thread", "threads left running: forgotten"),
        ("test_warns", "UserWarning: old name"),
        ("test_forgets_a_coroutine", "was never awaited"),
    ],
)
def test_a_broken_rule_fails_the_test(broken_suite: str, test: str, reason: str) -> None:
    """A test that skips, expects to fail, leaks a thread, warns or forgets a coroutine fails with the reason."""
    failures = [
        line for line in broken_suite.splitlines() if line.startswith(("FAILED", "ERROR")) and test in line
    ]

    assert failures
    assert reason in broken_suite


@pytest.fixture(scope="module")
def broken_suite(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of a suite that breaks each rule once."""
    source = SUITE.replace("@pytest.mark.quick\n", "")
    return run_suite(tmp_path_factory.mktemp("broken"), source).stdout


def test_nothing_counts_as_skipped(broken_suite: str) -> None:
    """The summary of a suite with skipped and expected failures counts failures only."""
    summary = broken_suite.splitlines()[-1]

    assert "skipped" not in summary
    assert "xfailed" not in summary
    assert "4 failed, 2 passed, 2 errors" in summary  # the leak is found after its test passed


def test_a_file_that_skips_itself_fails(tmp_path: Path) -> None:
    """A module that skips itself while it is collected is an error, not a hole in the suite."""
    run = run_suite(tmp_path, "import pytest\npytest.importorskip('no_such_library')\n")

    assert run.returncode != 0
    assert "which no test here may" in run.stdout


def test_an_unknown_marker_is_refused(tmp_path: Path) -> None:
    """A marker that nobody registered stops the run."""
    run = run_suite(tmp_path, SUITE)

    assert run.returncode != 0
    assert "'quick' not found in `markers`" in run.stdout


def test_an_async_test_runs_on_asyncio_by_itself(tmp_path: Path) -> None:
    """`async def test_…` needs no mark and no fixture."""
    run = run_suite(tmp_path, "import asyncio\nasync def test_it():\n    assert asyncio.get_running_loop()\n")

    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout
