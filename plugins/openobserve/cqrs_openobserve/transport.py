"""What reaches a server: the client, or a double of it."""

from typing import Protocol

from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.payloads import Payload


class Transport(Protocol):
    """Takes payloads to the server."""

    def send(self, payload: Payload, /) -> Answer | Trouble:
        """Send one request; never raises."""
        ...

    def limit(self, moment: float, /) -> None:
        """End every request at a moment (``time.monotonic()``) at the latest."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...

    def abandon(self) -> None:
        """Forget connections that belong to the parent process."""
        ...
