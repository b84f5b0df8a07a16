from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event, Feature
from cqrs.deliveries import Delivery, PublishReport
from cqrs.faults import AppClosed


@attrs.frozen
class Placed(Event):
    """An event."""


GOOD = Delivery("mail", Success(None), duration=0.1)
BAD = Delivery("audit", Failure("disk full"), duration=0.2)


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


async def test_a_report_is_the_same_however_it_was_made(compose_app: Any) -> None:
    """What the bus makes of one success without making a Delivery compares, hashes and reads as the report of it."""
    feature = Feature("orders")

    @feature.subscribes(Placed, name="mail")
    async def mail(_event: Placed) -> Result[int, str]:
        return Success(7)

    async with compose_app(feature) as bus:
        first, second = [await bus.events.publish(Placed()) for _ in range(2)]

    assert (first.ok, first.failures, first.skipped, first.fault) == (True, (), (), None)
    (delivery,) = first.deliveries
    assert (delivery.subscriber, delivery.result, delivery.attempts) == ("mail", Success(7), 1)
    assert delivery.duration > 0
    assert first == PublishReport(first.deliveries)
    assert hash(first) == hash(PublishReport(first.deliveries))
    assert repr(second) == repr(PublishReport(second.deliveries))
    assert first != PublishReport((BAD,))


def test_a_report_cannot_be_changed() -> None:
    """Whoever gets it after the publisher reads what the publisher read."""
    report = PublishReport((GOOD,), skipped=("audit",))
    for name in ("deliveries", "fault", "skipped", "ok", "failures", "other"):
        with pytest.raises(AttributeError):
            setattr(report, name, None)

    match report:
        case PublishReport(deliveries=(delivery,), fault=None, skipped=(skipped,)):
            assert (delivery, skipped) == (GOOD, "audit")
