"""Reading a request."""

import gzip
import tracemalloc
import zlib

import attrs
import pytest
from cqrs_local.answers import RefusedError
from cqrs_local.limits import Limits
from cqrs_local.requests import DisconnectedError, Message, Request, Scope, decompressed, request_of

LIMIT = 1000


def request(body: list[bytes], **headers: str) -> Request:
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": at < len(body) - 1}
        for at, piece in enumerate(body)
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    scope: Scope = {
        "method": "post",
        "path": "/a",
        "raw_path": b"/api/a%2Fb/..?x",
        "query_string": b"type=logs&type=traces&q=%C3%A9",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    return request_of(scope, receive)


def test_a_slash_in_a_name_does_not_make_two() -> None:
    """The path is cut before it is decoded."""
    assert request([b""]).segments == ("api", "a/b", "..")


def test_query_and_method_are_normal() -> None:
    """Decoded, the last of equal ones; upper case."""
    made = request([b""])

    assert (made.method, made.query) == ("POST", {"type": "traces", "q": "é"})


async def test_a_body_comes_in_pieces() -> None:
    """And is put together."""
    assert await request([b"a", b"", b"bc"]).body(LIMIT) == b"abc"


async def test_a_client_that_leaves_is_told_apart() -> None:
    """Its half of a body is no body."""
    with pytest.raises(DisconnectedError):
        await request([]).body(LIMIT)


async def test_a_body_beyond_the_limit_is_refused_before_it_is_whole() -> None:
    """413, whether it comes in one piece or in many."""
    for body in ([b"x" * (LIMIT + 1)], [b"x" * LIMIT, b"x", b"never read"]):
        with pytest.raises(RefusedError) as refused:
            await request(body).body(LIMIT)
        assert refused.value.answer.status == 413
    assert len(await request([b"x" * LIMIT]).body(LIMIT)) == LIMIT


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("GZIP", gzip.compress(b"he", mtime=0) + gzip.compress(b"llo", mtime=0)),
        ("identity", b"hello"),
    ],
)
async def test_compressed_bodies_are_read(encoding: str, body: bytes) -> None:
    """Gzip also in several members."""
    assert await request([body], content_encoding=encoding).body(LIMIT) == b"hello"


@pytest.mark.parametrize("encoding", ["br", "zstd", "br2", "gzip, gzip"])
async def test_an_unknown_encoding_is_a_415(encoding: str) -> None:
    """Without a body, as on the server."""
    with pytest.raises(RefusedError) as refused:
        await request([b"x"], content_encoding=encoding).body(LIMIT)

    assert (refused.value.answer.status, refused.value.answer.body) == (415, b"")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", b"not gzip"),
        (b"gzip", gzip.compress(b"hello" * 99, mtime=0)[:-12]),
        (b"deflate", b"\xff\xff"),
        (b"gzip", gzip.compress(b"a", mtime=0) + b"rest"),
    ],
)
def test_a_damaged_body_is_a_400(encoding: bytes, body: bytes) -> None:
    """Also one that ends too early."""
    with pytest.raises(RefusedError) as refused:
        decompressed(body, encoding, LIMIT)

    assert refused.value.answer.status == 400
    assert refused.value.answer.body.startswith(b"Failed to buffer the request body: ")


def test_a_bomb_is_refused_before_it_unfolds() -> None:
    """The limit counts what comes out, and little more than the limit ever does."""
    bomb = gzip.compress(bytes(30_000_000), 1)
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError) as refused:
            decompressed(bomb, b"gzip", 100_000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert refused.value.answer.status == 413
    assert most < 5_000_000


async def test_200_mib_and_a_byte_are_refused_as_they_come() -> None:
    """The limit of the server, with the rest of the body left where it is."""
    piece, taken = bytes(1024 * 1024), 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": piece, "more_body": taken < 1000}

    with pytest.raises(RefusedError) as refused:
        await attrs.evolve(request([]), receive=receive).body(Limits().body_bytes)

    assert (refused.value.answer.status, taken) == (413, 201)


def test_an_empty_compressed_body_is_empty() -> None:
    """Nothing to decompress."""
    assert decompressed(b"", b"gzip", LIMIT) == b""
