"""A store in memory: what a process that shares nothing keeps its epochs in, and what tests keep rows in."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, final

from cqrs.clock import Clock, SystemClock
from cqrs_swr.epochs import VERSION_SCOPE, new_token

_MOST_EPOCHS: Final = 100_000


@final
class MemoryStore:
    """A ``CacheStore`` of one process.

    Args:
        most_rows: how many rows are kept, the last used of them; 0 keeps none.
        most_epochs: how many epochs are kept; beyond that everything becomes invalid, and it starts anew.
        clock: the clock that rows and leases end by.
    """

    def __init__(
        self, most_rows: int = 0, most_epochs: int = _MOST_EPOCHS, clock: Clock | None = None
    ) -> None:
        self._most_rows = most_rows
        self._most_epochs = most_epochs
        self._clock = clock or SystemClock()
        self._rows: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._epochs: dict[bytes, bytes] = {}
        self._unnamed = new_token()
        self._version = new_token()
        self._leases: dict[bytes, tuple[bytes, float]] = {}

    async def get(self, key: bytes, /) -> bytes | None:
        """Give a row, or None."""
        row, until = self._rows.get(key, (None, 0.0))
        if row is None or self._now() >= until:
            self._rows.pop(key, None)
            return None
        self._rows.move_to_end(key)
        return row

    async def put(self, key: bytes, row: bytes, seconds: float, /) -> None:
        """Keep a row for a time; the last one wins."""
        self._rows[key] = (row, self._now() + seconds)
        self._rows.move_to_end(key)
        while len(self._rows) > self._most_rows:
            self._rows.popitem(last=False)

    async def remove(self, key: bytes, /) -> None:
        """Forget a row."""
        self._rows.pop(key, None)

    async def epochs(self, scopes: Sequence[bytes], /) -> Sequence[bytes]:
        """Give each scope's token; that of ``b""`` changes with each renewal of any."""
        return [self._version if s == VERSION_SCOPE else self._epochs.get(s, self._unnamed) for s in scopes]

    async def renew(self, scopes: Sequence[bytes], token: bytes, /) -> None:
        """Give scopes a new token."""
        if len(self._epochs) + len(scopes) > self._most_epochs:
            self._epochs.clear()
            self._unnamed = new_token()
        self._epochs.update(dict.fromkeys(scopes, token))
        self._version = new_token()

    async def lease(self, key: bytes, owner: bytes, seconds: float, /) -> bool:
        """Take or prolong the one lease of a key; False while another owner holds it."""
        now = self._now()
        holder, until = self._leases.get(key, (owner, 0.0))
        if holder != owner and now < until:
            return False
        self._leases[key] = (owner, now + seconds)
        return True

    async def release(self, key: bytes, owner: bytes, /) -> None:
        """Give a lease back, if this owner holds it."""
        if self._leases.get(key, (b"", 0.0))[0] == owner:
            del self._leases[key]

    def _now(self) -> float:
        return self._clock.monotonic_ns() / 1e9
