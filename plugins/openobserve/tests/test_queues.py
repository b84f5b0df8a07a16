"""A bounded lane, and counting without a lock."""

import threading

from cqrs_openobserve.queues import BoundedQueue, Tally


def test_a_tally_is_exact_under_threads() -> None:
    """And reading it does not change it."""
    tally = Tally()
    threads = [threading.Thread(target=lambda: [tally.add() for _ in range(20_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    values = [tally.value() for _ in range(100)]
    for thread in threads:
        thread.join()
    assert values == sorted(values)
    assert [tally.value() for _ in range(3)] == [80_000] * 3


def test_a_full_lane_drops_the_newest() -> None:
    """Counted; the callers are not told and do not wait."""
    queue: BoundedQueue[int] = BoundedQueue(3, lambda: None)
    for number in range(5):
        queue.offer(number)
    assert (len(queue), queue.full.value(), queue.take(9)) == (3, 2, [0, 1, 2])


def test_the_worker_is_woken_at_the_trigger() -> None:
    """Not for every item."""
    woken: list[int] = []
    queue: BoundedQueue[int] = BoundedQueue(9, lambda: woken.append(len(queue)))
    queue.trigger = 2
    for number in range(3):
        queue.offer(number)
    assert woken == [2, 3]


def test_marks_tell_when_all_that_waited_was_taken() -> None:
    """What comes after a mark does not move it."""
    queue: BoundedQueue[int] = BoundedQueue(9, lambda: None)
    queue.offer(1)
    mark = queue.mark()
    queue.offer(2)
    assert queue.taken < mark
    assert queue.take(1) == [1]
    assert queue.taken == mark


def test_a_closed_queue_counts_what_comes_late() -> None:
    """And keeps what it had."""
    queue: BoundedQueue[int] = BoundedQueue(9, lambda: None)
    queue.offer(1)
    queue.close()
    queue.offer(2)
    assert (len(queue), queue.late.value(), queue.forget(), len(queue)) == (1, 1, 1, 0)


def test_a_forked_child_begins_at_nothing() -> None:
    """Empty, with counts of zero."""
    queue: BoundedQueue[int] = BoundedQueue(1, lambda: None)
    queue.offer(1)
    queue.offer(2)
    queue.take(1)
    queue.offer(3)
    queue.reset()
    assert (len(queue), queue.full.value(), queue.taken) == (0, 0, (0,))
