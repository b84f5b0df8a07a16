"""A transport without a network, for tests that count: it plays answers and keeps what the server would have."""

import gzip
from collections.abc import Callable
from typing import cast, final

import orjson

from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.payloads import Payload

Play = Callable[[Payload], Answer | Trouble]


def counted(stored: int, failed: int = 0, error: str = "") -> Answer:
    """Make the answer to a ``_json`` request.

    Args:
        stored: how many records the server says it stored.
        failed: how many it says it refused.
        error: its text about those.
    """
    entry: dict[str, object] = {"name": "s", "successful": stored, "failed": failed}
    body = orjson.dumps({"code": 200, "status": [entry | ({"error": error} if error else {})]})
    return Answer(200, {"content-type": "application/json"}, body, error)


def taken(payload: Payload) -> Answer:
    """Make the answer of a server that stores everything.

    Args:
        payload: what was sent, of any signal.
    """
    if payload.is_otlp:
        return Answer(200, {"content-type": "application/x-protobuf"})
    return counted(payload.records)


@final
class RecordingTransport:
    """Answers each request as told.

    Args:
        play: gives the answer to a payload; by default everything is stored.

    Attributes:
        play: may be replaced at any time.
        sent: every payload so far, also those that were refused.
        limited: the moment at which requests have to end, or None.
        closed, abandoned: whether that was called.
    """

    def __init__(self, play: Play = taken) -> None:
        self.play = play
        self.sent: list[Payload] = []
        self.limited: float | None = None
        self.closed = self.abandoned = False

    def send(self, payload: Payload, /) -> Answer | Trouble:
        """Take a payload and play the answer."""
        self.sent.append(payload)
        return self.play(payload)

    def limit(self, moment: float, /) -> None:
        """Take note of the moment."""
        self.limited = moment

    def close(self) -> None:
        """Take note."""
        self.closed = True

    def abandon(self) -> None:
        """Take note."""
        self.abandoned = True


def rows_of(payload: Payload) -> list[dict[str, object]]:
    """Read the records of a ``_json`` payload.

    Args:
        payload: as it was sent.
    """
    return cast("list[dict[str, object]]", orjson.loads(gzip.decompress(payload.body)))
