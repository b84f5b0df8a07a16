"""The books."""

from cqrs_openobserve.ledger import Settled, SignalLedger, difference


def test_books_balance_or_not() -> None:
    """Accepted is delivered, waiting or dropped."""
    good = SignalLedger("logs", 10, 5, 2, {"expired": 2, "internal": 1})
    assert (good.balanced, good.lost) == (True, 3)
    assert not SignalLedger("logs", 10, 5, 2, {}).balanced
    assert str(good) == "logs: accepted 10, delivered 5, waiting 2, dropped 3, expired 2, internal 1"


def test_a_reason_appears_with_its_first_record() -> None:
    """Nothing dropped for a reason is no entry."""
    settled = Settled()
    settled.drop("expired", 0)
    settled.deliver(3)
    settled.drop("expired", 2)
    assert (settled.delivered, dict(settled.dropped)) == (3, {"expired": 2})


def test_a_difference_names_only_what_is_new() -> None:
    """For reports of one flush."""
    before = SignalLedger("logs", 0, 0, 0, {"expired": 2, "internal": 1})
    after = SignalLedger("logs", 0, 0, 0, {"expired": 5, "internal": 1, "unaccounted": 1})
    assert difference(before, after) == {"expired": 3, "unaccounted": 1}
