"""The two lanes."""

from collections.abc import Callable

from cqrs_openobserve.observations import REST, SUCCESSES, Observation, ObservationQueue


def test_the_worker_is_woken_at_the_trigger(observe: Callable[..., Observation]) -> None:
    """Not for every observation."""
    woken: list[int] = []
    queue = ObservationQueue(lambda: woken.append(len(queue)))
    queue.trigger = 3
    for _ in range(4):
        queue.offer(observe())
    assert woken == [3, 4]


def test_the_rest_goes_first_and_each_lane_keeps_its_order(observe: Callable[..., Observation]) -> None:
    """Errors are worth more than successes."""
    queue = ObservationQueue(lambda: None)
    for number, outcome in enumerate(["success", "error", "success", "cancelled", "rejected"]):
        queue.offer(observe(number, outcome=outcome))
    assert [observation[4] for observation in queue.take(4)] == [1, 3, 4, 0]
    assert len(queue) == 1


def test_lanes_are_bounded_and_count_what_does_not_fit(observe: Callable[..., Observation]) -> None:
    """16,384 together; the newest is dropped."""
    queue = ObservationQueue(lambda: None)
    for _ in range(SUCCESSES + 3):
        queue.offer(observe())
    for _ in range(REST + 2):
        queue.offer(observe(outcome="error"))
    assert (len(queue), queue.full.value()) == (16_384, 5)


def test_a_closed_queue_counts_what_comes(observe: Callable[..., Observation]) -> None:
    """And a forked child begins with nothing."""
    queue = ObservationQueue(lambda: None)
    queue.offer(observe())
    queue.close()
    queue.offer(observe())
    assert (len(queue), queue.late.value(), queue.trigger) == (1, 1, 0)
    assert queue.forget() == 1
    queue.reset()
    assert (len(queue), queue.late.value(), queue.full.value()) == (0, 0, 0)
