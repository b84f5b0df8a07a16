"""The answers that this process holds: least recently used first out, bounded in number and bytes."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, final

import attrs

from cqrs.caching import AnyQuery, AnyResult
from cqrs_swr.epochs import Seen
from cqrs_swr.freshness import Stamps
from cqrs_swr.keys import LocalKey, Owner

MOST_ENTRIES: Final = 10_000
MOST_BYTES: Final = 64 * 1024 * 1024
BOOKS: Final = 512  # bytes that an entry takes besides its answer


@final
@attrs.define(eq=False)  # and not frozen, which takes three times as long to make; nothing changes one
class Entry:
    """One answer.

    Attributes:
        query: what was asked.
        owner: whose answer it is.
        result: what is handed out; None if each caller needs a copy of its own.
        content: the answer encoded; None if it is handed out as it is.
        stamps: its times.
        started: when its computation began.
        seen: the epochs at that time.
        size: how many bytes it counts as.
        quiet: until when it is served as fresh and nothing else happens, if ``seen`` has the version of now; found
            out by a look-up, so that the next ones need not.
    """

    query: AnyQuery
    owner: Owner
    result: AnyResult | None
    content: bytes | None
    stamps: Stamps
    started: float
    seen: Seen
    size: int
    quiet: float = -math.inf


@final
class Memory:
    """Entries by key.

    Args:
        most_entries: how many are kept.
        most_bytes: how many bytes they may count as.

    Attributes:
        evictions: how many gave way to others.
        bytes: how many bytes the entries count as.
    """

    def __init__(self, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self.evictions = 0
        self.bytes = 0
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._entries: OrderedDict[LocalKey, Entry] = OrderedDict()
        # Look-ups on several threads: each reads without it, whoever changes the books holds it.
        self._changing = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: LocalKey) -> Entry | None:
        """Give an entry, which is the most recently used from now on.

        Args:
            key: its key.
        """
        entry = self._entries.get(key)
        if entry is not None:
            try:
                self._entries.move_to_end(key)
            except KeyError:
                return entry  # another thread has removed it since
        return entry

    def put(self, key: LocalKey, entry: Entry) -> bool:
        """Keep an entry; others give way where there is no room.

        Args:
            key: its key.
            entry: the entry.

        Returns:
            Whether it is kept: one that is larger than everything may be is not.
        """
        entries = self._entries
        with self._changing:
            if key in entries:
                self._forget(key)
            if entry.size > self._most_bytes:
                return False
            entries[key] = entry
            self.bytes += entry.size
            while len(entries) > self._most_entries or self.bytes > self._most_bytes:
                self._forget(next(iter(entries)))
                self.evictions += 1
        return True

    def replace(self, key: LocalKey, old: Entry, new: Entry) -> None:
        """Put an entry where another one still is; nothing happens if it is there no more.

        Args:
            key: its key.
            old: the entry that is replaced; of the same size.
            new: the entry.
        """
        with self._changing:
            if self._entries.get(key) is old:
                self._entries[key] = new

    def remove(self, key: LocalKey) -> None:
        """Forget an entry.

        Args:
            key: its key.
        """
        with self._changing:
            self._forget(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._changing:
            self._entries.clear()
            self.bytes = 0

    def abandon(self) -> None:
        """Forget everything, whoever was in the middle of changing it."""
        self._changing = threading.Lock()
        self.clear()

    def items(self) -> Iterator[tuple[LocalKey, Entry]]:
        """Every entry as it is now, the one that was not used for longest first."""
        with self._changing:
            return iter(list(self._entries.items()))

    def count(self, which: Callable[[Entry], bool]) -> int:
        """Count entries.

        Args:
            which: tells those that are counted.
        """
        return sum(which(entry) for _, entry in self.items())

    def _forget(self, key: LocalKey) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry.size
