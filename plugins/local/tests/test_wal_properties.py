"""The log, for any damage of its end."""

from cqrs_local.wal import encode_entry, encode_header, read_wal
from hypothesis import given
from hypothesis import strategies as st

ENTRIES = st.lists(st.binary(min_size=1, max_size=40), max_size=8)


@given(ENTRIES, st.integers(0, 400))
def test_any_truncated_log_gives_a_prefix(entries: list[bytes], length: int) -> None:
    """Wherever a write was cut off, the whole entries before it are read, nothing else."""
    data = encode_header(3) + b"".join(map(encode_entry, entries))
    cut = data[:length]
    contents = read_wal(cut)

    assert list(contents.entries) == entries[: len(contents.entries)]
    whole = len(encode_header(3)) + sum(len(encode_entry(entry)) for entry in contents.entries)
    if contents.number is not None:
        assert whole + contents.torn_bytes == len(cut)
    if length >= len(data):
        assert list(contents.entries) == entries


@given(ENTRIES.filter(bool), st.data())
def test_a_flipped_bit_gives_a_prefix(entries: list[bytes], data: st.DataObject) -> None:
    """A damaged entry and what follows it are left out, what precedes it is read."""
    encoded = bytearray(encode_header(3) + b"".join(map(encode_entry, entries)))
    at = data.draw(st.integers(0, len(encoded) * 8 - 1))
    encoded[at // 8] ^= 1 << at % 8
    contents = read_wal(bytes(encoded))

    assert list(contents.entries) == entries[: len(contents.entries)]
    assert len(contents.entries) < len(entries)


@given(st.binary(max_size=200))
def test_no_content_raises(data: bytes) -> None:
    """Whatever lies in a file, it can be read."""
    read_wal(data)
    read_wal(encode_header(1) + data)
