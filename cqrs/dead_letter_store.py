"""Dead letters in an SQLite file: they survive the process, whatever ends it, and others may share the file."""

import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar, final
from uuid import uuid4

import anyio
import attrs
from anyio import to_thread
from returns.result import Failure, Result, Success

from cqrs.claimants import Claimant
from cqrs.clock import Clock, SystemClock
from cqrs.dead_letter import (
    EVERY,
    LEASE_SECONDS,
    Claim,
    DeadLetter,
    ErrorRecord,
    LetterFilter,
    LetterNotFound,
    Page,
    QueueFault,
    StoredEvent,
    StoreFailed,
)
from cqrs.event_json import encode
from cqrs.letter_rows import COLUMNS, PLACEHOLDERS, Row, letter_of, row_of
from cqrs.store_file import connected

Value = TypeVar("Value")

_INSERT: Final = f"INSERT INTO letters ({COLUMNS}) SELECT {PLACEHOLDERS}"
_OCCUPIED: Final = " WHERE EXISTS (SELECT 1 FROM letters WHERE subscriber = ? AND sequence = ?)"
_WANTED: Final = (
    "(:id IS NULL OR id = :id) AND (:subscriber IS NULL OR subscriber = :subscriber)"
    " AND (:sequence IS NULL OR sequence = :sequence) AND (:type_id IS NULL OR type_id = :type_id)"
)
_FIRST: Final = (
    "NOT EXISTS (SELECT 1 FROM letters AS earlier WHERE earlier.subscriber = letters.subscriber"
    " AND earlier.sequence = letters.sequence AND earlier.place < letters.place)"
)
_CLAIM: Final = (
    "UPDATE letters SET token = :token, claimant = :claimant, claimed_until_ns = :until WHERE place = :place"
)
_RELEASE: Final = (
    "UPDATE letters SET error_kind = :kind, error_text = :text, error_traceback = :traceback,"
    " attempts = :attempts, last_failed_ns = :failed, token = NULL, claimant = NULL, claimed_until_ns = NULL"
    " WHERE place = :place AND token = :token"
)
_HELD: Final = " WHERE place = :place AND token = :token"


