"""Sees what the server answered, and changes nothing."""

import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.payloads import json_payloads
from cqrs_openobserve.testing import RecordingTransport, counted
from cqrs_openobserve.verify.witness import Witness

(PAYLOAD,) = json_payloads("cqrs_commands", [(b"{}", 0)])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (counted(1), "stored"),
        (counted(0, 1, "odd"), "final"),
        (Answer(401), "final"),
        (Answer(400), "final"),
        (Answer(503), ""),
        (Answer(200, body=b"<"), ""),
        (Trouble("refused", "no"), ""),
    ],
    ids=["stored", "refused", "401", "400", "503", "page", "down"],
)
def test_answers_are_told_apart(answer: Answer | Trouble, told: str) -> None:
    """Stored, never to be stored, or worth another attempt."""
    witness = Witness(RecordingTransport(lambda _: answer))
    assert witness.send(PAYLOAD) is answer
    seen = witness.seen[PAYLOAD.path]
    assert (seen.delivered, seen.final) == (told == "stored", told == "final")


def test_the_names_that_the_server_used_are_kept() -> None:
    """They may be others than those that were sent to."""
    body = b'{"code":200,"status":[{"name":"CQRS","successful":1,"failed":0},{"name":7}]}'
    witness = Witness(RecordingTransport(lambda _: Answer(200, body=body)))
    witness.send(PAYLOAD)
    assert witness.seen[PAYLOAD.path].streams == ("CQRS",)


def test_everything_else_is_passed_on() -> None:
    """Limits, the end, and forks."""
    inner = RecordingTransport()
    witness = Witness(inner)
    witness.limit(7.0)
    witness.close()
    witness.abandon()
    assert (inner.limited, inner.closed, inner.abandoned) == (7.0, True, True)
    assert inner.sent == []
