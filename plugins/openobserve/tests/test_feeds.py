"""The seam between what is observed and what carries it."""

from collections.abc import Iterator

from cqrs_openobserve.feeds import Account, Batch, Feed
from cqrs_openobserve.payloads import Payload, json_payloads
from cqrs_openobserve.queues import BoundedQueue
from cqrs_openobserve.records import Anchor


def encode(batch: Batch[int]) -> Iterator[Payload]:
    """Odd numbers are records, even ones are none, and the number nine is too large."""
    batch.account.skip(sum(item % 2 == 0 for item in batch.items))
    batch.account.drop("record_too_large", list(batch.items).count(9))
    yield from json_payloads("s", [(b"%d" % item, 0) for item in batch.items if item % 2 and item != 9])


def test_a_round_takes_a_batch_and_encodes_it_while_it_is_read() -> None:
    """Every item ends in a payload or in the account."""
    queue: BoundedQueue[int] = BoundedQueue(99, lambda: None)
    for item in (1, 2, 9, 3, 5):
        queue.offer(item)
    found = Feed("logs", queue, encode).next_round(4, Anchor(0, 0))

    assert (found.taken, len(queue)) == (4, 1)
    assert [payload.records for payload in found.payloads] == [2]
    assert (found.account.skipped, found.account.dropped) == (1, {"record_too_large": 1})


def test_an_empty_queue_calls_no_encoder() -> None:
    """Nothing comes of nothing."""

    def never(batch: Batch[int]) -> Iterator[Payload]:
        raise AssertionError(batch)

    found = Feed("logs", BoundedQueue[int](9, lambda: None), never).next_round(4, Anchor(0, 0))
    assert (found.taken, list(found.payloads)) == (0, [])


def test_an_account_adds_up() -> None:
    """What is said twice counts twice."""
    account = Account()
    account.drop("unserialisable")
    account.drop("unserialisable", 2)
    account.skip()
    account.skip(3)
    assert (account.dropped, account.skipped) == ({"unserialisable": 3}, 4)


def test_no_more_is_taken_than_fits_into_one_request() -> None:
    """If the encoder knows how many that are; the rest waits for the next round."""
    queue: BoundedQueue[int] = BoundedQueue(99, lambda: None)
    for item in (1, 3, 5):
        queue.offer(item)
    feed = Feed("logs", queue, encode, lambda: 2)
    assert (feed.next_round(4, Anchor(0, 0)).taken, len(queue)) == (2, 1)
    assert feed.next_round(4, Anchor(0, 0)).taken == 1
