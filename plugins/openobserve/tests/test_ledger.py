"""The books."""

from cqrs_openobserve.ledger import Settled, SignalLedger, flush_report


def test_books_balance_or_not() -> None:
    """Accepted is delivered, waiting, spooled or dropped."""
    good = SignalLedger("logs", 14, 5, 2, {"expired": 2, "internal": 1}, spooled=4)
    assert (good.balanced, good.lost) == (True, 3)
    assert not SignalLedger("logs", 10, 5, 2, {}).balanced
    assert (
        str(good) == "logs: accepted 14, delivered 5, waiting 2, spooled 4, dropped 3, expired 2, internal 1"
    )
    assert str(SignalLedger("traces", 1, 1, 0, {})) == "traces: accepted 1, delivered 1, waiting 0, dropped 0"


def test_a_reason_appears_with_its_first_record() -> None:
    """Nothing dropped for a reason is no entry."""
    settled = Settled()
    settled.accept(2)
    settled.accept(4, adopted=True)
    settled.drop("expired", 0)
    settled.deliver(3)
    settled.drop("expired", 2)
    assert (settled.accepted, settled.adopted) == (6, 4)
    assert (settled.delivered, dict(settled.dropped)) == (3, {"expired": 2})


def test_a_report_tells_what_is_new_in_all_signals() -> None:
    """What was dropped or delivered before is left out; what waits or is spooled is as at its end."""
    before = {
        "logs": SignalLedger("logs", 9, 1, 0, {"expired": 2, "internal": 1}),
        "traces": SignalLedger("traces", 9, 2, 0, {}),
    }
    after = {
        "logs": SignalLedger("logs", 9, 3, 4, {"expired": 5, "internal": 1, "unaccounted": 1}),
        "traces": SignalLedger("traces", 9, 3, 1, {"expired": 1}, spooled=7),
    }
    report = flush_report(before, after, 0.5, complete=False)
    assert (report.delivered, report.waiting, report.spooled) == (3, 5, 7)
    assert report.dropped == {"expired": 4, "unaccounted": 1}
    assert (report.complete, report.seconds) == (False, 0.5)
