"""The data directory: where it is, that it can be used, and that one process alone uses it."""

import fcntl
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LOCK_NAME: Final = "lock"


class DirectoryError(Exception):
    """The data directory cannot be used; the text says why and what to do."""


def default_directory(environment: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The per-user directory for what programs keep between runs.

    Args:
        environment: variables; `XDG_STATE_HOME` moves it, except on macOS.
        platform: as `sys.platform`.
    """
    home = Path(environment.get("HOME") or Path.home())
    if platform == "darwin":
        return home / "Library" / "Application Support" / "returns-cqrs" / "local"
    state = environment.get("XDG_STATE_HOME", "")
    root = Path(state) if state.startswith("/") else home / ".local" / "state"
    return root / "returns-cqrs" / "local"


class DataDirectory:
    """A data directory that this process holds the lock of."""

    def __init__(self, path: Path) -> None:
        """Make the directory if need be, for this user alone, and lock it.

        Raises:
            DirectoryError: it is a file, cannot be written, or another process has it.
        """
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise DirectoryError(f"{path} is a file, not a directory") from None
        except OSError as error:
            raise DirectoryError(f"{path} cannot be written: {error.strerror}") from None
        self._take()

    def _take(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise DirectoryError(f"{self.path} is in use by another local server, process {holder}") from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have the directory."""
        os.close(self._lock)
