"""How a pipeline is."""

import json

from cqrs_openobserve.health import Health
from cqrs_openobserve.ledger import SignalLedger


def health(*books: SignalLedger, outages: dict[str, str] | None = None, problem: str = "") -> Health:
    return Health({one.signal: one for one in books}, outages or {}, "", 5, problem, 1, -2.5)


def test_it_is_well_while_records_flow() -> None:
    """What is the parent's, or came after the end, was not lost by a fault."""
    well = health(SignalLedger("logs", 6, 3, 1, {"fork_discard": 1, "already_stopped": 1}))
    assert well.ok
    assert str(well).startswith("logs: accepted 6")
    assert str(health()) == "nothing observed yet"


def test_a_loss_or_an_outage_is_told() -> None:
    """In one line, with what can be done."""
    assert not health(SignalLedger("logs", 1, 0, 0, {"queue_full": 1})).ok
    away = health(
        SignalLedger("logs", 1, 0, 1, {}), outages={"logs": "refused; check it."}, problem="/x: full"
    )
    assert not away.ok
    assert str(away).startswith("logs refused; check it.; logs: accepted 1")
    assert str(away).endswith("spool: /x: full")


def test_it_is_written_down_for_other_programs() -> None:
    """Every number of the books, and whose they are."""
    written = json.loads(health(SignalLedger("traces", 3, 1, 0, {"expired": 2})).as_json({"pid": 7}))
    assert (written["version"], written["pid"], written["restarts"], written["clock_skew_s"]) == (
        1,
        7,
        1,
        -2.5,
    )
    assert written["signals"]["traces"] == {
        "accepted": 3,
        "adopted": 0,
        "delivered": 1,
        "waiting": 0,
        "spooled": 0,
        "ambiguous": 0,
        "dropped": {"expired": 2},
    }
    assert written["spool"] == {"bytes": 5, "problem": ""}
