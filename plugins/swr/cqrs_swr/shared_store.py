"""The store that the processes of one machine share: reads on the event loop's thread, writes on a thread of its own.

A read takes microseconds and no writer blocks it; a write may be blocked, and nobody waits for one.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, final

import anyio
import anyio.to_thread
from anyio import from_thread
from anyio.lowlevel import current_token

from cqrs.clock import Clock
from cqrs_swr.counters import Counters
from cqrs_swr.disk_store import DiskTrouble, Kind, Tables
from cqrs_swr.epochs import VERSION_SCOPE, new_token
from cqrs_swr.notices import Notices
from cqrs_swr.write_queue import LeaseAsked, PendingRow, WriteQueue
from cqrs_swr.writer import Writer

LAYOUT: Final = "store-1"
OPENING_SECONDS: Final = 0.5
_TROUBLE: Final = (
    "The query cache's folder %s is of no use now (%s); answers are computed, and kept in this process."
)


# Connections of a parent: closing them in a child would be using them there.
_INHERITED: Final[list[object]] = []
_ATTEMPTS: Final = 40


@final
class SharedStore:
    """A ``CacheStore`` in a folder.

    Args:
        folder: the folder.
        size_limit: the most bytes that rows may take.
        clock: the clocks.
        counters: counts what goes wrong.
        notices: says it.
    """

    def __init__(
        self, folder: Path, size_limit: int, clock: Clock, counters: Counters, notices: Notices
    ) -> None:
        self._folder = folder
        self._size_limit = size_limit
        self._clock = clock
        self._counters = counters
        self._notices = notices
        self._queue = WriteQueue()
        self._writer = Writer(folder / LAYOUT, size_limit, clock, self._queue, self._say)
        self._thread = 0
        self._reading: Tables | None = None
        self._version = new_token()
        self._unnamed = bytes(8)
        self._trouble = ""
        self._is_resting = False
        self._is_child = False

    def before_fork(self) -> None:
        """Let the thread that writes come to rest, so that a child inherits no lock that is held."""
        self._is_resting = not self._is_child and self._writer.rest()

    def after_fork_in_parent(self) -> None:
        """Let it go on."""
        if self._is_resting:
            self._writer.go_on()

    def after_fork_in_child(self) -> None:
        """Use nothing of the parent's any more; its connections stay as they are, since they are its to close."""
        _INHERITED.append((self._reading, self._writer))
        self._is_child, self._thread, self._reading, self._queue = True, 0, None, WriteQueue()
        self._writer = Writer(self._folder / LAYOUT, self._size_limit, self._clock, self._queue, self._say)

    async def open(self) -> None:
        """Open the folder; what is not open within half a second is opened later."""
        self._thread = threading.get_ident()
        self._writer.start()
        await anyio.to_thread.run_sync(self._writer.wait_open, OPENING_SECONDS)

    async def close(self) -> None:
        """Write what waits for up to a second, then close everything where it was opened."""
        if self._is_child:
            return
        ended = await anyio.to_thread.run_sync(self._writer.stop)
        self._read_through(None)
        if not ended or not self._queue.is_empty():
            self._counters.l2_errors["unwritten"] += 1
            self._notices.warn("unwritten", "The query cache was closed before everything was written.")

    @property
    def trouble(self) -> str:
        """What went wrong last; empty if nothing has since the folder was last read."""
        return self._trouble

    async def get(self, key: bytes, /) -> bytes | None:
        """Give a row, or None."""
        waiting = self._queue.row(key)
        if waiting is not None:
            return waiting.row
        tables = self._tables()
        if tables is None or self._writer.is_off:
            return None
        try:
            row = tables.get(key)
        except DiskTrouble as trouble:
            self._writer.read_failed(trouble)
            if trouble.kind == "tampered":
                await self.remove(key)
            return None
        self._writer.read_worked()
        return row

    async def put(self, key: bytes, row: bytes, seconds: float, /) -> None:
        """Keep a row for a time; the last one wins."""
        if not self._writer.is_off:
            self._queue.put(key, PendingRow(row, seconds))

    async def remove(self, key: bytes, /) -> None:
        """Forget a row."""
        self._queue.put(key, PendingRow(None, 0.0))

    async def epochs(self, scopes: Sequence[bytes], /) -> Sequence[bytes]:
        """Give each scope's token; that of ``b""`` changes with each renewal of any."""
        # What waits is looked at first: it may be written, and wait no more, while the folder is read.
        waiting = [
            new_token() if s == VERSION_SCOPE and self._queue.has_epochs() else self._queue.epoch(s)
            for s in scopes
        ]
        found = self._epochs_of(scopes)
        return [token if mine is None else mine for mine, token in zip(waiting, found, strict=True)]

    async def renew(self, scopes: Sequence[bytes], token: bytes, /) -> None:
        """Give scopes a new token."""
        if self._is_child:  # nobody writes behind, and others have to know all the same
            await anyio.to_thread.run_sync(self._renew_now, dict.fromkeys(scopes, token))
            return
        self._queue.renew(dict.fromkeys(scopes, token))

    async def lease(self, key: bytes, owner: bytes, seconds: float, /) -> bool:
        """Take or prolong the one lease of a key; False while another owner holds it."""
        if self._writer.tables is None or self._writer.is_off:
            return True
        loop, told = current_token(), anyio.Event()
        answers: list[bool] = []

        def tell(*, given: bool) -> None:
            answers.append(given)
            try:
                from_thread.run_sync(told.set, token=loop)
            except RuntimeError:
                return  # the event loop has ended, and whoever asked with it

        self._queue.ask(LeaseAsked(key, owner, seconds, tell))
        await told.wait()
        return answers[0]

    async def release(self, key: bytes, owner: bytes, /) -> None:
        """Give a lease back, if this owner holds it."""
        self._queue.release(key, owner)

    def _renew_now(self, tokens: Mapping[bytes, bytes]) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                tables = Tables(self._folder / LAYOUT, self._size_limit, self._clock)
                try:
                    tables.renew(tokens)
                finally:
                    tables.close()
            except DiskTrouble as trouble:
                if trouble.kind != "busy" or attempt == _ATTEMPTS - 1:
                    self._say(trouble.kind, str(trouble))
                    return
            else:
                return

    def _epochs_of(self, scopes: Sequence[bytes]) -> Sequence[bytes]:
        tables = self._tables()
        if tables is not None and VERSION_SCOPE in scopes and not tables.is_there():
            self._writer.lost()
            tables = None
        if tables is not None:
            self._unnamed = tables.unnamed
            try:
                found = tables.epochs(scopes)
            except DiskTrouble as trouble:
                self._writer.read_failed(trouble)
            else:
                self._version = dict(zip(scopes, found, strict=True)).get(VERSION_SCOPE, self._version)
                return found
        # As far as can be told, nothing has changed.
        return [self._version if scope == VERSION_SCOPE else self._unnamed for scope in scopes]

    def _tables(self) -> Tables | None:
        """Give the databases, on the one thread that reads them."""
        if threading.get_ident() != self._thread:
            return None
        if self._reading is not self._writer.tables:
            self._read_through(self._writer.tables)
        return self._reading

    def _read_through(self, tables: Tables | None) -> None:
        old, self._reading = self._reading, tables
        if old is not None:
            try:
                old.close()
            except DiskTrouble as trouble:
                self._say(trouble.kind, str(trouble))

    def _say(self, kind: Kind, text: str) -> None:
        self._counters.l2_errors[kind] += 1
        self._trouble = text
        self._notices.warn(f"store {kind}", _TROUBLE, self._folder, text)
