"""What the parts of the cache share: clocks, entries, epochs, the store, the flights that are under way."""

import random
from collections.abc import Callable
from typing import Final, final

from cqrs.caching import AnyQuery, CacheStore
from cqrs.clock import Clock, Random, SystemClock
from cqrs_swr.cached_query import CachedQuery
from cqrs_swr.counters import Counters
from cqrs_swr.epochs import Epochs, new_token
from cqrs_swr.flights import Flight
from cqrs_swr.keys import LocalKey
from cqrs_swr.memory import Memory
from cqrs_swr.memory_store import MemoryStore
from cqrs_swr.notices import Notices
from cqrs_swr.settings import Settings
from cqrs_swr.shared_rows import NO_MACHINE, SharedRows

MakeStore = Callable[[Clock, Counters, Notices], CacheStore]


@final
class State:
    """Everything that a running cache consists of, and no behaviour.

    Args:
        settings: the plugin's.
        make_store: makes what processes share answers, epochs and leases in; None to share nothing.
        clock: the clocks.
        machine: which machine's monotonic clock that is.
        chance: draws jitter and back-off.
        memory: where this process holds answers.

    Attributes:
        is_shared: whether there is a store that keeps rows.
        queries: the query classes that are cached.
        flights: the joinable computation of each key.
        running: how many computations run, joinable or not.
        background: how many of them nobody waited for when they were started.
    """

    def __init__(
        self,
        settings: Settings,
        make_store: MakeStore | None = None,
        *,
        clock: Clock | None = None,
        machine: bytes = NO_MACHINE,
        chance: Random | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.settings: Final = settings
        self.clock: Final = clock or SystemClock()
        self.chance: Final = chance or random.Random()  # noqa: S311 - spreads refreshes, guards nothing
        self.counters: Final = Counters()
        self.notices: Final = Notices(self.clock)
        self.memory: Final = memory or Memory()
        self.is_shared: Final = make_store is not None
        self.store: Final[CacheStore] = (
            MemoryStore(clock=self.clock)
            if make_store is None
            else make_store(self.clock, self.counters, self.notices)
        )
        self.epochs: Final = Epochs(self.store, settings.coherence, new_token)
        self.rows: Final = SharedRows(self.store, self.clock, machine, self.counters)
        self.queries: Final[dict[type, CachedQuery]] = {}
        self.flights: Final[dict[LocalKey, Flight]] = {}
        self.running = 0
        self.background = 0

    def abandon(self) -> None:
        """Forget what is held and what is computed."""
        self.memory.abandon()
        self.flights.clear()
        self.running = self.background = 0

    def now(self) -> float:
        """Seconds on the clock that entries live by."""
        return self.clock.monotonic_ns() / 1e9

    def is_leasing(self, cached: CachedQuery) -> bool:
        """Tell whether one process computes for all.

        Args:
            cached: the query class.
        """
        return self.is_shared and cached.policy.lease and cached.policy.l2 and cached.codec is not None

    def cached(self, query: AnyQuery) -> CachedQuery | None:
        """Give how a query is cached; None if it is not."""
        return self.queries.get(type(query))
