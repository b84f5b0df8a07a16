"""Replacing a file so that a crash leaves the old one or the new one, never a part."""

import os
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to a new file beside `path`, then put it in its place.

    Raises:
        OSError: the disk refused; the old file is untouched.
    """
    fresh = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        publish(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def publish(fresh: Path, path: Path) -> None:
    """Rename `fresh` to `path` and make the rename itself durable."""
    fresh.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make renames and removals inside a directory durable."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
