"""Bytes in SQLite through diskcache, and no way from what is found there to code or to other files.

Everything here blocks for at most ``BUSY_SECONDS`` and raises nothing but ``DiskTrouble``.
"""

import sqlite3
import struct
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NoReturn, Protocol, cast, final

import diskcache  # pyright: ignore[reportMissingTypeStubs]  # it ships without type information

from cqrs.clock import Clock
from cqrs_swr.directory import prepare, prepare_file
from cqrs_swr.epochs import VERSION_SCOPE, new_token

BUSY_SECONDS: Final = 0.025
EPOCH_SECONDS: Final = 31 * 24 * 3600.0  # a day longer than any answer lives

Kind = Literal["busy", "full", "read_only", "corrupt", "tampered", "io"]

_RAW: Final = 1
_LEASE: Final = struct.Struct(">8sq")
_UNNAMED: Final = b"unnamed"
_VERSION: Final = b"version"
_CONTROL_BYTES: Final = 2**40  # never evicted: an invalidation that is forgotten is a wrong answer


class DiskTrouble(Exception):  # noqa: N818 - a verdict between disk and store, no error that users see
    """The disk did not do as it was asked.

    Args:
        kind: what is wrong with it.
        text: what it said.
    """

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind: Final = kind


class _Database(Protocol):
    """What we use of a ``diskcache.Cache``."""

    def get(self, key: bytes) -> object: ...
    def set(self, key: bytes, value: bytes, expire: float | None = None) -> bool: ...
    def delete(self, key: bytes) -> bool: ...
    def transact(self) -> AbstractContextManager[None]: ...
    def clear(self) -> int: ...
    def close(self) -> None: ...
    def __len__(self) -> int: ...


if TYPE_CHECKING:

    class _Disk:
        """What we use of a ``diskcache.Disk``."""

        def __init__(self, directory: str) -> None: ...

else:
    _Disk = diskcache.Disk

_OPEN: Final = cast("Callable[..., _Database]", diskcache.Cache)


class SafeDisk(_Disk):
    """Bytes in, bytes out: what any other program has put there is refused, never unpickled, opened or deleted."""

    def put(self, key: bytes) -> tuple[memoryview, bool]:
        """Give a key as the database keeps it."""
        return memoryview(key), True

    def get(self, key: object, raw: object) -> bytes:
        """Give a key as it was put."""
        del raw
        return bytes(cast("bytes", key))

    def store(self, value: bytes, read: object, key: object = None) -> tuple[int, int, None, memoryview]:
        """Give a value as the database keeps it: in the row, never in a file."""
        del read, key
        return 0, _RAW, None, memoryview(value)

    def fetch(self, mode: object, filename: object, value: object, read: object) -> bytes:
        """Give a value as it was stored."""
        if mode != _RAW or filename is not None or read or not isinstance(value, bytes):
            raise DiskTrouble("tampered", f"a row of mode {mode!r} and type {type(value).__qualname__}")
        return value

    def filename(self, key: object = None, value: object = None) -> NoReturn:
        """Refuse: no value is kept in a file."""
        del key, value
        raise DiskTrouble("tampered", "a value in a file of its own")

    def remove(self, file_path: object) -> None:
        """Leave every file alone: a row that names one was not written by us."""


