import zlib
from typing import Any

import attrs
import pytest
from cqrs_swr.rows import Row, pack, unpack

KEY, TYPE = b"k" * 16, b"t" * 8
ROW = Row(
    KEY, TYPE, b"m" * 8, 1_700_000_000_000_000_000, 5_000_000_000, 0.25, 30.0, 300.0, 3600.0, b"v" * 8,
    b"a" * 8 + b"1" * 8 + b"b" * 8 + b"2" * 8, b'"order 1"',
)  # fmt: skip
MEBIBYTE = 1024 * 1024
DAMAGES = ("integrity", "moved", "other_type", "too_large")


def read(content: bytes, **other: Any) -> Any:
    return unpack(content, **{"key": KEY, "fingerprint": TYPE, "most_bytes": MEBIBYTE, **other})


@pytest.mark.parametrize("payload", [b"", b'"x"', b"x" * 5000, bytes(range(256)) * 40])
def test_a_row_is_read_as_it_was_written(payload: bytes) -> None:
    """Large ones are smaller on disk."""
    row = attrs.evolve(ROW, payload=payload)

    assert read(pack(row)) == row
    assert len(pack(attrs.evolve(ROW, payload=b"x" * 100_000))) < 1000


def test_a_row_can_say_that_there_is_no_answer() -> None:
    """That is another row, and no empty answer."""
    gone = attrs.evolve(ROW, payload=b"", is_gone=True)

    assert read(pack(gone)) == gone
    assert pack(gone) != pack(attrs.evolve(gone, is_gone=False))


def test_every_flipped_bit_is_noticed() -> None:
    """No byte of a row can change without its being none any more (I17)."""
    content = pack(attrs.evolve(ROW, payload=b"payload"))
    for place in range(len(content)):
        for bit in range(8):
            damaged = content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]
            assert read(damaged) in DAMAGES, (place, bit)


def test_every_cut_is_noticed() -> None:
    """A row that ends early is none, nor is one with something behind it."""
    content = pack(ROW)

    assert all(read(content[:length]) in DAMAGES for length in range(len(content)))
    assert read(content + b"x") in DAMAGES


def test_a_row_under_another_key_is_none() -> None:
    """Moving a row does not give somebody else's answer."""
    assert read(pack(ROW), key=b"K" * 16) == "moved"


def test_a_row_of_another_type_is_none() -> None:
    """What a deploy has changed is computed anew."""
    assert read(pack(ROW), fingerprint=b"T" * 8) == "other_type"


def test_a_row_may_not_grow_without_end() -> None:
    """What announces more than may be kept is not read; what grows beyond what it announced is damaged."""
    bomb = pack(attrs.evolve(ROW, payload=b"\0" * 50_000_000))

    assert len(bomb) < 500_000
    assert read(bomb) == "too_large"


def test_a_bomb_that_announces_little_is_not_inflated() -> None:
    """The size in the head is a limit while the rest is read."""
    import struct

    honest = pack(attrs.evolve(ROW, payload=b"x" * 5000, epochs=b""))
    head = bytearray(honest[: len(honest) - len(zlib.compress(b"x" * 5000, 1))])
    content = bytes(head) + zlib.compress(b"\0" * 200_000_000, 1)
    forged = content[:4] + struct.pack(">I", zlib.crc32(content[8:])) + content[8:]

    assert read(forged) == "integrity"


def test_what_was_never_a_row_is_none() -> None:
    """Nothing that another program has put there is taken for an answer."""
    for content in (b"", b"CSW2", b"\x80\x04K\x01.", b"x" * 500):
        assert read(content) in DAMAGES
