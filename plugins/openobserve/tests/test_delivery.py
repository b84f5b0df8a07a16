"""Which payload goes next; the laws stand in test_delivery_properties.py."""

from pathlib import Path

from cqrs_openobserve.answers import Meaning
from cqrs_openobserve.delivery import CAPACITY, OLDEST_NS, PATIENCE_NS, Delivery
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.payloads import JSON, Payload, json_payloads
from cqrs_openobserve.spool_files import SpoolFile

SECOND = 10**9


def payload(size: int = 2, age: int = 0) -> Payload:
    return next(json_payloads("s", [(b"{}", age)] * size))


def picked(delivery: Delivery, now: int = 0) -> tuple[Parcel, Payload]:
    found = delivery.next(now, hurry=True)
    assert isinstance(found, Parcel)
    assert found.payload is not None
    return found, found.payload


def file_of(records: int, age: int = 0, name: str = "f") -> SpoolFile:
    return SpoolFile(Path(name), "logs", records, 10, age)


def test_the_oldest_goes_first_and_waits_for_the_breaker() -> None:
    """Half-open, the oldest payload is the probe."""
    delivery = Delivery(3, lambda: 1.0)
    delivery.add(payload(1), 0)
    delivery.add(payload(2), 0)
    first, sent = picked(delivery)
    delivery.answered(first, sent, Meaning("wait", text="down", retry_after_s=2.0), 0)

    assert delivery.next(0) == 2 * SECOND
    assert delivery.next(2 * SECOND) is first
    assert delivery.next(0, hurry=True) is first


def test_a_single_blip_is_not_an_outage() -> None:
    """Two failures are, and refused credentials are at once."""
    delivery = Delivery(3, lambda: 0.0)
    delivery.add(payload(), 0)
    for expected in ("", "down."):
        found, sent = picked(delivery)
        delivery.answered(found, sent, Meaning("wait", text="down"), 0)
        assert delivery.outage == expected
    blocked = Delivery(3, lambda: 0.0)
    blocked.add(payload(), 0)
    found, sent = picked(blocked)
    blocked.answered(found, sent, Meaning("blocked", text="401", hint="check it."), 0)
    assert blocked.outage == "401; check it."


def test_there_is_room_for_a_few() -> None:
    """The rest waits as tuples, which are smaller."""
    delivery = Delivery(3, lambda: 0.0)
    for _ in range(CAPACITY):
        assert delivery.room
        delivery.add(payload(), 0)
    assert not delivery.room


def test_too_old_payloads_expire() -> None:
    """Those beside them are still sent, also when they lie in the spool."""
    delivery = Delivery(3, lambda: 0.0)
    delivery.add(payload(1, 0), 0)
    delivery.add(payload(2, OLDEST_NS), 0)
    delivery.adopt([file_of(4, 2 * OLDEST_NS)], OLDEST_NS)
    found, _ = picked(delivery, OLDEST_NS + 1)

    assert found.records == 2
    assert dict(delivery.settled.dropped) == {"expired": 5}
    assert [file.records for file in delivery.finished] == [4]
    assert delivery.next(3 * OLDEST_NS) is None
    assert (delivery.waiting, delivery.spooled) == (0, 0)


def test_a_flush_knows_when_its_payloads_are_settled() -> None:
    """Parts of a split payload count as it."""
    delivery = Delivery(3, lambda: 0.0)
    delivery.add(payload(2), 0)
    last = delivery.last_sequence
    delivery.add(payload(2), 0)
    for meant in (Meaning("split"), Meaning("settle", 1), Meaning("settle", 1)):
        assert not delivery.is_settled(last)
        found, sent = picked(delivery)
        delivery.answered(found, sent, meant, 0)
    assert delivery.is_settled(last)
    assert not delivery.is_settled(delivery.last_sequence)


def test_what_the_server_never_counts_is_unaccounted() -> None:
    """After the retries, less what it did count."""
    delivery = Delivery(2, lambda: 0.0)
    delivery.add(payload(5), 0)
    for _ in range(3):
        found, sent = picked(delivery)
        delivery.answered(found, sent, Meaning("again", delivered=2, text="few"), 0)
    assert (delivery.settled.delivered, dict(delivery.settled.dropped)) == (2, {"unaccounted": 3})


