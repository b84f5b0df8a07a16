"""The log: entries, and what a failing disk leaves of them."""

import os
from pathlib import Path

import pytest
from cqrs_local.wal import HEADER_BYTES, Wal, encode_entry, encode_header, read_wal


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    """Entries come back in order, with the number of the log."""
    wal = Wal(tmp_path / "a.wal", 7)
    wal.append(b"one")
    wal.append(b"two")
    wal.sync()
    wal.close()

    contents = read_wal((tmp_path / "a.wal").read_bytes())

    assert (contents.number, contents.entries, contents.torn_bytes) == (7, (b"one", b"two"), 0)


def test_a_log_is_made_for_its_user_alone(tmp_path: Path) -> None:
    """Nobody else on the machine reads records."""
    Wal(tmp_path / "a.wal", 1).close()

    assert (tmp_path / "a.wal").stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """After an error the file is as before, and the next entry is whole."""
    disk = FullDisk(room=HEADER_BYTES + 20)
    wal = Wal(tmp_path / "a.wal", 1, disk.write)
    wal.append(b"fits")
    with pytest.raises(OSError, match="No space"):
        wal.append(b"does not fit")
    disk.room = 1000
    wal.append(b"after")
    wal.close()

    assert read_wal((tmp_path / "a.wal").read_bytes()).entries == (b"fits", b"after")


def test_a_log_that_cannot_be_taken_back_takes_no_more(tmp_path: Path) -> None:
    """If not even the torn entry can be cut off, nothing is put behind it, where no reader would find it."""
    disk = FullDisk(room=HEADER_BYTES + 5)
    wal = Wal(tmp_path / "a.wal", 1, disk.write)
    disk.broken_file = wal._file
    with pytest.raises(OSError, match="Bad file"):
        wal.append(b"torn")

    assert wal.broken
    with pytest.raises(OSError, match="takes no more"):
        wal.append(b"more")


def test_a_log_whose_header_cannot_be_written_is_removed(tmp_path: Path) -> None:
    """A full disk leaves no empty log behind."""
    with pytest.raises(OSError, match="No space"):
        Wal(tmp_path / "a.wal", 1, FullDisk(room=3).write)

    assert list(tmp_path.iterdir()) == []


def test_an_entry_with_a_length_beyond_the_file_ends_the_log() -> None:
    """A length that a crash left behind is not believed."""
    data = encode_header(1) + encode_entry(b"one") + b"\xff\xff\xff\x7f\0\0\0\0x"

    assert read_wal(data).entries == (b"one",)


class FullDisk:
    """Writes as long as there is room; the last write may be short, as on a real disk."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.broken_file: int | None = None

    def write(self, file: int, data: bytes) -> int:
        """As `os.write`."""
        if file == self.broken_file:
            os.close(file)
            raise OSError(9, "Bad file descriptor")
        if self.room == 0:
            raise OSError(28, "No space left on device")
        written = os.write(file, data[: self.room])
        self.room -= written
        return written
