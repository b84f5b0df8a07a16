"""A server without a network that knows what it stored."""

import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.payloads import json_payloads
from cqrs_openobserve.testing import Played, PlayedServer, counted, playing
from cqrs_openobserve.testing.played_server import MOST_REQUESTS

from cqrs.testing import LawBroken


def test_it_fails_as_told_and_knows_what_it_stored() -> None:
    """Also what it stored without saying so, and what it has twice."""
    server = PlayedServer(["stored, then reset", "503"], poison=frozenset({3}))
    answers = [server.answer(numbers, b"x") for numbers in ([1, 2], [1, 2], [1, 2], [3, 4], [4])]
    assert answers == ["stored, then reset", "503", "stored", "bad record", "stored"]
    assert (server.acknowledged, server.duplicates, server.requests, server.wire) == (3, 2, 5, b"x" * 5)
    assert server.stored == {1: 2, 2: 2, 4: 1}


def test_it_is_not_asked_for_ever() -> None:
    """An exporter that does not stop ends in a verdict instead of a test that hangs."""
    server = PlayedServer(usual="refused")
    for _ in range(MOST_REQUESTS):
        server.answer([1])
    with pytest.raises(LawBroken, match="without end"):
        server.answer([1])


@pytest.mark.parametrize(
    ("played", "answer"),
    [
        ("stored", counted(2)),
        ("uncounted", counted(0)),
        ("bad record", Answer(400)),
        ("429", Answer(429)),
        ("refused", Trouble("refused", "refused")),
        ("reset", Trouble("reset", "reset", sent=True)),
        ("stored, then reset", Trouble("reset", "reset", sent=True)),
    ],
)
def test_it_stands_behind_our_transport(played: Played, answer: Answer | Trouble) -> None:
    """Each answer as the client would give it."""
    (payload,) = json_payloads("s", [(b'{"n":1}', 0), (b'{"n":2}', 0)])
    assert playing(PlayedServer(usual=played), lambda _: [1, 2])(payload) == answer
