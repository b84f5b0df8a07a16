"""The write-ahead log: what was acknowledged, in the order it was, until a segment holds it.

A file is a header with the number of the generation of rows it belongs to, then entries of length,
CRC-32 and payload. The number is the one the generation's segments carry, so a reader can tell which
rows a segment holds already, whatever moment the process was killed at.
"""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zlib import crc32

import attrs

_MAGIC: Final = b"CQRSWAL1"
_HEADER: Final = struct.Struct("<8sQI")
_ENTRY: Final = struct.Struct("<II")
HEADER_BYTES: Final = _HEADER.size
_CLOSED: Final = -1

Write = Callable[[int, bytes], int]


@attrs.frozen
class WalContents:
    """What could be read of a log.

    Attributes:
        number: the generation of rows, None if not even the header is whole.
        entries: the whole entries from the start.
        torn_bytes: what follows the last whole entry.
    """

    number: int | None
    entries: tuple[bytes, ...]
    torn_bytes: int


def read_wal(data: bytes) -> WalContents:
    """Read a log up to the first entry that is not whole (pure)."""
    number = _read_header(data)
    if number is None:
        return WalContents(None, (), len(data))
    entries: list[bytes] = []
    at = HEADER_BYTES
    while (entry := _entry_at(data, at)) is not None:
        entries.append(entry)
        at += _ENTRY.size + len(entry)
    return WalContents(number, tuple(entries), len(data) - at)


def _read_header(data: bytes) -> int | None:
    if len(data) < HEADER_BYTES:
        return None
    magic, number, checksum = _HEADER.unpack_from(data)
    return number if magic == _MAGIC and checksum == _header_checksum(number) else None


def _header_checksum(number: int) -> int:
    return crc32(_MAGIC + number.to_bytes(8, "little"))


def _entry_at(data: bytes, at: int) -> bytes | None:
    if at + _ENTRY.size > len(data):
        return None
    length, checksum = _ENTRY.unpack_from(data, at)
    payload = data[at + _ENTRY.size : at + _ENTRY.size + length]
    if length == 0 or len(payload) < length or crc32(payload) != checksum:
        return None
    return payload


def encode_header(number: int) -> bytes:
    """The first bytes of the log of generation `number` (pure)."""
    return _HEADER.pack(_MAGIC, number, _header_checksum(number))


def encode_entry(payload: bytes) -> bytes:
    """One entry as it lies in the file (pure)."""
    return _ENTRY.pack(len(payload), crc32(payload)) + payload


class Wal:
    """A log open for appending.

    An append either hands the whole entry to the operating system or leaves the file as it was; if even
    that fails, the log is `broken` and takes no more.
    """

    def __init__(self, path: Path, number: int, write: Write = os.write) -> None:
        """Create the file at `path`.

        Args:
            path: must not exist.
            number: generation of rows that the log belongs to.
            write: as `os.write`; tests hand in one that fails.

        Raises:
            OSError: the file cannot be created or its header not be written.
        """
        self.path = path
        self.number = number
        self.size = 0
        self.broken = False
        self._write = write
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            self._put(encode_header(number))
        except OSError:
            self.close()
            path.unlink(missing_ok=True)
            raise

    def append(self, payload: bytes) -> None:
        """Hand one entry to the operating system.

        Raises:
            OSError: it could not be written whole; nothing of it is left in the file.
        """
        if self.broken:
            raise OSError(f"{self.path.name} takes no more after an earlier write error")
        self._put(encode_entry(payload))

    def sync(self) -> None:
        """Wait until the disk has what was appended."""
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file, once; the log stays."""
        if self._file != _CLOSED:
            os.close(self._file)
            self._file = _CLOSED

    def _put(self, data: bytes) -> None:
        rest = data
        try:
            while rest:
                rest = rest[self._write(self._file, rest) :]
        except OSError:
            self._take_back()
            raise
        self.size += len(data)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file, self.size)
        except OSError:
            self.broken = True
