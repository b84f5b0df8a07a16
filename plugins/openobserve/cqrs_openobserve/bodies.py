"""Reads the body of an answer without letting it grow: at most 1 MiB, at most one content-encoding."""

import zlib
from collections.abc import Iterable
from typing import Final

LARGEST: Final = 1024 * 1024


def read_body(chunks: Iterable[bytes], encoding: str) -> tuple[bytes, str]:
    """Read and decompress.

    Args:
        chunks: as they come off the wire; reading stops at the limit.
        encoding: the Content-Encoding header.

    Returns:
        The body, or empty and what is wrong with it.
    """
    encoding = encoding.strip().lower()
    if encoding not in {"gzip", "identity", ""}:
        return b"", f"a body in the content-encoding {ascii(encoding)[:40]}"
    unzip = zlib.decompressobj(31) if encoding == "gzip" else None
    body = bytearray()
    for chunk in chunks:
        try:
            body += unzip.decompress(chunk, LARGEST + 1 - len(body)) if unzip else chunk
        except zlib.error:
            return b"", "a body that is not gzip although its header says so"
        if len(body) > LARGEST:
            return b"", "a body larger than 1 MiB"
    return bytes(body), ""
