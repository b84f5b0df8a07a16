"""What the cache has done, counted."""

from collections import Counter
from typing import final

from cqrs.caching import CacheStats
from cqrs_swr.freshness import Status
from cqrs_swr.memory import Memory


@final
class Counters:
    """Counts since the cache was made.

    Attributes:
        lookups: by status.
        executions: how often a handler ran, whoever waited for it.
        refreshes: computations by trigger and outcome.
        invalidations: by mode.
        l2_errors: what went wrong with the shared store, by kind.
        unkeyable: look-ups without a key.
        uncached: answers that were not kept, by reason.
        skipped: background refreshes for which there was no room.
    """

    def __init__(self) -> None:
        self.lookups: Counter[Status] = Counter()
        self.executions = 0
        self.refreshes: Counter[tuple[str, str]] = Counter()
        self.invalidations: Counter[str] = Counter()
        self.l2_errors: Counter[str] = Counter()
        self.unkeyable = 0
        self.uncached: Counter[str] = Counter()
        self.skipped = 0

    def stats(self, memory: Memory, flights: int) -> CacheStats:
        """Give everything as one value.

        Args:
            memory: the entries of this process.
            flights: how many computations run.
        """
        return CacheStats(
            lookups={str(status): count for status, count in self.lookups.items()},
            refreshes=dict(self.refreshes),
            invalidations=dict(self.invalidations),
            evictions=memory.evictions,
            l2_errors=dict(self.l2_errors),
            unkeyable=self.unkeyable,
            entries=len(memory),
            bytes=memory.bytes,
            flights=flights,
            failing=memory.count(lambda entry: entry.stamps.failures > 0),
        )
