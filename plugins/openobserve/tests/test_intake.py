"""From queues through encoders to what waits to be sent; how it works with the rest stands in test_exporter.py."""

import threading
from collections.abc import Iterator

from cqrs_openobserve.delivery import Delivery
from cqrs_openobserve.feeds import Batch, Feed, Plan
from cqrs_openobserve.intake import Intake
from cqrs_openobserve.observations import Observation, ObservationQueue, Subject
from cqrs_openobserve.payloads import MOST_RECORDS, SIGNALS, Payload, Signal, json_payloads
from cqrs_openobserve.queues import BoundedQueue

from cqrs.clock import SystemClock


def intake_of(queue: BoundedQueue[int]) -> Intake:
    def encode(batch: Batch[int]) -> Iterator[Payload]:
        sizes.append(len(batch.items))
        return json_payloads("s", [(b"{}", 0)] * len(batch.items))

    deliveries: dict[Signal, Delivery] = {signal: Delivery(3, lambda: 0.5) for signal in SIGNALS}
    plan = Plan((Feed("logs", queue, encode),))
    return Intake(plan, deliveries, threading.Condition(), SystemClock())


sizes: list[int] = []


def test_everything_that_waits_is_taken_in_batches() -> None:
    """Of at most a thousand items, and it is in the books all the way."""
    sizes.clear()
    queue: BoundedQueue[int] = BoundedQueue(5_000, lambda: None)
    intake = intake_of(queue)
    for number in range(2 * MOST_RECORDS + 1):
        queue.offer(number)
    before = intake.read()["logs"]
    assert not intake.is_drained()
    assert intake.take_in(lambda _: True, force=False)

    assert sizes == [MOST_RECORDS, MOST_RECORDS, 1]
    assert before == intake.read()["logs"]
    assert (before.accepted, before.waiting) == (2 * MOST_RECORDS + 1,) * 2
    assert intake.is_drained()


def test_without_room_nothing_is_taken() -> None:
    """Items wait in their queue, and whoever asked knows that not everything went through."""
    queue: BoundedQueue[int] = BoundedQueue(9, lambda: None)
    intake = intake_of(queue)
    queue.offer(1)
    assert not intake.take_in(lambda _: False, force=True)
    assert len(queue) == 1


def test_what_did_not_fit_or_came_late_is_accepted_and_dropped() -> None:
    """So that a full queue shows in the books."""
    queue: BoundedQueue[int] = BoundedQueue(1, lambda: None)
    intake = intake_of(queue)
    queue.offer(1)
    queue.offer(2)
    queue.close()
    queue.offer(3)
    books = intake.read()["logs"]
    assert (books.accepted, books.waiting, books.dropped) == (3, 1, {"queue_full": 1, "already_stopped": 1})
    assert books.balanced
    assert intake.abandoned() == {"logs": 1}


def test_giving_up_ends_what_was_begun() -> None:
    """What waited behind the batch that is being encoded is gone, and nobody goes on looking for it."""
    queue = ObservationQueue(lambda: None)
    deliveries: dict[Signal, Delivery] = {signal: Delivery(3, lambda: 0.5) for signal in SIGNALS}
    rounds: list[int] = []

    def encode(batch: Batch[Observation]) -> Iterator[Payload]:
        rounds.append(len(batch.items))
        intake.give_up("shutdown_timeout")
        yield from ()

    intake = Intake(Plan((Feed("logs", queue, encode),)), deliveries, threading.Condition(), SystemClock())
    subject = Subject("command", "handled", "Place", "shop.place")
    for number in range(MOST_RECORDS + 5):
        queue.offer((subject, "success", 0, 1, number, 1, None, 1, 1, 0, False, None))
    ended = threading.Thread(target=lambda: intake.take_in(lambda _: True, force=False), daemon=True)
    ended.start()
    ended.join(5)
    over = not ended.is_alive()
    queue.taken = (0, 2 * MOST_RECORDS)  # a thread that goes on ends with the test

    assert over
    assert rounds == [MOST_RECORDS]
    books = intake.read()["logs"]
    assert (books.accepted, books.waiting) == (MOST_RECORDS + 5, 0)
    assert books.dropped == {"shutdown_timeout": MOST_RECORDS + 5}


def test_what_is_given_up_while_it_is_encoded_is_counted_once() -> None:
    """The end does not wait for a slow encoder; what that makes afterwards is neither accepted nor sent."""
    queue: BoundedQueue[int] = BoundedQueue(9, lambda: None)
    deliveries: dict[Signal, Delivery] = {signal: Delivery(3, lambda: 0.5) for signal in SIGNALS}

    def encode(batch: Batch[int]) -> Iterator[Payload]:
        first, last = json_payloads("s", [(b"{}", 0)]), json_payloads("s", [(b"{}", 0)])
        yield from first
        for delivery in deliveries.values():
            delivery.give_up("shutdown_timeout")
        intake.give_up("shutdown_timeout")
        batch.account.drop("unserialisable")
        yield from last

    intake = Intake(Plan((Feed("logs", queue, encode),)), deliveries, threading.Condition(), SystemClock())
    for number in range(3):
        queue.offer(number)
    intake.take_in(lambda _: True, force=False)
    books = intake.read()["logs"]
    assert (books.accepted, books.waiting, books.dropped) == (3, 0, {"shutdown_timeout": 3})
    assert deliveries["logs"].next(0) is None


def test_the_queues_wake_nobody_before_the_worker_is_there() -> None:
    """A trigger of 0 means that the worker is to be started first, so only that start sets one; 1 is the least."""
    queue: BoundedQueue[int] = BoundedQueue(9, lambda: None)
    intake = intake_of(queue)
    intake.adjust(spooling=True)
    assert queue.trigger == 0
    intake.start(1)
    intake.adjust(spooling=True)
    assert queue.trigger == 1
