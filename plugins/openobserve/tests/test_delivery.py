"""Which payload goes next; the laws stand in test_delivery_properties.py."""

from cqrs_openobserve.answers import Meaning
from cqrs_openobserve.delivery import CAPACITY, OLDEST_NS, Delivery, Payload

SECOND = 10**9


def payload(size: int = 2, age: int = 0) -> Payload:
    return Payload("s", (b"{}",) * size, (age,) * size)


def test_the_oldest_goes_first_and_waits_for_the_breaker() -> None:
    """Half-open, the oldest payload is the probe."""
    delivery = Delivery(3, lambda: 1.0)
    delivery.add(payload(1))
    delivery.add(payload(2))
    first = delivery.next(0)
    assert isinstance(first, Payload)
    delivery.answered(first, Meaning("wait", text="down", retry_after_s=2.0), 0)

    assert delivery.next(0) == 2 * SECOND
    assert delivery.next(2 * SECOND) is first
    assert delivery.next(0, hurry=True) is first


def test_a_single_blip_is_not_an_outage() -> None:
    """Two failures are, and refused credentials are at once."""
    delivery = Delivery(3, lambda: 0.0)
    delivery.add(payload())
    for expected in ("", "down."):
        found = delivery.next(0, hurry=True)
        assert isinstance(found, Payload)
        delivery.answered(found, Meaning("wait", text="down"), 0)
        assert delivery.outage == expected
    blocked = Delivery(3, lambda: 0.0)
    blocked.add(payload())
    found = blocked.next(0)
    assert isinstance(found, Payload)
    blocked.answered(found, Meaning("blocked", text="401", hint="check it."), 0)
    assert blocked.outage == "401; check it."


def test_there_is_room_for_a_few() -> None:
    """The rest waits as tuples, which are smaller."""
    delivery = Delivery(3, lambda: 0.0)
    for _ in range(CAPACITY):
        assert delivery.room
        delivery.add(payload())
    assert not delivery.room


def test_too_old_records_expire_alone() -> None:
    """Those beside them are still sent, and the body is made anew."""
    delivery = Delivery(3, lambda: 0.0)
    delivery.add(Payload("s", (b"old", b"new"), (0, OLDEST_NS), body=b"both"))
    found = delivery.next(OLDEST_NS + 1)

    assert isinstance(found, Payload)
    assert (found.rows, found.body) == ((b"new",), None)
    assert dict(delivery.settled.dropped) == {"expired": 1}
    assert delivery.next(3 * OLDEST_NS) is None


def test_a_flush_knows_when_its_payloads_are_settled() -> None:
    """Parts of a split payload count as it."""
    delivery = Delivery(3, lambda: 0.0)
    delivery.add(payload(2))
    last = delivery.last_sequence
    delivery.add(payload(2))
    for meant in (Meaning("split"), Meaning("settle", 1), Meaning("settle", 1)):
        assert not delivery.is_settled(last)
        found = delivery.next(0, hurry=True)
        assert isinstance(found, Payload)
        delivery.answered(found, meant, 0)
    assert delivery.is_settled(last)
    assert not delivery.is_settled(delivery.last_sequence)


def test_what_the_server_never_counts_is_unaccounted() -> None:
    """After the retries, less what it did count."""
    delivery = Delivery(2, lambda: 0.0)
    delivery.add(payload(5))
    for _ in range(3):
        found = delivery.next(0, hurry=True)
        assert isinstance(found, Payload)
        delivery.answered(found, Meaning("again", delivered=2, text="few"), 0)
    assert (delivery.settled.delivered, dict(delivery.settled.dropped)) == (2, {"unaccounted": 3})
