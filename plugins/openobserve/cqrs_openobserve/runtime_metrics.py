"""How the process itself is: processor, memory, garbage collector, and how late its event loop wakes."""

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

import anyio

from cqrs_openobserve.metric_catalogue import (
    CPU_TIME,
    DESCRIPTORS,
    GC_COLLECTED,
    GC_COLLECTIONS,
    GC_UNCOLLECTABLE,
    LOOP_LAG,
    MEMORY,
    THREADS,
    UPTIME,
)
from cqrs_openobserve.metric_cells import Reading

STEP_SECONDS: Final = 0.5

_began: Final = time.monotonic()
_STATM: Final = Path("/proc/self/statm")
_DESCRIPTORS: Final = tuple(Path(place) for place in ("/proc/self/fd", "/dev/fd"))


def process_readings() -> Iterator[Reading]:
    """Read the process; what this system does not tell is left out."""
    used = os.times()
    yield CPU_TIME, used.user, ("user",)
    yield CPU_TIME, used.system, ("system",)
    yield THREADS, float(threading.active_count()), ()
    yield UPTIME, time.monotonic() - _began, ()
    if _STATM.is_file():
        yield MEMORY, float(int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")), ()
    for place in _DESCRIPTORS:
        if place.is_dir():
            # One of them is the descriptor that the listing itself has open.
            yield DESCRIPTORS, float(sum(1 for _ in os.scandir(place)) - 1), ()
            break
    for generation, counts in enumerate(gc.get_stats()):
        labels = (str(generation),)
        yield GC_COLLECTIONS, float(counts["collections"]), labels
        yield GC_COLLECTED, float(counts["collected"]), labels
        yield GC_UNCOLLECTABLE, float(counts["uncollectable"]), labels


@final
class LoopLag:
    """How much later than asked the event loop of the app wakes."""

    def __init__(self) -> None:
        self._worst = 0.0
        self._watched = False

    async def watch(self) -> None:
        """Measure for as long as it is not cancelled."""
        self._watched = True
        while True:
            asked = time.monotonic() + STEP_SECONDS
            await anyio.sleep(STEP_SECONDS)
            self.note(time.monotonic() - asked)

    def note(self, seconds: float) -> None:
        """Take one measurement.

        Args:
            seconds: how late the loop woke.
        """
        self._worst = max(self._worst, seconds)

    def readings(self) -> Iterator[Reading]:
        """Give the longest delay since the last reading; nothing if no loop was watched."""
        if self._watched:
            worst, self._worst = self._worst, 0.0
            yield LOOP_LAG, worst, ()
