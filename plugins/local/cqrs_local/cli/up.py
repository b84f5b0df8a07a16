"""`cqrs local up`: the server as a process."""

import asyncio
import ipaddress
import re
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import attrs

from cqrs_local.directory import DirectoryError
from cqrs_local.emulation import Emulation
from cqrs_local.listener import bind

if TYPE_CHECKING:
    from cqrs_local.server import LocalServer

_ORGANIZATION: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", re.ASCII)
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@attrs.frozen
class Wanted:
    """The options of the command.

    Attributes:
        host, port: where to listen.
        data: the data directory.
        org: the organisation that is there from the start.
        emulation: which version of the real server it answers as.
    """

    host: str
    port: int
    data: Path
    org: str
    emulation: Emulation = Emulation.NEWEST


def run_until_stopped(wanted: Wanted) -> None:
    """Serve until SIGINT or SIGTERM; leave with one line on stderr and status 1 if that is impossible."""
    if not _ORGANIZATION.fullmatch(wanted.org):
        _fail(f"--org {wanted.org!r} is no organisation name. Fix: letters, digits, _ and -, at most 100")
    listener = _listener(wanted)
    if not _is_loopback(listener):
        sys.stderr.write(_WARNING.format(wanted.host))
    try:
        asyncio.run(_serve(wanted, listener))
    except DirectoryError as error:
        listener.close()
        _fail(f"--data {error}. Fix: choose another directory with --data, or stop the process that has it")


_WARNING: Final = (
    "warning: --host {} lets other machines reach this development server, over plain HTTP: "
    "anybody on the way can read its token. Fix: leave --host out\n"
)


def _listener(wanted: Wanted) -> socket.socket:
    try:
        return bind(wanted.host, wanted.port)
    except socket.gaierror as error:
        _fail(
            f"--host {wanted.host!r} cannot be resolved: {error.strerror}. Fix: an address such as 127.0.0.1"
        )
    except OSError as error:
        _fail(
            f"--port {wanted.port} on {wanted.host}: {error.strerror}. Fix: another --port, 0 picks a free one"
        )


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


async def _serve(wanted: Wanted, listener: socket.socket) -> None:
    # The engine takes half a second to load: whoever mistyped an option is told before.
    from cqrs_local.cli.logs import start_logging
    from cqrs_local.server import LocalServer

    stop = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = LocalServer(wanted.data, organization=wanted.org, emulation=wanted.emulation)
    await server.open()
    start_logging(wanted.data)
    try:
        async with server.listening(listener):
            _tell(server)
            await stop.wait()
    finally:
        await server.close()


def _tell(server: "LocalServer") -> None:
    lines = (
        "# returns-cqrs-local: a single-writer development server that speaks OpenObserve's API",
        f"# data in {server.directory}",
        "# stop it with Ctrl-C; the lines below are for the shell of the app",
        f"export OPENOBSERVE_URL={server.url}",
        f"export OPENOBSERVE_ORGANIZATION={server.organization}",
        f"export OPENOBSERVE_TOKEN={server.token}",
        f"# look at it: {server.page}",
    )
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _fail(reason: str) -> NoReturn:
    sys.stderr.write(f"cqrs local up: {reason}\n")
    sys.exit(1)
