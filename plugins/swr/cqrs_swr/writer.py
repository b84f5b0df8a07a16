"""The thread that opens the shared folder, writes what waits, and sets the folder aside when it is damaged."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, final

from cqrs.clock import Clock
from cqrs_swr.directory import set_aside
from cqrs_swr.disk_store import DiskTrouble, Kind, Tables
from cqrs_swr.write_queue import PendingRow, WriteQueue

PAUSE_SECONDS: Final = 0.05
LONG_PAUSE_SECONDS: Final = 1.0
OFF_SECONDS: Final = 30.0
MOST_ERRORS: Final = 5
CLOSING_SECONDS: Final = 1.0
RESTING_SECONDS: Final = 1.0
_ENDING_SECONDS: Final = 0.25

Side = Literal["read", "write"]
Say = Callable[[Kind, str], None]


@final
class Writer:
    """Owns everything that may block.

    Args:
        folder: where the databases are.
        size_limit: the most bytes that rows may take.
        clock: the clocks.
        queue: what waits to be written.
        say: hears of everything that goes wrong.

    Attributes:
        tables: the databases while they are open and in order; other threads read through them.
        is_off: whether the folder was troublesome too often, and is left alone for a while.
    """

    def __init__(self, folder: Path, size_limit: int, clock: Clock, queue: WriteQueue, say: Say) -> None:
        self.tables: Tables | None = None
        self._folder = folder
        self._size_limit = size_limit
        self._clock = clock
        self._queue = queue
        self._say = say
        self._errors: dict[Side, int] = {"read": 0, "write": 0}
        self._off_until = float("-inf")
        self._is_damaged = False
        self._is_lost = False
        self._closing_by: float | None = None
        self._working = threading.Lock()
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cqrs-swr-writer", daemon=True)

    @property
    def is_off(self) -> bool:
        """Whether rows are neither read nor written."""
        return time.monotonic() < self._off_until

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wait_open(self, seconds: float) -> bool:
        """Wait until the folder is open, and say whether it is.

        Args:
            seconds: at most so long.
        """
        return self._opened.wait(seconds)

    def stop(self, seconds: float = CLOSING_SECONDS) -> bool:
        """Write what waits, then end the thread; say whether it has ended.

        Args:
            seconds: how long that may take.
        """
        self._closing_by = time.monotonic() + seconds
        self._queue.wake()
        self._thread.join(seconds + _ENDING_SECONDS)
        return not self._thread.is_alive()

    def read_failed(self, trouble: DiskTrouble) -> None:
        """Hear of a read that went wrong on another thread."""
        self._count(trouble, "read")
        if trouble.kind == "corrupt":
            self._is_damaged = True
            self._queue.wake()

    def read_worked(self) -> None:
        """Hear of a read that went well."""
        self._errors["read"] = 0

    def lost(self) -> None:
        """Hear that the databases are not where they were."""
        self._is_lost = True
        self._queue.wake()

    def rest(self, seconds: float = RESTING_SECONDS) -> bool:
        """Keep the thread from beginning anything until ``go_on``; say whether it has come to rest.

        Args:
            seconds: how long what it is in the middle of may take.
        """
        return self._working.acquire(timeout=seconds)

    def go_on(self) -> None:
        """Let the thread work again."""
        self._working.release()

    def _run(self) -> None:
        while not self._is_finished():
            with self._working:
                self._repair()
                pause = self._try(self._open if self.tables is None else self._write)
            if pause is not None:
                self._queue.wait(pause, for_work=False)
            elif self.tables is not None and self._closing_by is None:
                self._queue.wait(None, for_work=True)
        with self._working:
            self._close_tables()

    def _is_finished(self) -> bool:
        if self._closing_by is None:
            return False
        return self._queue.is_empty() or time.monotonic() >= self._closing_by

    def _try(self, work: Callable[[], None]) -> float | None:
        """Do some work; give how long to wait before the next attempt if it went wrong."""
        try:
            work()
        except DiskTrouble as trouble:
            self._refuse_leases()
            return self._gone_wrong(trouble)
        self._errors["write"] = 0
        return None

    def _gone_wrong(self, trouble: DiskTrouble) -> float:
        self._count(trouble, "write")
        if trouble.kind in ("corrupt", "tampered"):
            self._is_damaged = True
        elif trouble.kind != "busy":
            self._queue.drop_rows()
        return (
            PAUSE_SECONDS
            if trouble.kind == "busy"
            else min(LONG_PAUSE_SECONDS, PAUSE_SECONDS * 2 ** self._errors["write"])
        )

    def _count(self, trouble: DiskTrouble, side: Side) -> None:
        self._say(trouble.kind, str(trouble))
        if trouble.kind == "busy":
            return
        # Counted apart: a disk that is full is still read.
        self._errors[side] += 1
        if self._errors[side] >= MOST_ERRORS:
            self._off_until = time.monotonic() + OFF_SECONDS
            self._errors[side] = 0

    def _open(self) -> None:
        self.tables = Tables(self._folder, self._size_limit, self._clock)
        self._opened.set()

    def _write(self) -> None:
        tables = self.tables
        if tables is None:
            return
        tokens = self._queue.epochs()
        if tokens:
            tables.renew(tokens)
            self._queue.epochs_written(tokens)
        self._lease(tables)
        if self.is_off:
            self._queue.drop_rows()
        while (waiting := self._queue.next_row()) is not None and not self._queue.has_epochs():
            self._write_row(tables, *waiting)
            self._lease(tables)
        while (released := self._queue.next_release()) is not None:
            tables.release(*released)

    def _write_row(self, tables: Tables, key: bytes, pending: PendingRow) -> None:
        if pending.row is None:
            tables.remove(key)
        else:
            tables.put(key, pending.row, pending.seconds)
        self._queue.row_written(key, pending)

    def _lease(self, tables: Tables) -> None:
        while (asked := self._queue.next_lease()) is not None:
            try:
                given = tables.lease(asked.key, asked.owner, asked.seconds)
            except DiskTrouble:
                asked.tell(given=True)  # a lease saves work; none is lost by doing without
                raise
            asked.tell(given=given)

    def _refuse_leases(self) -> None:
        """Let nobody wait for a lease that cannot be looked up: everybody computes."""
        while (asked := self._queue.next_lease()) is not None:
            asked.tell(given=True)

    def _repair(self) -> None:
        if not self._is_damaged and not self._is_lost:
            return
        damaged, self._is_damaged, self._is_lost = self._is_damaged, False, False
        self._close_tables()
        self._opened.clear()
        if damaged:
            try:
                set_aside(self._folder)
            except OSError as error:
                self._say("io", f"the damaged folder cannot be set aside: {error}")

    def _close_tables(self) -> None:
        tables, self.tables = self.tables, None
        if tables is not None:
            try:
                tables.close()
            except DiskTrouble as trouble:
                self._say(trouble.kind, str(trouble))