@final
class Tables:
    """The rows and, in a database that evicts nothing, the epochs and leases.

    Each thread that calls has connections of its own and closes them itself.

    Args:
        folder: where both are; made if it is not there.
        size_limit: the most bytes that rows may take.
        clock: what leases end by.

    Attributes:
        unnamed: the token of every scope that was never renewed; another one if the databases are made anew.

    Raises:
        DiskTrouble: if they cannot be opened.
    """

    def __init__(self, folder: Path, size_limit: int, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        with _troubled():
            prepare(folder)
            self._rows = _opened(folder / "rows", size_limit, "least-recently-stored")
            self._control = _opened(folder / "control", _CONTROL_BYTES, "none")
            self._files = _identities(folder)
            with self._control.transact():
                for name in (_UNNAMED, _VERSION):
                    if self._control.get(name) is None:
                        self._control.set(name, new_token())
            self.unnamed: Final = cast("bytes", self._control.get(_UNNAMED))

    def is_there(self) -> bool:
        """Tell whether the databases are still those that were opened, and not deleted or moved."""
        return self._files == _identities(self._folder)

    def __len__(self) -> int:
        with _troubled():
            return len(self._rows)

    def clear(self) -> int:
        """Remove every row; say how many."""
        with _troubled():
            return self._rows.clear()

    def get(self, key: bytes) -> bytes | None:
        """Give a row, or None."""
        try:  # no context manager: this is what a look-up in the store costs
            return cast("bytes | None", self._rows.get(key))
        except DiskTrouble:
            raise
        except _TROUBLES as error:
            raise _trouble(error) from error

    def put(self, key: bytes, row: bytes, seconds: float) -> None:
        """Keep a row for a time."""
        with _troubled():
            self._rows.set(key, row, seconds)

    def remove(self, key: bytes) -> None:
        """Forget a row."""
        with _troubled():
            self._rows.delete(key)

    def epochs(self, scopes: Sequence[bytes]) -> list[bytes]:
        """Give each scope's token; for those that were never renewed, that of these databases."""
        with _troubled():
            return [self._epoch(scope) for scope in scopes]

    def renew(self, tokens: Mapping[bytes, bytes]) -> None:
        """Give scopes new tokens, all at once, and every process to know that there are some."""
        with _troubled(), self._control.transact():
            for scope, token in tokens.items():
                self._control.set(b"e" + scope, token, EPOCH_SECONDS)
            self._control.set(_VERSION, new_token())

    def lease(self, key: bytes, owner: bytes, seconds: float) -> bool:
        """Take or prolong the one lease of a key; False while another owner holds it."""
        now, life = self._clock.time_ns(), round(seconds * 1e9)
        with _troubled(), self._control.transact():
            found = cast("bytes | None", self._control.get(b"l" + key))
            if found is not None and len(found) == _LEASE.size:
                holder, until = _LEASE.unpack(found)
                # One that ends later than any could is of a clock that has been set back since.
                if holder != owner and now < until <= now + life:
                    return False
            self._control.set(b"l" + key, _LEASE.pack(owner, now + life), seconds * 2)
        return True

    def release(self, key: bytes, owner: bytes) -> None:
        """Give a lease back, if this owner holds it."""
        with _troubled(), self._control.transact():
            found = cast("bytes | None", self._control.get(b"l" + key))
            if found is not None and found[:8] == owner:
                self._control.delete(b"l" + key)

    def close(self) -> None:
        """Close the connections of the calling thread."""
        with _troubled():
            self._rows.close()
            self._control.close()

    def _epoch(self, scope: bytes) -> bytes:
        name = _VERSION if scope == VERSION_SCOPE else b"e" + scope
        found = self._control.get(name)
        return self.unnamed if found is None else cast("bytes", found)


def _opened(folder: Path, size_limit: int, policy: str) -> _Database:
    prepare(folder)
    prepare_file(folder / "cache.db")
    _probe(folder / "cache.db")
    return _OPEN(
        str(folder),
        timeout=BUSY_SECONDS,
        disk=SafeDisk,
        size_limit=size_limit,
        eviction_policy=policy,
        statistics=0,
        tag_index=0,
        cull_limit=10,
    )


def _probe(file: Path) -> None:
    """Make sure that it can be opened now: diskcache itself would wait a minute for a lock, and believe any setting."""
    connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        named = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'Settings'").fetchone()
        if named[0]:
            keys = {str(key) for (key,) in connection.execute("SELECT key FROM Settings")}
            strange = keys - {*diskcache.DEFAULT_SETTINGS, *diskcache.core.METADATA}
            if strange:
                raise DiskTrouble("corrupt", f"settings that are none: {sorted(strange)[:3]}")
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def _identities(folder: Path) -> tuple[tuple[int, int], ...]:
    try:
        found = [(folder / name / "cache.db").stat() for name in ("rows", "control")]
    except OSError:
        return ()
    return tuple((each.st_dev, each.st_ino) for each in found)


_TROUBLES: Final = (diskcache.Timeout, sqlite3.Error, OSError, ValueError, TypeError, OverflowError)


@contextmanager
def _troubled() -> Generator[None]:
    """Give everything that the disk can do wrong one form."""
    try:
        yield
    except DiskTrouble:
        raise
    except _TROUBLES as error:
        raise _trouble(error) from error


def _trouble(error: Exception) -> DiskTrouble:
    if isinstance(error, diskcache.Timeout):
        return DiskTrouble("busy", "another process is writing")
    if isinstance(error, sqlite3.Error):
        return DiskTrouble(_kind(error), str(error))
    if isinstance(error, OSError):
        return DiskTrouble("io", str(error))
    return DiskTrouble("corrupt", f"{type(error).__name__}: {error}")


def _kind(error: sqlite3.Error) -> Kind:
    text = str(error)
    told: Mapping[str, Kind] = {
        "locked": "busy",
        "full": "full",
        "readonly": "read_only",
        "unable to open": "io",
        "disk I/O": "io",
    }
    for words, kind in told.items():
        if words in text:
            return kind
    return "corrupt"
