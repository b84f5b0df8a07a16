"""A request as a value, read from ASGI with its limits."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Final, Protocol, cast
from urllib.parse import parse_qsl, unquote

import attrs

from cqrs_local.answers import RefusedError, bare, text
from cqrs_local.emulation import Emulation

Message = MutableMapping[str, object]
Scope = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_WINDOW_BITS: Final = {b"gzip": 31, b"deflate": 15}
_PIECE: Final = 1024 * 1024
_LARGE: Final = 16 * 1024  # a thousand times as much at most may come out of it
_TOO_LARGE: Final = "Failed to buffer the request body: length limit exceeded"


@attrs.frozen
class Request:
    """What a handler gets.

    Attributes:
        method: in upper case.
        segments: the parts of the path between slashes, decoded one by one.
        query: parameters of the query string, the last of equal ones.
        headers: by lower-case name.
        names: parts of the path that the route gives a name to.
        receive: where the body comes from.
        emulation: which version of the server it is meant for.
    """

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[bytes, bytes]
    names: Mapping[str, str]
    receive: Receive
    emulation: Emulation = Emulation.NEWEST

    async def body(self, limit: int) -> bytes:
        """The whole body, decompressed.

        Args:
            limit: most bytes, before and after decompression.

        Raises:
            RefusedError: it is too large (413), damaged (400) or in an unknown encoding (415).
        """
        encoding = self.headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding not in (b"identity", b"", *_WINDOW_BITS) and self.emulation is Emulation.NEWEST:
            raise RefusedError(bare(415))
        raw = await _read(self.receive, limit)
        if encoding not in _WINDOW_BITS:
            return raw
        if len(raw) > _LARGE:
            return await asyncio.to_thread(decompressed, raw, encoding, limit)
        return decompressed(raw, encoding, limit)


class DisconnectedError(Exception):
    """The client left before its request was whole."""


def request_of(scope: Scope, receive: Receive) -> Request:
    """The request of an ASGI scope; nothing of the body is read yet."""
    raw = cast("bytes | None", scope.get("raw_path")) or cast("str", scope["path"]).encode()
    path = raw.split(b"?", 1)[0].decode("ascii", "replace")
    return Request(
        method=cast("str", scope["method"]).upper(),
        segments=tuple(unquote(segment) for segment in path.removeprefix("/").split("/")),
        query=dict(parse_qsl(cast("bytes", scope["query_string"]).decode("ascii", "replace"))),
        headers={name.lower(): value for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"])},
        names={},
        receive=receive,
    )


async def form_of(request: Request, limit: int) -> Mapping[str, str]:
    """The parameters of the query string and of a form in the body; the last of equal ones.

    Raises:
        RefusedError: the body is too large (413) or damaged (400).
    """
    kind = request.headers.get(b"content-type", b"")
    if request.method != "POST" or not kind.startswith(b"application/x-www-form-urlencoded"):
        return request.query
    body = (await request.body(limit)).decode("ascii", "replace")
    return {**request.query, **dict(parse_qsl(body))}


async def _read(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise DisconnectedError
        piece = cast("bytes", message.get("body", b""))
        size += len(piece)
        if size > limit:
            raise RefusedError(text(413, _TOO_LARGE))
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


def decompressed(raw: bytes, encoding: bytes, limit: int) -> bytes:
    """The content of a compressed body; a bomb is refused before it unfolds (pure).

    Raises:
        RefusedError: it is too large (413) or damaged (400).
    """
    pieces: list[bytes] = []
    room = limit
    rest = raw
    while rest:
        decoder = zlib.decompressobj(_WINDOW_BITS[encoding])
        while not decoder.eof:
            piece = _piece(decoder, rest, encoding)
            room -= len(piece)
            if room < 0:
                raise RefusedError(text(413, _TOO_LARGE))
            if not piece and not decoder.unconsumed_tail and not decoder.eof:
                raise RefusedError(text(400, "Failed to buffer the request body: unexpected end of file"))
            pieces.append(piece)
            rest = decoder.unconsumed_tail
        rest = decoder.unused_data
    return b"".join(pieces)


class _Decoder(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _piece(decoder: _Decoder, data: bytes, encoding: bytes) -> bytes:
    try:
        return decoder.decompress(data, _PIECE)
    except zlib.error:
        what = "Invalid gzip header" if encoding == b"gzip" else "corrupt deflate stream"
        raise RefusedError(text(400, f"Failed to buffer the request body: {what}")) from None
