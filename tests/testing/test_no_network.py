"""No way out of this machine."""

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from cqrs.testing.no_network import NetworkUsed, offline

# Addresses that are for documentation only (RFC 5737, RFC 3849): nothing would answer if the guard failed.
ELSEWHERE = [("192.0.2.1", 9), ("2001:db8::1", 9, 0, 0)]


@pytest.mark.parametrize("address", ELSEWHERE)
@pytest.mark.parametrize("call", ["connect", "connect_ex"])
def test_a_connection_to_elsewhere_fails(address: tuple[object, ...], call: str) -> None:
    """At once, and the text says where it was to go."""
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
    with (
        offline(),
        socket.socket(family) as outside,
        pytest.raises(NetworkUsed, match=f"{call} to .*{address[0]}"),
    ):
        getattr(outside, call)(address)


def test_a_datagram_to_elsewhere_fails() -> None:
    """With flags and without."""
    with offline(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
        with pytest.raises(NetworkUsed, match="sendto"):
            outside.sendto(b"x", ELSEWHERE[0])
        with pytest.raises(NetworkUsed, match="sendto"):
            outside.sendto(b"x", 0, ELSEWHERE[0])


@pytest.mark.parametrize("call", ["getaddrinfo", "gethostbyname", "gethostbyname_ex"])
def test_a_name_is_not_looked_up(call: str) -> None:
    """Looking a name up asks a server elsewhere."""
    arguments = ("example.invalid", 80) if call == "getaddrinfo" else ("example.invalid",)

    with offline(), pytest.raises(NetworkUsed, match=r"example\.invalid"):
        getattr(socket, call)(*arguments)


def test_what_is_on_this_machine_is_reached(tmp_path: Path) -> None:
    """By address and by name, and over a Unix socket."""
    with offline(), socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as unix:
        port = server.getsockname()[1]

        def answer() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=answer)
        thread.start()
        socket.create_connection(("localhost", port), timeout=10).close()
        thread.join()
        with pytest.raises(FileNotFoundError):
            unix.connect(str(tmp_path / "none.sock"))


async def test_asyncio_is_refused_too() -> None:
    """Its event loop opens connections by the same calls."""
    with offline(), pytest.raises(NetworkUsed, match=r"192\.0\.2\.1"):
        await asyncio.open_connection("192.0.2.1", 9)


def test_everything_is_put_back() -> None:
    """Only the block is without a network."""
    before = (socket.socket.connect, socket.getaddrinfo)

    with offline():
        assert socket.getaddrinfo is not before[1]

    assert (socket.socket.connect, socket.getaddrinfo) == before
