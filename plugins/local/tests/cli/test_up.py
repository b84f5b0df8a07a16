"""`cqrs local up` as a process."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "cqrs", "local", "up"]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers; whatever is left of them is killed at the end."""
    running: list[subprocess.Popen[str]] = []

    def start_one(*options: str, **environment: str) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                [*COMMAND, *options],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
                env={**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": "", **environment},
            )
        )
        return running[-1]

    yield start_one
    for process in running:
        process.kill()
        process.communicate()


def exports(process: subprocess.Popen[str]) -> dict[str, str]:
    """What a server that is up exports, by name."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    for line in process.stdout:
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            found[name] = value
        else:
            assert line.startswith("# "), line
        if len(found) == 3:
            return found
    raise AssertionError(f"not up: {process.communicate()[1]}")


def stopped(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str, float]:
    """Status, stderr and seconds of a stop."""
    began = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=10)
    return process.returncode, stderr, time.monotonic() - began


def refused(process: subprocess.Popen[str]) -> str:
    """The one line of a server that did not start."""
    stdout, stderr = process.communicate(timeout=15)
    assert (process.returncode, stdout) == (1, ""), stderr
    assert stderr.count("\n") == 1, stderr
    return stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_up_when_it_says_so_and_stops_when_asked(start: Start, tmp_path: Path, number: int) -> None:
    """The printed lines work at once; a signal ends it with status 0 in less than 2 s and nothing is lost."""
    process = start("--port", "0", "--data", "data")
    printed = exports(process)
    user, _, secret = printed["OPENOBSERVE_TOKEN"].partition(":")
    with httpx.Client(base_url=printed["OPENOBSERVE_URL"], auth=(user, secret)) as http:
        answer = http.post(f"/api/{printed['OPENOBSERVE_ORGANIZATION']}/s/_json", json=[{"a": 1}])
        assert answer.json()["status"][0]["successful"] == 1
        status, stderr, seconds = stopped(process, number)

    assert (status, stderr) == (0, "")
    assert seconds < 2
    assert len(list((tmp_path / "data" / "segments").rglob("*.parquet"))) == 1


def test_a_shell_can_eval_what_it_prints(start: Start) -> None:
    """Comments are comments, values need no further quoting, and a restart prints the same token."""
    process = start("--port", "0")
    printed = exports(process)
    stopped(process)
    script = (
        "\n".join(f"export {name}={value}" for name, value in printed.items()) + "\necho $OPENOBSERVE_TOKEN"
    )
    evaluated = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()

    assert evaluated == printed["OPENOBSERVE_TOKEN"]
    assert all(shlex.quote(value) == value for value in printed.values())
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", printed["OPENOBSERVE_URL"])
    assert exports(start("--port", "0"))["OPENOBSERVE_TOKEN"] == printed["OPENOBSERVE_TOKEN"]


def test_it_names_its_page_and_answers_as_the_version_that_was_asked_for(start: Start) -> None:
    """The address carries the credentials where browsers keep them to themselves."""
    process = start("--port", "0", "--emulate", "0.16")
    printed = exports(process)
    assert process.stdout is not None
    address, _, key = process.stdout.readline().strip().removeprefix("# look at it: ").partition("#key=")

    assert b64decode(key).decode() == printed["OPENOBSERVE_TOKEN"]
    assert address == f"{printed['OPENOBSERVE_URL']}/"
    assert httpx.get(address).headers["content-type"].startswith("text/html")
    assert httpx.get(f"{address}config").json()["version"] == "v0.16.3"


def test_data_lies_in_the_state_of_the_user(start: Start, tmp_path: Path) -> None:
    """For this user alone."""
    exports(start("--port", "0", XDG_STATE_HOME=str(tmp_path / "state")))
    place = "Library/Application Support" if sys.platform == "darwin" else "state"
    directory = tmp_path / place / "returns-cqrs" / "local"

    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "credentials.json").stat().st_mode & 0o777 == 0o600


def test_a_port_in_use_is_named(start: Start) -> None:
    """With the option and the fix."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = refused(start("--port", port, "--data", "d"))

    assert line.startswith(f"cqrs local up: --port {port} on 127.0.0.1: Address already in use. Fix: ")


def test_a_directory_in_use_names_its_process(start: Start) -> None:
    """The first server goes on."""
    first = start("--port", "0", "--data", "d")
    url = exports(first)["OPENOBSERVE_URL"]
    line = refused(start("--port", "0", "--data", "d"))

    assert f"in use by another local server, process {first.pid}." in line
    assert httpx.get(f"{url}/healthz").status_code == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "file"], "--data file is a file, not a directory"),
        (["--data", "file/below"], "--data file/below cannot be written: Not a directory"),
        (["--org", "my org"], "--org 'my org' is no organisation name"),
        (["--org", ""], "--org '' is no organisation name"),
        (["--host", "no.such.host.invalid"], "--host 'no.such.host.invalid' cannot be resolved"),
        (["--host", "192.0.2.1"], "--port 0 on 192.0.2.1: "),
    ],
)
def test_what_cannot_work_is_one_line_with_the_option_and_the_fix(
    start: Start, tmp_path: Path, options: list[str], said: str
) -> None:
    """Status 1, no traceback."""
    (tmp_path / "file").touch()
    line = refused(start("--port", "0", *options))

    assert line.startswith(f"cqrs local up: {said}"), line
    assert "Fix: " in line


def test_an_address_for_others_is_warned_about(start: Start) -> None:
    """It works all the same."""
    process = start("--port", "0", "--data", "d", "--host", "0.0.0.0")
    exports(process)
    status, stderr, _ = stopped(process)

    assert status == 0
    assert stderr.startswith("warning: --host 0.0.0.0 lets other machines reach")
    assert stderr.count("\n") == 1


def test_the_package_runs_as_a_module(tmp_path: Path) -> None:
    """The same command, and its help."""
    ran = subprocess.run(
        [sys.executable, "-m", "cqrs_local", "up", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )

    assert "--data" in ran.stdout
