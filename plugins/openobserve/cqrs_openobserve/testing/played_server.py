"""A server without a network, for laws: it fails as drawn, and knows what it stored."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Literal, final

from cqrs.testing import LawBroken
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.payloads import Payload
from cqrs_openobserve.testing.recording_transport import Play, counted

Played = Literal[
    "stored",
    "uncounted",
    "bad record",
    "503",
    "429",
    "401",
    "refused",
    "reset",
    "stored, then reset",
]
OUTAGES: Final[tuple[Played, ...]] = ("503", "429", "401", "refused", "reset", "stored, then reset")
MOST_REQUESTS: Final = 300


@final
class PlayedServer:
    """Answers requests that carry numbers.

    Args:
        first: how it answers its first requests.
        poison: numbers for which it refuses a whole request.
        usual: how it answers the others.

    Attributes:
        usual: may be replaced at any time.
        stored: every number as often as it was stored.
        acknowledged: how many numbers it said that it stored.
        requests: how many there were.
        wire: what came, all of it.
    """

    def __init__(
        self, first: Sequence[Played] = (), poison: frozenset[int] = frozenset(), usual: Played = "stored"
    ) -> None:
        self._first = list(first)
        self._poison = poison
        self.usual: Played = usual
        self.stored: Counter[int] = Counter()
        self.acknowledged = 0
        self.requests = 0
        self.wire = b""

    @property
    def duplicates(self) -> int:
        """How many copies it has too many."""
        return self.stored.total() - len(self.stored)

    def answer(self, numbers: Sequence[int], wire: bytes = b"") -> Played:
        """Answer a request.

        Args:
            numbers: the numbers of its records.
            wire: its body, as people could read it.

        Returns:
            What the exporter has to be told: ``stored`` with all numbers counted, ``uncounted`` is a 200 that counts
            none, ``bad record`` a 400 for the whole request, ``refused`` no connection, both resets one that broke
            after the request was sent.

        Raises:
            LawBroken: if it is asked without end.
        """
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            raise LawBroken(f"The server is asked without end: {MOST_REQUESTS} times so far.")
        self.wire += wire
        answered = self._first.pop(0) if self._first else self.usual
        if answered == "stored" and self._poison.intersection(numbers):
            return "bad record"
        if answered in {"stored", "stored, then reset"}:
            self.stored.update(numbers)
        self.acknowledged += len(numbers) if answered == "stored" else 0
        return answered


def playing(server: PlayedServer, numbers: Callable[[Payload], Sequence[int]]) -> Play:
    """Make the ``play`` of a ``RecordingTransport`` behind which a played server is.

    Args:
        server: the server.
        numbers: reads the numbers of a payload's records.
    """

    def play(payload: Payload) -> Answer | Trouble:
        answered = server.answer(numbers(payload), payload.body)
        match answered:
            case "stored":
                return counted(payload.records)
            case "uncounted":
                return counted(0)
            case "bad record":
                return Answer(400)
            case "refused":
                return Trouble("refused", "refused")
            case "reset" | "stored, then reset":
                return Trouble("reset", "reset", sent=True)
            case _:
                return Answer(int(answered))

    return play
