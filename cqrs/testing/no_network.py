"""No way out of this machine: what a test that must not reach a network relies on."""

import ipaddress
import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Final, cast
from unittest import mock

_HERE: Final = frozenset({"", "localhost", "localhost.localdomain", "ip6-localhost"})

Call = Callable[..., object]


class NetworkUsed(AssertionError):  # noqa: N818 - a verdict, as a failed assertion is
    """A test that must not reach a network tried to."""


@contextmanager
def offline() -> Generator[None]:
    """Refuse every connection and look-up that would leave this machine; loopback and Unix sockets work.

    Raises:
        NetworkUsed: where the code under test tries to connect, send or look up a name.
    """
    with ExitStack() as stack:
        for name in ("connect", "connect_ex", "sendto"):
            stack.enter_context(
                mock.patch.object(socket.socket, name, _guarded(getattr(socket.socket, name), 1))
            )
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            stack.enter_context(mock.patch.object(socket, name, _guarded(getattr(socket, name), 0)))
        yield


def _guarded(call: Call, first: int) -> Call:
    # ``sendto`` takes data, perhaps flags, then the address; the others take the address or name first.
    def guarded(*arguments: object, **options: object) -> object:
        given = (*arguments[first:], *options.values())
        name = getattr(call, "__name__", "call")
        target = given[-1] if name == "sendto" else given[0] if given else ""
        if not _is_here(target):
            raise NetworkUsed(f"{name} to {target!r}: this test must not reach a network.")
        return call(*arguments, **options)

    return guarded


def _is_here(target: object) -> bool:
    if isinstance(target, tuple):
        return _is_here(cast("tuple[object, ...]", target)[0])
    if target is None or isinstance(target, bytes | bytearray):
        return True  # any address of this machine, or a Unix socket
    host = str(target).partition("%")[0]
    if host in _HERE or "/" in host:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
