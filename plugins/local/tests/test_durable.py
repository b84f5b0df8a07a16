"""Replacing a file."""

import errno
import os
from pathlib import Path

import pytest
from cqrs_local.durable import write_atomically


def test_the_new_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """Nothing else is left in the directory."""
    write_atomically(tmp_path / "a", b"old")
    write_atomically(tmp_path / "a", b"new")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"new")]


def test_a_disk_that_refuses_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half of a file, no rest of an attempt."""
    write_atomically(tmp_path / "a", b"old")

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "a", b"new")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
