"""A row of the shared store: everything that says what it is and how long it may be served, then the answer. Pure.

A row that was cut, changed, or put under another key is no row: reading it gives the reason instead.
"""

import struct
import zlib
from typing import Final, Literal, final

import attrs

MAGIC: Final = b"CSW2"
_HEAD: Final = struct.Struct(">4sIB16s8s8sqqdddd8sHI")
_UNSUMMED: Final = 8  # bytes before those that the checksum is of
_PAIR_BYTES: Final = 16
_COMPRESSED: Final = 1
_GONE: Final = 2
_WORTHWHILE: Final = 4096
_MOST_PAIRS: Final = 1024

Damage = Literal["integrity", "moved", "other_type", "too_large"]


@final
@attrs.define  # and not frozen, which takes three times as long to make; nothing changes one
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
        epochs: scopes and their epochs at that time, 8 bytes each.
        payload: the answer.
        is_gone: whether there is none any more: only that nothing which began earlier may be served, while the error
            window lasts.
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
    epochs: bytes
    payload: bytes = attrs.field(repr=False)
    is_gone: bool = False


def pack(row: Row) -> bytes:
    """Write a row.

    Args:
        row: the row.
    """
    payload, flags = row.payload, _GONE if row.is_gone else 0
    if len(payload) > _WORTHWHILE:
        smaller = zlib.compress(payload, 1)
        if len(smaller) < len(payload):
            payload, flags = smaller, flags | _COMPRESSED
    fields = (flags, row.key, row.fingerprint, row.machine, row.wall_ns, row.monotonic_ns)
    times = (row.took, row.fresh, row.stale, row.fail_safe)
    sizes = (len(row.epochs) // _PAIR_BYTES, len(row.payload))
    head = _HEAD.pack(MAGIC, 0, *fields, *times, row.version, *sizes)
    content = head[_UNSUMMED:] + row.epochs + payload
    return MAGIC + zlib.crc32(content).to_bytes(4, "big") + content


def unpack(content: bytes, key: bytes, fingerprint: bytes, most_bytes: int) -> Row | Damage:
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
        return "integrity"
    head = _HEAD.unpack_from(content)
    _, checksum, flags, found_key, found_type = head[:5]
    version, pairs, size = head[12:]
    if zlib.crc32(content[_UNSUMMED:]) != checksum or pairs > _MOST_PAIRS:
        return "integrity"
    if found_key != key or found_type != fingerprint or size > most_bytes:
        return _misplaced(found_key == key, found_type == fingerprint)
    start = _HEAD.size + pairs * _PAIR_BYTES
    payload = _inflated(content[start:], size) if flags & _COMPRESSED else content[start:]
    if payload is None or len(payload) != size:
        return "integrity"
    machine, wall, monotonic, took, fresh, stale, fail_safe = head[5:12]
    epochs = content[_HEAD.size : start]
    times = (wall, monotonic, took, fresh, stale, fail_safe)
    return Row(found_key, found_type, machine, *times, version, epochs, payload, bool(flags & _GONE))


def _misplaced(key: bool, fingerprint: bool) -> Damage:  # noqa: FBT001 - what agrees
    if not key:
        return "moved"
    return "too_large" if fingerprint else "other_type"


def _inflated(content: bytes, size: int) -> bytes | None:
    """Decompress no more than was announced: what would grow further is not read."""
    inflater = zlib.decompressobj()
    try:
        payload = inflater.decompress(content, size + 1)
    except zlib.error:
        return None
    return payload if inflater.eof and not inflater.unused_data else None
