"""Time as an argument: what the core asks the time of, so that tests can decide it."""

import time
from typing import Protocol, final


class Clock(Protocol):
    """Tells the time in whole nanoseconds; inject ``Clock`` into a handler to get the app's."""

    def time_ns(self) -> int:
        """Wall-clock time since the Unix epoch, in ns; may step."""
        ...

    def monotonic_ns(self) -> int:
        """Time since an arbitrary point, in ns; never goes back, for durations and deadlines."""
        ...


@final
class SystemClock:
    """The machine's own clocks."""

    __slots__ = ()

    time_ns = staticmethod(time.time_ns)
    monotonic_ns = staticmethod(time.monotonic_ns)
