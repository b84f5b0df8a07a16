"""A payload as a file: everything that the books need is in its name, everything else in its first line; pure."""

import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast, final

import attrs
import orjson

from cqrs_openobserve.json_values import mapping
from cqrs_openobserve.payloads import Payload, Signal

_NAME: Final = re.compile(r"(\d{20})-(\d{1,9})-(logs|metrics|traces)-[\d-]{1,80}\.payload")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_%:.~-]+){1,4}")
_HEADER: Final = re.compile(r"[\x21-\x7e]{1,200}")
_HEADERS: Final = frozenset({"Content-Type", "stream-name"})


@final
@attrs.frozen
class SpoolFile:
    """A payload in the spool.

    Attributes:
        path: the file.
        signal: the payload's signal.
        records: how many records it holds.
        size: in bytes.
        age_ns: how old its oldest record was when it was found, in ns.
    """

    path: Path
    signal: Signal
    records: int
    size: int
    age_ns: int


def named(payload: Payload, oldest_wall_ns: int, sequence: int) -> str:
    """Give the name of a payload's file; names sort by age.

    Args:
        payload: what is kept.
        oldest_wall_ns: when its oldest record became complete, ns since the Unix epoch.
        sequence: makes it unique in its directory.
    """
    return f"{oldest_wall_ns:020d}-{payload.records}-{payload.signal}-{sequence}.payload"


def parsed_name(path: Path, wall_ns: int = 0) -> SpoolFile | None:
    """Read a file's name; None if it is no payload.

    Args:
        path: the file, which exists.
        wall_ns: now, ns since the Unix epoch.
    """
    found = _NAME.fullmatch(path.name)
    if found is None or path.is_symlink():
        return None
    age = max(0, wall_ns - int(found[1]))
    return SpoolFile(path, cast("Signal", found[3]), int(found[2]), path.stat().st_size, age)


def is_temporary(path: Path) -> bool:
    """Whether a file is still being written, or was left by a process that died while it wrote."""
    return path.name.startswith(".")


def packed(payload: Payload) -> bytes:
    """Write a payload as a file's content."""
    head: dict[str, object] = {
        "version": 1,
        "path": payload.path,
        "headers": dict(payload.headers),
        "crc": zlib.crc32(payload.body),
    }
    return orjson.dumps(head) + b"\n" + payload.body


def unpacked(data: bytes, file: SpoolFile, oldest_ns: int) -> Payload | None:
    """Read a file's content; None if it is damaged or not ours.

    Args:
        data: the content.
        file: what its name says.
        oldest_ns: when its oldest record became complete, monotonic ns.
    """
    line, _, body = data.partition(b"\n")
    try:
        head = mapping(orjson.loads(line))
    except orjson.JSONDecodeError:
        return None
    path, headers = head.get("path"), mapping(head.get("headers"))
    if head.get("crc") != zlib.crc32(body) or not isinstance(path, str) or not _PATH.fullmatch(path):
        return None
    if "/.." in path or not _are_ours(headers):
        return None
    texts = {name: str(text) for name, text in headers.items()}
    return Payload(file.signal, path, texts, body, file.records, oldest_ns)


def _are_ours(headers: Mapping[str, object]) -> bool:
    texts = all(isinstance(text, str) and _HEADER.fullmatch(text) for text in headers.values())
    return texts and "Content-Type" in headers and headers.keys() <= _HEADERS
