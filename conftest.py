"""Rules that every test of the repository runs under; `[tool.pytest.ini_options]` holds the rest."""

import importlib.util
import os
import threading
import time
from collections.abc import Generator, Iterable, Iterator

import pytest

# Plugins are not loaded by themselves. Property tests bring this one, an environment without hypothesis does not.
pytest_plugins = ["_hypothesis_pytestplugin"] if importlib.util.find_spec("hypothesis") else []

if importlib.util.find_spec("hypothesis"):
    from hypothesis import settings

    settings.register_profile("dev", max_examples=50, deadline=None)
    settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, print_blob=True)
    settings.register_profile("nightly", max_examples=2000, deadline=None, print_blob=True)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# A worker of a thread pool that is idle ends with its event loop, which outlives a test.
POOLED = ("AnyIO worker thread", "Trio thread", "asyncio_")
GRACE_SECONDS = 1.0


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """A thread that a test started ends with the test."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := _started_since(before)) and time.monotonic() < deadline:
        left[0].join(timeout=0.05)
    if left:
        pytest.fail(f"threads left running: {', '.join(thread.name for thread in left)}")


def _started_since(before: Iterable[threading.Thread]) -> list[threading.Thread]:
    return [
        thread
        for thread in set(threading.enumerate()) - set(before)
        if thread.is_alive() and not thread.name.startswith(POOLED)
    ]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped or expected to fail: a promise that is not checked is not kept."""
    report = yield
    # A worker sends what was captured to the main process as UTF-8, which knows no lone surrogate.
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    if report.skipped:
        _turn_into_failure(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a file that skips itself while it is collected."""
    report = yield
    if report.skipped:
        _turn_into_failure(report)
    return report


def _turn_into_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = vars(report).pop("wasxfail", None) or report.longreprtext or "no reason given"
    report.outcome = "failed"
    report.longrepr = f"skipped or expected to fail, which no test here may: {reason}"
