"""Directories that nobody else may write to, and locks that end with their process."""

import os
import stat
import sys
from pathlib import Path
from typing import final

if sys.platform != "win32":
    import fcntl


def make_private(folder: Path, *, parents: bool = False) -> Path:
    """Make a directory that only its owner may use, or accept one that only its owner may write to.

    Args:
        folder: where.
        parents: make those above it, too, as the user's mask says.

    Raises:
        OSError: if it cannot be made, or if it is a link, somebody else's, or others may write to it.
    """
    if parents:
        folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if not is_private(folder):
        raise OSError(f"{folder} is a link, belongs to somebody else, or others may write to it")
    return folder


def is_private(folder: Path) -> bool:
    """Tell whether a path is a directory of this user that nobody else may write to."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return stat.S_ISDIR(found.st_mode) and mine and not found.st_mode & 0o022


def is_locked(path: Path) -> bool:
    """Tell whether a process holds a lock, without making the file or keeping it.

    Args:
        path: the lock's file.

    Raises:
        OSError: if this system or this file system has no such locks.
    """
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@final
class Lock:
    """An exclusive lock on a file; the system releases it when the process ends, however it ends.

    Args:
        descriptor: the open file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @staticmethod
    def taken(path: Path) -> "Lock | None":
        """Lock a file, which is made if need be.

        Args:
            path: the file.

        Returns:
            The lock; None if another process holds it.

        Raises:
            OSError: if this system or this file system has no such locks.
        """
        if sys.platform == "win32":
            raise OSError("this system has no locks that end with their process")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another may have removed the file between the two calls: then this is a lock on nothing.
            if path.lstat().st_ino == os.fstat(descriptor).st_ino:
                return Lock(descriptor)
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def release(self) -> None:
        """Give it back."""
        os.close(self._descriptor)

    def forget(self) -> None:
        """Let go of it in a forked child; the parent keeps it."""
        os.close(self._descriptor)  # closing one of two descriptors of a lock does not unlock it
