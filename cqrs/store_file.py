"""The SQLite file of dead letters: made for its owner alone, of a known version, and written in full or not at all."""

import os
import sqlite3
from pathlib import Path
from typing import Final

VERSION: Final = 1

_OURS: Final = 0x43515253  # "CQRS": tells our file from any other
_TABLE: Final = """
CREATE TABLE letters (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    payload TEXT NOT NULL,
    type_id TEXT NOT NULL,
    subscriber TEXT NOT NULL,
    sequence TEXT,
    error_kind TEXT,
    error_text TEXT NOT NULL,
    error_traceback TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_failed_ns INTEGER NOT NULL,
    last_failed_ns INTEGER NOT NULL,
    traceparent TEXT,
    token TEXT,
    claimant TEXT,
    claimed_until_ns INTEGER
) STRICT
"""
_INDEX: Final = "CREATE INDEX letters_of_a_sequence ON letters (subscriber, sequence, place)"


def connected(path: Path, patience: float) -> sqlite3.Connection:
    """Open the file, or make it.

    Args:
        path: where it is; folders that are missing are made.
        patience: how long a step waits for another process that writes, in seconds.

    Raises:
        OSError: if it cannot be opened, or is reached through a symbolic link.
        sqlite3.Error: if it is no file of ours, or of a later version.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        if os.fstat(descriptor).st_mode & 0o077:
            path.chmod(0o600)
    finally:
        os.close(descriptor)
    # Not bound to the thread that opens it: whichever thread works on it holds the queue's lock.
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _pragma(connection, "user_version")
        owner = _pragma(connection, "application_id")
        if version == 0 and owner == 0 and not _pragma(connection, "schema_version"):
            connection.execute(_TABLE)
            connection.execute(_INDEX)
            connection.execute(f"PRAGMA application_id = {_OURS}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        else:
            _recognise(owner, version)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _recognise(owner: int, version: int) -> None:
    if owner != _OURS:
        raise sqlite3.DatabaseError("it is a database of something else")
    if version != VERSION:
        raise sqlite3.DatabaseError(f"it is of version {version}; this program knows version {VERSION}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
