"""One line per reason a minute."""

import logging

import pytest
from cqrs_openobserve.ledger import SignalLedger
from cqrs_openobserve.notices import PAUSE_NS, Notices, farewell


def test_each_reason_is_said_once_a_minute_with_what_came_together(caplog: pytest.LogCaptureFixture) -> None:
    """No flood, and no loss that is never said."""
    notices = Notices()
    with caplog.at_level(logging.WARNING, "cqrs.openobserve"):
        notices.dropped({"expired": 2}, "cause", 0)
        notices.dropped({"expired": 5}, "cause", 1)
        notices.dropped({"expired": 5, "internal": 1}, "", 2)
        notices.dropped({"expired": 7}, "cause", PAUSE_NS)
        notices.dropped({"expired": 7}, "cause", 3 * PAUSE_NS)

    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "2 records lost (expired)",
        "1 records lost (internal)",
        "5 records lost (expired)",
    ]
    assert caplog.records[0].name == "cqrs.openobserve"


def test_an_outage_is_said_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    """Once a minute while it lasts; nothing when all is well."""
    notices = Notices()
    for now in (0, 1, PAUSE_NS):
        notices.outage("refused; check OPENOBSERVE_URL.", 5, now)
    notices.outage("", 0, 2 * PAUSE_NS)
    assert [record.getMessage() for record in caplog.records] == [
        "5 records wait, none is lost yet: refused; check OPENOBSERVE_URL."
    ] * 2


def test_the_last_line_has_count_reasons_and_cause() -> None:
    """In one line."""
    books = SignalLedger("logs", 10, 5, 0, {"shutdown_timeout": 4, "expired": 1})
    line = farewell({"logs": books}, "refused; check OPENOBSERVE_URL.")
    assert line == (
        "cqrs-openobserve: 5 of 10 records were not delivered: 1 expired (they became older than the server"
        " accepts), 4 shutdown_timeout (the program ended first). Last trouble: refused; check OPENOBSERVE_URL."
    )


def test_the_last_line_tells_what_waits_for_the_next_process() -> None:
    """Of all signals together; what is the parent's is not lost, and nothing undelivered is no line."""
    logs = SignalLedger("logs", 12, 5, 0, {"fork_discard": 2}, spooled=5)
    traces = SignalLedger("traces", 3, 1, 0, {}, spooled=2)
    assert farewell({"logs": logs, "traces": traces}, "") == (
        "cqrs-openobserve: 7 of 13 records were not delivered: 7 wait in the spool for the next process."
    )
    assert farewell({"logs": SignalLedger("logs", 3, 1, 0, {"fork_discard": 2})}, "trouble") == ""


def test_a_spool_that_cannot_be_used_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Once a minute, with the variable."""
    notices = Notices()
    for now in (0, 1):
        notices.spool("/x: Permission denied", now)
        notices.spool("", now)
    (said,) = caplog.records
    assert said.getMessage() == "Records wait in memory only: /x: Permission denied (OPENOBSERVE_SPOOL_DIR)."
