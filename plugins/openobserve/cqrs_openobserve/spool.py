"""Payloads that cannot be sent yet, one file each, where another process finds them if this one dies.

A directory per process, locked while it lives, in a directory per server and organisation; no file holds the token.
A file is written under a temporary name and renamed, so that no half-written one is ever read.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar, final

import attrs

from cqrs_openobserve.directories import Lock, is_private, make_private
from cqrs_openobserve.ledger import Reason
from cqrs_openobserve.payloads import Payload
from cqrs_openobserve.spool_files import SpoolFile, is_temporary, named, packed, parsed_name, unpacked
from cqrs_openobserve.spool_place import SpoolPlace

P = ParamSpec("P")
T = TypeVar("T")

MOST_REJECTED: Final = 100
REJECTED: Final = "rejected"
HEALTH: Final = "health.json"
LOCK: Final = "lock"


def _alone(method: Callable[Concatenate["Spool", P], T]) -> Callable[Concatenate["Spool", P], T]:
    @wraps(method)
    def alone(self: "Spool", /, *arguments: P.args, **options: P.kwargs) -> T:
        with self.mutex:
            return method(self, *arguments, **options)

    return alone


@final
class Spool:
    """The spool of one process; it never raises.

    Args:
        place: where it is.

    Attributes:
        mutex: held by one thread at a time: the worker writes, the sender reads and removes.
        problem: why nothing can be kept, one line; empty if all is well.
    """

    def __init__(self, place: SpoolPlace) -> None:
        self._place = place
        self._home: Path | None = None
        self._lock: Lock | None = None
        self._sequence = 0
        self._used = 0
        self._closed = False
        self.mutex = threading.RLock()
        self.problem = ""

    @property
    def enabled(self) -> bool:
        """Whether it is to be used at all."""
        return self._place.root is not None

    @property
    def home(self) -> Path | None:
        """This process's directory, None if it has none."""
        return self._home

    @property
    def used(self) -> int:
        """Bytes kept."""
        return self._used

    @_alone
    def open(self) -> bool:
        """Make and lock this process's directory; says whether there is one."""
        if self._home is not None and self._home.is_dir():
            return True
        if self._place.root is None or self._closed:
            return False
        if self._lock is not None:  # somebody removed the directory
            self._lock.release()
        try:
            self._lock, self._used = None, 0
            self._home = self._made(self._place.root / self._place.destination)
            self.problem = ""
        except OSError as error:
            self._home, self.problem = None, f"{self._place.root}: {error.strerror or error}"
        return self._home is not None

    @_alone
    def write(self, payload: Payload, oldest_wall_ns: int) -> SpoolFile | Reason:
        """Keep a payload.

        Args:
            payload: what to keep.
            oldest_wall_ns: when its oldest record became complete, ns since the Unix epoch.

        Returns:
            Its file, or why there is none.
        """
        if not self.open() or self._home is None:
            return "spool_error"
        data = packed(payload)
        if self._used + len(data) > self._place.most_bytes:
            self.problem = f"{self._home.parent}: OPENOBSERVE_SPOOL_SIZE is used up"
            return "spool_full"
        name = named(payload, oldest_wall_ns, self._next())
        try:
            _written(self._home, name, data)
        except OSError as error:
            self.problem = f"{self._home}: {error.strerror or error}"
            return "spool_error"
        self._used += len(data)
        self.problem = ""
        return SpoolFile(self._home / name, payload.signal, payload.records, len(data), 0)

    @_alone
    def read(self, file: SpoolFile, oldest_ns: int) -> Payload | None:
        """Read a payload back.

        Args:
            file: as ``write`` or ``adopt`` gave it.
            oldest_ns: when its oldest record became complete, monotonic ns.

        Returns:
            The payload; None if the file is gone or damaged.
        """
        try:
            return unpacked(file.path.read_bytes(), file, oldest_ns)
        except OSError:
            return None

    @_alone
    def remove(self, file: SpoolFile) -> None:
        """Remove a file that is no longer needed."""
        self._used = max(0, self._used - file.size)
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            self.problem = f"{file.path}: {error.strerror or error}"

    @_alone
    def adopt(self, wall_ns: int, oldest_ns: int) -> list[SpoolFile]:
        """Take over what processes that have ended left for this destination, the oldest first.

        Args:
            wall_ns: now, ns since the Unix epoch.
            oldest_ns: the age from which on a payload is adopted in any case, to be counted as expired, in ns.
        """
        if not self.open() or self._home is None:
            return []
        found: list[SpoolFile] = []
        try:
            for folder in sorted(self._home.parent.iterdir()):
                ours = folder == self._home or folder.name == REJECTED or is_temporary(folder)
                if not ours and is_private(folder):
                    found += self._taken_over(folder, wall_ns, oldest_ns)
        except OSError as error:
            self.problem = f"{self._home.parent}: {error.strerror or error}"
        return sorted(found, key=lambda file: -file.age_ns)

    @_alone
    def keep_rejected(self, payload: Payload, wall_ns: int) -> None:
        """Keep a record that the server refused, for people to look at; the last 100 are kept.

        Args:
            payload: with one record.
            wall_ns: now, ns since the Unix epoch.
        """
        if not self.open() or self._home is None:
            return
        try:
            folder = make_private(self._home.parent / REJECTED)
            _written(folder, named(payload, wall_ns, self._next()), packed(payload))
            for old in sorted(path for path in folder.iterdir() if not is_temporary(path))[:-MOST_REJECTED]:
                old.unlink(missing_ok=True)
        except OSError as error:
            self.problem = f"{self._home.parent / REJECTED}: {error.strerror or error}"

    @_alone
    def write_health(self, text: bytes) -> None:
        """Write down how this process is, for ``cqrs doctor``.

        Args:
            text: JSON without secrets.
        """
        if not self.open() or self._home is None:
            return
        try:
            _written(self._home, HEALTH, text)
        except OSError as error:
            self.problem = f"{self._home}: {error.strerror or error}"

    @_alone
    def close(self) -> None:
        """Let go of the directory for good: removed if nothing is in it, else left to be adopted."""
        self._closed = True
        if self._home is None or self._lock is None:
            return
        try:
            if not any(parsed_name(path) for path in self._home.iterdir()):
                _removed(self._home)
        except OSError as error:
            self.problem = f"{self._home}: {error.strerror or error}"
        self._lock.release()
        self._home = self._lock = None

    def abandon(self) -> None:
        """Forget the parent's directory in a forked child."""
        if self._lock is not None:
            self._lock.forget()
        self._home = self._lock = None
        self._used = 0

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _made(self, destination: Path) -> Path:
        # Locked before it gets its name: an adopter never sees it without its lock.
        make_private(destination.parent, parents=True)
        make_private(destination)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        new = make_private(destination / f".{name}")
        self._lock = Lock.taken(new / LOCK)
        if self._lock is None:
            raise OSError("its lock is held by somebody else")
        new.rename(destination / name)
        return destination / name

    def _taken_over(self, folder: Path, wall_ns: int, oldest_ns: int) -> Iterator[SpoolFile]:
        lock = Lock.taken(folder / LOCK)
        if lock is None:
            return  # its process lives
        left = False
        try:
            for path in sorted(folder.iterdir()):
                file = parsed_name(path, wall_ns)
                if file is None:
                    continue
                if file.age_ns < oldest_ns and self._used + file.size > self._place.most_bytes:
                    left = True
                    continue
                yield self._moved(file)
            if not left:
                _removed(folder)
        finally:
            lock.release()

    def _moved(self, file: SpoolFile) -> SpoolFile:
        assert self._home is not None  # noqa: S101  # adopt() opened it
        path = self._home / f"{file.path.stem}-{self._next()}{file.path.suffix}"
        file.path.rename(path)
        self._used += file.size
        return attrs.evolve(file, path=path)


def _written(folder: Path, name: str, data: bytes) -> None:
    temporary = folder / f".{name}.{secrets.token_hex(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(data)
        temporary.rename(folder / name)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _removed(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    folder.rmdir()
