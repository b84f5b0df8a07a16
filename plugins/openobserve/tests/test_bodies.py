"""Reading a body within bounds."""

import gzip
import tracemalloc

import pytest
from cqrs_openobserve.bodies import LARGEST, read_body


def test_plain_and_gzip_bodies_are_read() -> None:
    """In chunks as they come."""
    assert read_body([b"ab", b"", b"c"], "") == (b"abc", "")
    packed = gzip.compress(b"abc" * 1000)
    assert read_body([packed[:10], packed[10:]], " GZIP ") == (b"abc" * 1000, "")
    assert read_body([b"x" * LARGEST], "identity") == (b"x" * LARGEST, "")


@pytest.mark.parametrize(
    ("chunks", "encoding", "says"),
    [
        ([b"x" * LARGEST, b"x"], "", "larger than 1 MiB"),
        ([gzip.compress(b"0" * 50_000_000)], "gzip", "larger than 1 MiB"),
        ([gzip.compress(gzip.compress(b"0"))], "gzip, gzip", "content-encoding"),
        ([b"x"], "br", "content-encoding"),
        ([b"no gzip"], "gzip", "not gzip"),
    ],
)
def test_what_is_out_of_bounds_gives_nothing(chunks: list[bytes], encoding: str, says: str) -> None:
    """A bomb is not unpacked, a second encoding not tried."""
    body, flaw = read_body(chunks, encoding)
    assert body == b""
    assert says in flaw


def test_a_bomb_costs_little_memory() -> None:
    """50 MB in 50 kB: at most a few MiB are ever held."""
    bomb = gzip.compress(b"0" * 50_000_000)
    tracemalloc.start()
    read_body([bomb], "gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
