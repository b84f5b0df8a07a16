import time

import anyio

from cqrs.clock import SYSTEM_RANDOM, Clock, SystemClock, sleep_of


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


async def test_the_system_clock_sleeps_through_the_event_loop() -> None:
    """Sleeping takes at least its time, and none or less than none lets others run once."""
    clock = SystemClock()
    before = clock.monotonic_ns()
    await clock.sleep(0.02)

    assert clock.monotonic_ns() - before >= 15_000_000
    ran: list[str] = []
    async with anyio.create_task_group() as group:
        group.start_soon(_note, ran)
        await clock.sleep(-1.0)
        assert ran == ["ran"]


async def _note(ran: list[str]) -> None:
    ran.append("ran")


async def test_a_clock_that_can_sleep_is_slept_through() -> None:
    """Whoever brings such a clock decides all time; another one only tells it."""

    class Telling:
        def time_ns(self) -> int:
            return 7

        def monotonic_ns(self) -> int:
            return 7

    class Sleeping(Telling):
        def __init__(self) -> None:
            self.slept: list[float] = []

        async def sleep(self, seconds: float, /) -> None:
            self.slept.append(seconds)

    clock = Sleeping()
    await sleep_of(clock)(3600.0)
    assert clock.slept == [3600.0]

    before = time.monotonic_ns()
    await sleep_of(Telling())(0.02)
    assert time.monotonic_ns() - before >= 15_000_000


def test_chance_lies_between_nothing_and_all() -> None:
    """What the machine's chance gives is at least 0, less than 1, and not the same each time."""
    drawn = {SYSTEM_RANDOM.random() for _ in range(100)}

    assert all(0 <= number < 1 for number in drawn)
    assert len(drawn) > 90
