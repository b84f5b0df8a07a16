"""A row of the shared store: everything that says what it is and how long it may be served, then the answer. Pure.

A row that was cut, changed, or put under another key is no row: reading it gives the reason instead.
"""

import struct
import zlib
from typing import Final, Literal, final

import attrs
from returns.result import Failure, Result, Success

MAGIC: Final = b"CSW1"
_HEAD: Final = struct.Struct(">4sB16s8s8sqqdddd8sHII")
_PAIR: Final = struct.Struct(">8s8s")
_COMPRESSED: Final = 1
_WORTHWHILE: Final = 4096
_MOST_PAIRS: Final = 1024

Damage = Literal["integrity", "moved", "other_type", "too_large"]
Epochs = tuple[tuple[bytes, bytes], ...]


@final
@attrs.frozen
class Row:
    """One answer as processes share it.

    Attributes:
        key: 16 bytes, the key that it is kept under.
        fingerprint: 8 bytes of the answer's type.
        machine: 8 bytes that say which clock ``monotonic_ns`` was read from; zeros if that cannot be told.
        wall_ns: when it was committed, on the wall clock.
        monotonic_ns: the same on the machine's monotonic clock.
        took: seconds from the start of its computation to the commit.
        fresh: seconds of freshness.
        stale: seconds of the stale window.
        fail_safe: seconds of the error window.
        version: the store's epoch when its computation began.
        epochs: scopes and their epochs at that time.
        payload: the answer.
    """

    key: bytes
    fingerprint: bytes
    machine: bytes
    wall_ns: int
    monotonic_ns: int
    took: float
    fresh: float
    stale: float
    fail_safe: float
    version: bytes
    epochs: Epochs
    payload: bytes = attrs.field(repr=False)


def pack(row: Row) -> bytes:
    """Write a row.

    Args:
        row: the row.
    """
    payload, flags = row.payload, 0
    if len(payload) > _WORTHWHILE:
        smaller = zlib.compress(payload, 1)
        if len(smaller) < len(payload):
            payload, flags = smaller, _COMPRESSED
    pairs = b"".join(_PAIR.pack(*pair) for pair in row.epochs)
    fields = (MAGIC, flags, row.key, row.fingerprint, row.machine, row.wall_ns, row.monotonic_ns)
    times = (row.took, row.fresh, row.stale, row.fail_safe)
    sizes = (len(row.epochs), len(row.payload))
    checksum = zlib.crc32(pairs + payload, zlib.crc32(_HEAD.pack(*fields, *times, row.version, *sizes, 0)))
    return _HEAD.pack(*fields, *times, row.version, *sizes, checksum) + pairs + payload


def unpack(content: bytes, key: bytes, fingerprint: bytes, most_bytes: int) -> Result[Row, Damage]:
    """Read a row.

    Args:
        content: what the store gave.
        key: the key that was asked for.
        fingerprint: the answer's type as it is now.
        most_bytes: the largest answer that is read.

    Returns:
        The row, or why it is none.
    """
    if len(content) < _HEAD.size or content[:4] != MAGIC:
        return Failure("integrity")
    head = _HEAD.unpack_from(content)
    pairs, size, checksum = head[-3:]
    if _checksum(content) != checksum or pairs > _MOST_PAIRS:
        return Failure("integrity")
    misplaced = _misplaced(head[2] == key, head[3] == fingerprint, size <= most_bytes)
    if misplaced is not None:
        return Failure(misplaced)
    start = _HEAD.size + pairs * _PAIR.size
    payload = _inflated(content[start:], size) if head[1] & _COMPRESSED else content[start:]
    if payload is None or len(payload) != size:
        return Failure("integrity")
    epochs = tuple((name, token) for name, token in _PAIR.iter_unpack(content[_HEAD.size : start]))
    stamps = (head[5], head[6], head[7], head[8], head[9], head[10])
    return Success(Row(head[2], head[3], head[4], *stamps, head[11], epochs, payload))


def _misplaced(key: bool, fingerprint: bool, size: bool) -> Damage | None:  # noqa: FBT001 - what agrees
    if not key:
        return "moved"
    if not fingerprint:
        return "other_type"
    return None if size else "too_large"


def _checksum(content: bytes) -> int:
    unsigned = content[: _HEAD.size - 4] + b"\0\0\0\0"
    return zlib.crc32(content[_HEAD.size :], zlib.crc32(unsigned))


def _inflated(content: bytes, size: int) -> bytes | None:
    """Decompress no more than was announced: what would grow further is not read."""
    inflater = zlib.decompressobj()
    try:
        payload = inflater.decompress(content, size + 1)
    except zlib.error:
        return None
    return payload if inflater.eof and not inflater.unused_data else None