def test_what_cannot_be_sent_at_once_belongs_into_the_spool() -> None:
    """Nothing while the server takes payloads; all of them when it refused one or lets one wait."""
    delivery = Delivery(3, lambda: 1.0)
    delivery.add(payload(1), 0)
    delivery.add(payload(2), 5)
    assert delivery.to_park(PATIENCE_NS - 1) == []
    assert [parcel.records for parcel in delivery.to_park(PATIENCE_NS)] == [1, 2]
    assert [parcel.records for parcel in delivery.to_park(0, everything=True)] == [1, 2]
    found, sent = picked(delivery)
    delivery.answered(found, sent, Meaning("wait", text="down"), 0)
    assert [parcel.records for parcel in delivery.to_park(1)] == [1, 2]


def test_a_parked_payload_leaves_memory_and_keeps_its_place() -> None:
    """It is counted as spooled, sent from its file, and the file is finished with it."""
    delivery = Delivery(3, lambda: 1.0)
    for size in (1, 2):
        delivery.add(payload(size), 0)
    first, _ = delivery.to_park(0, everything=True)
    assert delivery.parked(first, file_of(1))
    assert not delivery.parked(first, file_of(1)), "twice is not needed"

    assert (delivery.waiting, delivery.spooled, first.payload) == (2, 1, None)
    assert delivery.next(0) is first
    delivery.answered(first, payload(1), Meaning("settle", 1), 0)
    assert (delivery.waiting, delivery.spooled, len(delivery.finished)) == (2, 0, 1)
    assert not delivery.parked(first, file_of(1)), "settled meanwhile"


def test_adopted_files_go_first_and_are_accepted() -> None:
    """The oldest of all."""
    delivery = Delivery(3, lambda: 1.0)
    delivery.add(payload(1), 0)
    delivery.settled.accept(1)
    delivery.adopt([file_of(5, 9, "old"), file_of(3, 4, "young")], 100)
    first = delivery.next(100)

    assert isinstance(first, Parcel)
    assert (first.file, first.oldest_ns) == (file_of(5, 9, "old"), 91)
    assert (delivery.settled.accepted, delivery.settled.adopted, delivery.spooled) == (9, 8, 8)


def test_giving_up_leaves_the_spool_alone() -> None:
    """What has a file is for the next process."""
    delivery = Delivery(3, lambda: 1.0)
    delivery.add(payload(2), 0)
    delivery.adopt([file_of(5)], 0)
    assert delivery.give_up("shutdown_timeout") == 2
    assert (delivery.waiting, delivery.spooled) == (0, 5)
    assert dict(delivery.settled.dropped) == {"shutdown_timeout": 2}


def test_the_bad_record_is_handed_out_to_be_kept() -> None:
    """And nothing else of its payload; a body that cannot be taken apart is refused as a whole."""
    delivery = Delivery(3, lambda: 1.0)
    delivery.add(payload(2), 0)
    for meant in (Meaning("split"), Meaning("split"), Meaning("settle", 1)):
        found, sent = picked(delivery)
        delivery.answered(found, sent, meant, 0)
    assert [kept.records for kept in delivery.rejected] == [1]
    assert (delivery.settled.delivered, dict(delivery.settled.dropped)) == (1, {"rejected_record": 1})

    delivery.add(Payload("logs", "/s/_json", JSON, b"damaged", 7, 0), 0)
    found, sent = picked(delivery)
    delivery.answered(found, sent, Meaning("split"), 0)
    assert delivery.settled.dropped["rejected_record"] == 8


def test_records_that_may_be_stored_twice_are_counted() -> None:
    """Each time that they will be sent again."""
    delivery = Delivery(3, lambda: 1.0)
    delivery.add(payload(2), 0)
    for meant in (Meaning("wait", ambiguous=True), Meaning("wait", ambiguous=True), Meaning("settle", 2)):
        found, sent = picked(delivery)
        delivery.answered(found, sent, meant, 0)
    assert delivery.settled.ambiguous == 4
