"""What waits to be written: rows by key, epochs by scope, leases; what is superseded before it was written is not."""

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Final, Protocol, final

import attrs

MOST_ROWS: Final = 1024
MOST_BYTES: Final = 16 * 1024 * 1024


@final
@attrs.frozen(eq=False)
class PendingRow:
    """A row to be put, or to be removed.

    Attributes:
        row: its content; None to remove it.
        seconds: how long it is kept.
    """

    row: bytes | None = attrs.field(repr=False)
    seconds: float

    @property
    def size(self) -> int:
        """How many bytes wait."""
        return len(self.row or b"")


class Told(Protocol):
    """Takes whether a lease was given."""

    def __call__(self, *, given: bool) -> None:
        """Hear of it, on any thread."""
        ...


@final
@attrs.frozen(eq=False)
class LeaseAsked:
    """A lease that somebody waits for.

    Attributes:
        key: what for.
        owner: who asks.
        seconds: for how long.
        tell: takes whether it was given.
    """

    key: bytes
    owner: bytes
    seconds: float
    tell: Told


@final
class WriteQueue:
    """Everything between the event loop and the thread that writes; any thread may call it.

    Attributes:
        dropped: how many rows were given up because too many waited; removals, epochs and leases never are.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._changed = threading.Condition()
        self._rows: OrderedDict[bytes, PendingRow] = OrderedDict()
        self._bytes = 0
        self._epochs: dict[bytes, bytes] = {}
        self._leases: deque[LeaseAsked] = deque()
        self._releases: deque[tuple[bytes, bytes]] = deque()
        self._is_woken = False

    def row(self, key: bytes) -> PendingRow | None:
        """Give what waits for a key."""
        return self._rows.get(key)

    def epoch(self, scope: bytes) -> bytes | None:
        """Give the token that waits for a scope."""
        return self._epochs.get(scope)

    def has_epochs(self) -> bool:
        """Tell whether an invalidation waits."""
        return bool(self._epochs)

    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        return not (self._rows or self._epochs or self._leases or self._releases)

    def put(self, key: bytes, pending: PendingRow) -> None:
        """Add a row; one that waits for the same key need not be written any more.

        Args:
            key: its key.
            pending: the row.
        """
        with self._changed:
            self._forget(key)
            self._rows[key] = pending
            self._bytes += pending.size
            self._make_room()
            self._changed.notify()

    def renew(self, tokens: Mapping[bytes, bytes]) -> None:
        """Add epochs.

        Args:
            tokens: by scope.
        """
        with self._changed:
            self._epochs.update(tokens)
            self._changed.notify()

    def ask(self, lease: LeaseAsked) -> None:
        """Ask for a lease."""
        with self._changed:
            self._leases.append(lease)
            self._changed.notify()

    def release(self, key: bytes, owner: bytes) -> None:
        """Give a lease back once the row of its key is written."""
        with self._changed:
            self._releases.append((key, owner))
            self._changed.notify()

    def wake(self) -> None:
        """Let the thread look up from what it is waiting for."""
        with self._changed:
            self._is_woken = True
            self._changed.notify()

    def wait(self, seconds: float | None, *, for_work: bool) -> None:
        """Wait until something happens.

        Args:
            seconds: at most so long; None for ever.
            for_work: whether what waits already is enough.
        """
        with self._changed:
            if not self._is_woken and not (for_work and not self.is_empty()):
                self._changed.wait(seconds)
            self._is_woken = False

    def epochs(self) -> dict[bytes, bytes]:
        """Give the epochs that wait."""
        with self._changed:
            return dict(self._epochs)

    def epochs_written(self, tokens: Mapping[bytes, bytes]) -> None:
        """Take epochs out that are written, unless newer ones have come."""
        with self._changed:
            for scope, token in tokens.items():
                if self._epochs.get(scope) == token:
                    del self._epochs[scope]

    def next_lease(self) -> LeaseAsked | None:
        """Take a lease out that somebody waits for."""
        with self._changed:
            return self._leases.popleft() if self._leases else None

    def next_row(self) -> tuple[bytes, PendingRow] | None:
        """Give the row that waits for longest."""
        with self._changed:
            return next(iter(self._rows.items()), None)

    def row_written(self, key: bytes, pending: PendingRow) -> None:
        """Take a row out that is written, unless a newer one has come."""
        with self._changed:
            if self._rows.get(key) is pending:
                self._forget(key)

    def next_release(self) -> tuple[bytes, bytes] | None:
        """Take a lease out that is to be given back: whose row does not wait any more."""
        with self._changed:
            for _ in range(len(self._releases)):
                key, owner = self._releases.popleft()
                if key not in self._rows:
                    return key, owner
                self._releases.append((key, owner))
            return None

    def drop_rows(self) -> int:
        """Give up every row that waits to be put; say how many."""
        with self._changed:
            given_up = [key for key, pending in self._rows.items() if pending.row is not None]
            for key in given_up:
                self._forget(key)
            self.dropped += len(given_up)
            return len(given_up)

    def _make_room(self) -> None:
        while len(self._rows) > MOST_ROWS or self._bytes > MOST_BYTES:
            oldest = next((key for key, pending in self._rows.items() if pending.row is not None), None)
            if oldest is None:
                return
            self._forget(oldest)
            self.dropped += 1

    def _forget(self, key: bytes) -> None:
        pending = self._rows.pop(key, None)
        if pending is not None:
            self._bytes -= pending.size
