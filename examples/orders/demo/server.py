"""The local server as a process of its own."""

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Final, final

import attrs

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
_EXPORT: Final = re.compile(r"export (OPENOBSERVE_[A-Z]+)=(.*)")
_WANTED: Final = {"OPENOBSERVE_URL", "OPENOBSERVE_ORGANIZATION", "OPENOBSERVE_TOKEN"}


class ServerError(Exception):
    """The server did not start; the text says what it printed."""


@final
@attrs.frozen
class Server:
    """A running server.

    Attributes:
        variables: what a program needs to find it, by environment variable.
        process: the server's process.
    """

    variables: dict[str, str] = attrs.field(repr=False)
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.variables["OPENOBSERVE_URL"]


@contextmanager
def local_server(data: Path) -> Generator[Server]:
    """Start ``cqrs local up`` on a free port and stop it at the end.

    Args:
        data: where it keeps what it stores.

    Raises:
        ServerError: if it ends or stays silent instead of listening.
    """
    command = [sys.executable, "-m", "cqrs", "local", "up", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Server(_exports(process), process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _exports(process: subprocess.Popen[str]) -> dict[str, str]:
    lines: Queue[str | None] = Queue()
    Thread(target=_copy, args=(process.stdout, lines), daemon=True).start()
    found: dict[str, str] = {}
    while not found.keys() >= _WANTED:
        try:
            line = lines.get(timeout=START_SECONDS)
        except Empty:
            raise ServerError(f"the local server said nothing for {START_SECONDS:g} s.") from None
        if line is None:
            raise ServerError(f"the local server ended: {_read(process.stderr) or 'it printed nothing'}")
        if (export := _EXPORT.match(line)) is not None:
            found[export[1]] = export[2].strip().strip("'\"")
    return found


def _copy(stream: IO[str] | None, lines: "Queue[str | None]") -> None:
    for line in stream or ():
        lines.put(line)
    lines.put(None)


def _read(stream: IO[str] | None) -> str:
    return stream.read().strip() if stream is not None else ""
