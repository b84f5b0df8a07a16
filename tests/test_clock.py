import time

from cqrs.clock import Clock, SystemClock


def test_the_system_clock_tells_wall_time_in_nanoseconds() -> None:
    """The wall clock lies between two readings of the machine's."""
    clock: Clock = SystemClock()

    before = time.time_ns()
    told = clock.time_ns()

    assert before <= told <= time.time_ns()


def test_the_system_clock_has_a_time_that_never_goes_back() -> None:
    """The monotonic clock lies between two readings of the machine's."""
    clock: Clock = SystemClock()

    before = time.monotonic_ns()
    told = clock.monotonic_ns()

    assert before <= told <= time.monotonic_ns()
