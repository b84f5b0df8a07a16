"""From what is known to the likely cause."""

from datetime import UTC, datetime

import pytest
from cqrs_openobserve.answers import Answer, Meaning, meaning
from cqrs_openobserve.testing import counted
from cqrs_openobserve.verify.causes import Known, came_back_wrong, not_found, undelivered
from cqrs_openobserve.verify.probes import Probe
from cqrs_openobserve.verify.witness import Seen

PROBE = Probe("logs", "shop:commands", "/x/_json", "logs", "", lambda _: "", "", "CQRS_STREAM_COMMANDS")
STORED = Seen(Meaning("settle", 1))


def seen(answer: Answer) -> Seen:
    return Seen(meaning(answer, 1, datetime.now(UTC)))


@pytest.mark.parametrize(
    ("known", "text", "cause"),
    [
        (Known(None), "was not sent", "raise --timeout"),
        (
            Known(seen(counted(0, 1, "Too old data"))),
            "refused: the server refused 1 of 1 records: Too old",
            "5 h",
        ),
        (Known(seen(counted(0, 1, "x")), skew_s=21_600), "refused", "clock is +21600 s away"),
        (
            Known(seen(Answer(401, excerpt="no"))),
            "not stored: the server answered 401: no",
            "OPENOBSERVE_TOKEN",
        ),
        (Known(seen(Answer(404))), "not stored", "OPENOBSERVE_ORGANIZATION"),
        (Known(seen(Answer(400, excerpt="stream is being deleted"))), "not stored", "has deleted it"),
        (Known(seen(Answer(503))), "not stored: the server answered 503", "server's own log"),
    ],
    ids=["unsent", "refused", "clock", "401", "404", "deleting", "503"],
)
def test_a_probe_that_was_not_stored(known: Known, text: str, cause: str) -> None:
    """By what the server said to it."""
    said = undelivered(known)
    assert text in said[0]
    assert cause in said[1]


@pytest.mark.parametrize(
    ("known", "cause"),
    [
        (Known(STORED, ("shop_commands",)), "stores shop:commands as shop_commands"),
        (Known(Seen(STORED.meant, ("SHOP:Commands",))), "export CQRS_STREAM_COMMANDS=SHOP:Commands."),
        (Known(STORED, ("other",)), "no stream shop:commands: check OPENOBSERVE_ORGANIZATION"),
        (Known(STORED, ("shop:commands",), -400), "clock is -400 s away"),
        (Known(STORED, ("shop:commands",)), "raise --timeout"),
        (Known(STORED), "raise --timeout"),
    ],
    ids=["listed name", "answered name", "no stream", "clock", "slow", "unknown"],
)
def test_a_probe_that_was_stored_and_is_not_found(known: Known, cause: str) -> None:
    """Under another name, in another place, at another time, or not yet."""
    assert cause in not_found(PROBE, known)[1]


def test_a_probe_that_came_back_wrong() -> None:
    """Types of columns never go back."""
    text, cause = came_back_wrong("duration_ms is a str, not Float64")
    assert text.endswith("duration_ms is a str, not Float64")
    assert "init" in cause