@final
class SqliteDeadLetterQueue:
    """Keeps dead letters in a file that several processes may share.

    One thread of the process at a time works on it, so the event loop never waits for the disk. A step is written in
    full before it is answered, or not at all. The file is for its owner alone (0600): events stand in it as they are.

    Args:
        path: the file; made if it is not there.
        clock: tells when claims lapse.
        patience: how long a step waits for another process that writes, in seconds.
    """

    def __init__(self, path: Path | str, *, clock: Clock | None = None, patience: float = 2.0) -> None:
        self.path: Path = Path(path)
        self._clock = SystemClock() if clock is None else clock
        self._patience = patience
        self._connection: sqlite3.Connection | None = None
        self._claimant = Claimant.here()
        self._working = threading.Lock()
        self._limiter: anyio.CapacityLimiter | None = None

    def __repr__(self) -> str:
        return f"SqliteDeadLetterQueue({str(self.path)!r})"

    async def open(self) -> Result[None, QueueFault]:
        """Open the file, or make it; another version's file, or no such file, is a ``StoreFailed``."""
        self._limiter = anyio.CapacityLimiter(1)
        self._claimant = Claimant.here()

        def work() -> None:
            self._connection = connected(self.path, self._patience)

        return await self._threaded("open", work)

    async def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._threaded("close", connection.close)

    async def park(self, letter: DeadLetter, /) -> Result[None, QueueFault]:
        """Keep a letter behind all others."""
        row = self._row(letter, "park")
        if isinstance(row, Failure):
            return Failure(row.failure())
        return await self._step("park", lambda db: _nothing(db.execute(_INSERT, row.unwrap())))

    async def park_behind(self, letter: DeadLetter, /) -> Result[bool, QueueFault]:
        """Keep a letter if there is another of its sequence, as one step; tell whether it was kept."""
        if letter.sequence is None:
            return Success(False)
        row = self._row(letter, "park behind")
        where = (letter.subscriber, letter.sequence)
        if isinstance(row, Failure):  # what cannot be kept may still be delivered if nothing is before it
            occupied = await self.count(LetterFilter(subscriber=where[0], sequence=where[1]))
            if isinstance(occupied, Failure):
                return Failure(occupied.failure())
            return Failure(row.failure()) if occupied.unwrap() else Success(False)
        values = (*row.unwrap(), *where)
        return await self._step(
            "park behind", lambda db: db.execute(_INSERT + _OCCUPIED, values).rowcount == 1
        )

    async def page(
        self, cursor: int = 0, limit: int = 100, wanted: LetterFilter = EVERY, /
    ) -> Result[Page, QueueFault]:
        """Give letters, oldest first, from a cursor on; events come as they are stored."""
        chosen = {**attrs.asdict(wanted), "after": cursor, "limit": limit + 1}
        query = f"SELECT place, {COLUMNS} FROM letters WHERE place > :after AND {_WANTED} ORDER BY place LIMIT :limit"

        def work(db: sqlite3.Connection) -> Page:
            rows = db.execute(query, chosen).fetchall()
            more = int(rows[limit - 1][0]) if len(rows) > limit else None
            return Page(tuple(letter_of(row[1:]) for row in rows[:limit]), more)

        return await self._step("page", work)

    async def get(self, letter_id: str, /) -> Result[DeadLetter, QueueFault]:
        """Give one letter; ``LetterNotFound`` if there is none with this id."""
        found = await self.page(0, 1, LetterFilter(id=letter_id))
        if isinstance(found, Failure):
            return Failure(found.failure())
        letters = found.unwrap().letters
        return Success(letters[0]) if letters else Failure(LetterNotFound(letter_id))

    async def claim(
        self, after: int = 0, wanted: LetterFilter = EVERY, /
    ) -> Result[Claim | None, QueueFault]:
        """Claim the oldest letter behind a place that is the first of its sequence and not claimed; None if none is.

        A claim lapses at once if its process has ended on this machine, otherwise after ``LEASE_SECONDS``.
        """
        chosen = {**attrs.asdict(wanted), "after": after}
        query = (
            f"SELECT claimant, claimed_until_ns, place, {COLUMNS} FROM letters"
            f" WHERE place > :after AND {_WANTED} AND {_FIRST} ORDER BY place"
        )

        def work(db: sqlite3.Connection) -> Claim | None:
            now = self._clock.time_ns()
            for claimant, until, *row in db.execute(query, chosen):
                if claimant is None or until <= now or Claimant.read(claimant).has_ended():
                    claim = Claim(letter_of(tuple(row[1:])), int(row[0]), uuid4().hex)
                    db.execute(_CLAIM, {**self._holding(claim), "claimant": str(self._claimant)})
                    return claim
            return None

        return await self._step("claim", work)

    async def extend(self, claim: Claim, /) -> Result[None, QueueFault]:
        """Say that a claim is still worked on."""
        query = "UPDATE letters SET claimed_until_ns = :until" + _HELD
        return await self._held(claim, query, self._holding(claim))

    async def release(self, claim: Claim, letter: DeadLetter, /) -> Result[None, QueueFault]:
        """Give a claimed letter back at its place, as it is now; ``LetterNotFound`` if the claim lapsed."""
        error = letter.error or ErrorRecord("", "")
        values = {
            **self._holding(claim),
            "kind": error.kind if letter.error else None,
            "text": error.text,
            "traceback": error.traceback,
            "attempts": letter.attempts,
            "failed": letter.last_failed_ns,
        }
        return await self._held(claim, _RELEASE, values)

    async def settle(self, claim: Claim, /) -> Result[None, QueueFault]:
        """Remove a claimed letter, which was delivered; ``LetterNotFound`` if the claim lapsed."""
        return await self._held(claim, "DELETE FROM letters" + _HELD, self._holding(claim))

    async def discard(self, wanted: LetterFilter = EVERY, /) -> Result[int, QueueFault]:
        """Remove letters whether they are claimed or not; give how many."""
        query = f"DELETE FROM letters WHERE {_WANTED}"
        return await self._step("discard", lambda db: db.execute(query, attrs.asdict(wanted)).rowcount)

    async def count(self, wanted: LetterFilter = EVERY, /) -> Result[int, QueueFault]:
        """Count letters."""
        query = f"SELECT count(*) FROM letters WHERE {_WANTED}"
        return await self._step(
            "count", lambda db: int(db.execute(query, attrs.asdict(wanted)).fetchone()[0])
        )

    async def oldest_age(self, now_ns: int, /) -> Result[float, QueueFault]:
        """Give how long ago the oldest letter was parked, in seconds; 0 if there is none."""
        query = "SELECT coalesce(min(first_failed_ns), ?) FROM letters"
        return await self._step(
            "oldest age", lambda db: max(0, now_ns - int(db.execute(query, (now_ns,)).fetchone()[0])) / 1e9
        )

    async def _held(self, claim: Claim, query: str, values: Mapping[str, object]) -> Result[None, QueueFault]:
        changed = await self._step("use a claim", lambda db: db.execute(query, values).rowcount)
        if isinstance(changed, Failure):
            return Failure(changed.failure())
        return Success(None) if changed.unwrap() else Failure(LetterNotFound(claim.letter.id))

    def _holding(self, claim: Claim) -> dict[str, object]:
        until = self._clock.time_ns() + int(LEASE_SECONDS * 1e9)
        return {"place": claim.place, "token": claim.token, "until": until}

    def _row(self, letter: DeadLetter, operation: str) -> Result[Row, QueueFault]:
        event = letter.event
        payload = Success(event.payload) if isinstance(event, StoredEvent) else encode(event)
        return payload.map(lambda text: row_of(letter, text)).alt(
            lambda reason: self._failed(operation, f"the event cannot be written: {reason}")
        )

    async def _step(
        self, operation: str, work: Callable[[sqlite3.Connection], Value]
    ) -> Result[Value, QueueFault]:
        connection = self._connection
        if connection is None or self._claimant.pid != os.getpid():
            reason = (
                "it is not open"
                if connection is None
                else "it was opened by the process that this one was forked from"
            )
            return Failure(self._failed(operation, reason))
        return await self._threaded(operation, lambda: _at_once(connection, work))

    async def _threaded(self, operation: str, work: Callable[[], Value]) -> Result[Value, QueueFault]:
        def alone() -> Value:
            # A step that was given up by its caller goes on: the next one waits for it here, not in the event loop.
            with self._working:
                return work()

        try:
            return Success(await to_thread.run_sync(alone, limiter=self._limiter))
        except (sqlite3.Error, OSError) as error:
            return Failure(self._failed(operation, f"{type(error).__name__}: {error}"))

    def _failed(self, operation: str, reason: str) -> StoreFailed:
        return StoreFailed(str(self.path), operation, reason)


def _at_once(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Value]) -> Value:
    connection.execute("BEGIN IMMEDIATE")
    try:
        value = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return value


def _nothing(_: object) -> None:
    return None
