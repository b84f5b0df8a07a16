"""The local server as a process of its own."""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Final, final
from urllib.parse import urlsplit

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
_EXPORT: Final = re.compile(r"export (OPENOBSERVE_[A-Z]+)=(.*)")
_SETTINGS: Final = ("CQRS_", "OPENOBSERVE_", "OTEL_")
_WANTED: Final = {"OPENOBSERVE_URL", "OPENOBSERVE_ORGANIZATION", "OPENOBSERVE_TOKEN"}


class ServerError(Exception):
    """The server did not start; the text says what it printed."""


@final
class Server:
    """``cqrs local up`` as a process, on a free port.

    Args:
        data: where it keeps what it stores.

    Attributes:
        variables: what a program needs to find it, by environment variable.

    Raises:
        ServerError: if it ends or stays silent instead of listening.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self.variables = self._start(port=0)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.variables["OPENOBSERVE_URL"]

    @property
    def page(self) -> str:
        """Address of its page; the credentials in it are in the part that browsers keep to themselves."""
        return f"{self.url}/#key={base64.b64encode(self.variables['OPENOBSERVE_TOKEN'].encode()).decode()}"

    def kill(self) -> None:
        """End it as SIGKILL does: it gets no chance to finish anything."""
        self._process.kill()
        self._process.communicate()

    def start_again(self) -> None:
        """Start it anew after ``kill``: same port, same data.

        Raises:
            ServerError: if it does not come back as it was.
        """
        port = urlsplit(self.url).port
        if self._start(port=port or 0) != self.variables:
            raise ServerError("the local server came back with another address or another token.")

    def wait(self) -> None:
        """Wait until it ends by itself."""
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end; end it if it does not."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _start(self, port: int) -> dict[str, str]:
        command = [
            sys.executable,
            "-m",
            "cqrs",
            "local",
            "up",
            "--port",
            str(port),
            "--data",
            str(self._data),
        ]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=unsettled(os.environ),
            process_group=0,  # Ctrl-C is for the demo, which then stops it
        )
        try:
            return _exports(self._process)
        except ServerError:
            self.stop()
            raise


@contextmanager
def local_server(data: Path) -> Generator[Server]:
    """Start ``cqrs local up`` and stop it at the end.

    Args:
        data: where it keeps what it stores.

    Raises:
        ServerError: if it ends or stays silent instead of listening.
    """
    server = Server(data)
    try:
        yield server
    finally:
        server.stop()


def unsettled(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment without the settings that somebody has made for a service of their own.

    Args:
        environment: variables by name.
    """
    return {name: value for name, value in environment.items() if not name.startswith(_SETTINGS)}


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
