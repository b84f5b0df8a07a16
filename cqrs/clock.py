"""Time and chance as arguments: what the core asks for both, so that tests can decide them."""

import random
import time
from typing import Final, Protocol, final, runtime_checkable

import anyio


class Clock(Protocol):
    """Tells the time in whole nanoseconds; inject ``Clock`` into a handler to get the app's.

    A clock that can also ``sleep`` (see ``Sleeper``) is slept through: one object then decides all time of an app.
    """

    def time_ns(self) -> int:
        """Wall-clock time since the Unix epoch, in ns; may step."""
        ...

    def monotonic_ns(self) -> int:
        """Time since an arbitrary point, in ns; never goes back, for durations and deadlines."""
        ...


class Sleep(Protocol):
    """Lets time pass."""

    async def __call__(self, seconds: float, /) -> None:
        """Return after a time, in seconds; 0 or less lets others run once."""
        ...


@runtime_checkable
class Sleeper(Protocol):
    """A clock through which the app sleeps."""

    async def sleep(self, seconds: float, /) -> None:
        """Return after a time, in seconds; 0 or less lets others run once."""
        ...


class Random(Protocol):
    """Gives chance to what waits a random time; a seeded ``random.Random`` repeats itself."""

    def random(self) -> float:
        """A number of at least 0 and less than 1."""
        ...


@final
class SystemClock:
    """The machine's own clocks."""

    __slots__ = ()

    time_ns: "staticmethod[[], int]" = staticmethod(time.time_ns)
    monotonic_ns: "staticmethod[[], int]" = staticmethod(time.monotonic_ns)

    async def sleep(self, seconds: float, /) -> None:
        """Return after a time, in seconds; 0 or less lets others run once."""
        await anyio.sleep(max(0.0, seconds))


# The operating system's: two processes that were forked from one do not wait the same times.
SYSTEM_RANDOM: Final[Random] = random.SystemRandom()


def sleep_of(clock: Clock) -> Sleep:
    """Give what an app with this clock sleeps through: the clock itself if it can, else the event loop.

    Args:
        clock: the app's.
    """
    return clock.sleep if isinstance(clock, Sleeper) else SystemClock().sleep
