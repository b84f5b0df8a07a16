"""One total deadline for a request, which another thread may draw nearer."""

import select
import socket
import time
from typing import final


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


def is_readable(sock: socket.socket) -> bool:
    """Tell whether an idle connection has something to read, which means that the server closed it."""
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))
