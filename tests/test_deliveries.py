from returns.result import Failure, Success

from cqrs.deliveries import Delivery, PublishReport
from cqrs.faults import AppClosed

GOOD = Delivery("mail", Success(None), 0.1)
BAD = Delivery("audit", Failure("disk full"), 0.2)


def test_a_delivery_is_ok_if_its_subscriber_succeeded() -> None:
    """A Failure of any kind is a delivery that failed."""
    assert GOOD.ok
    assert not BAD.ok


def test_a_report_lists_what_failed() -> None:
    """One failure makes the report not ok, and is the one that is listed."""
    report = PublishReport((GOOD, BAD))

    assert not report.ok
    assert report.failures == (BAD,)
    assert PublishReport((GOOD, GOOD)).ok


def test_an_event_that_nobody_hears_was_published() -> None:
    """No subscriber is no failure."""
    assert PublishReport(()).ok
    assert PublishReport(()).failures == ()


def test_an_event_that_reached_nobody_for_a_fault_was_not() -> None:
    """A closed or disabled bus gives a report that is not ok though nothing failed."""
    report = PublishReport((), AppClosed("event"))

    assert not report.ok
    assert report.failures == ()
