"""One total deadline for a request, which another thread may draw nearer."""

import select
import socket
import time
from collections.abc import Sequence
from typing import TypeAlias, final

# As ``socket.getaddrinfo`` gives it.
Found: TypeAlias = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


@final
class Deadline:
    """The moment at which the running request ends."""

    def __init__(self) -> None:
        self._request = self._limit = float("inf")

    def start(self, seconds: float) -> None:
        """Begin a request.

        Args:
            seconds: its total time.
        """
        self._request = time.monotonic() + seconds

    def limit(self, moment: float) -> None:
        """End every request, the running one too, at a moment at the latest.

        Args:
            moment: on ``time.monotonic()``.
        """
        self._limit = moment

    def left(self) -> float:
        """Give the seconds that are left.

        Raises:
            TimeoutError: if there are none.
        """
        left = min(self._request, self._limit) - time.monotonic()
        if left <= 0:
            raise TimeoutError("the total time of the request is over")
        return left


def connected(found: Sequence[Found], deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers.

    Args:
        found: the addresses of one host; each may take its share of the time that is left, so that one that never
            answers does not cost the others theirs.
        deadline: of the request.

    Raises:
        OSError: why the last one did not.
    """
    trouble = OSError("no address")
    for place, (family, kind, protocol, _, address) in enumerate(found):
        try:
            return _connected(family, kind, protocol, address, seconds=deadline.left() / (len(found) - place))
        except OSError as error:
            trouble = error
    raise trouble


def _connected(family: int, kind: int, protocol: int, address: object, *, seconds: float) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(seconds)
        sock.connect(address)  # type: ignore[arg-type]  # of the family's form
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    return sock


def is_readable(sock: socket.socket) -> bool:
    """Tell whether an idle connection has something to read, which means that the server closed it."""
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))
