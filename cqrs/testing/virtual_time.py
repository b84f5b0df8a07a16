"""An asyncio event loop whose time is a clock's: while nothing can run, it jumps to when something wakes."""

import asyncio
import math
import selectors
from typing import final

from cqrs.testing.doubles import NANOSECONDS, FakeClock


@final
class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs on a clock's time; what waits for threads, processes or sockets is waited for as usual.

    Args:
        clock: whose time it is, and whose sleepers it wakes.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._virtual = clock
        super().__init__(_Jumping(clock))

    def time(self) -> float:
        """Give the clock's time, in seconds."""
        return self._virtual.monotonic_ns() / NANOSECONDS


@final
class _Jumping(selectors.DefaultSelector):
    """Asked to wait, which an event loop does when nothing can run, it lets time jump instead."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Give what is ready; if nothing is, let the time pass until something wakes."""
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        waits = [*self._clock.sleeping[:1], *([] if timeout is None else [timeout])]
        if not waits:
            return super().select(None)
        # Rounded up: a timer is never due before its time has come.
        self._clock.advance(max(1, math.ceil(min(waits) * NANOSECONDS)) / NANOSECONDS)
        return []
