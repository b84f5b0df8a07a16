"""What a setting's text may be, where it is more than a number or a word."""

import re
from typing import Final
from urllib.parse import unquote

from cqrs.settings import Invalid
from cqrs_openobserve.endpoint import parse_endpoint
from cqrs_openobserve.spool_place import NOWHERE

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}")
_SIZE: Final = re.compile(r"([0-9]{1,12}) ?((?:[KMG]iB)?)", re.IGNORECASE)
_UNITS: Final = {"": 1, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_STREAM: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,99}")


def organization(raw: str) -> str:
    """Take an organisation's identifier.

    Args:
        raw: as it was written.
    """
    if not _IDENTIFIER.fullmatch(raw) or ".." in raw:
        raise Invalid("is not an organisation identifier: letters, digits and _ . - only, as in its URL")
    return raw


def stream(raw: str) -> str:
    """Take a stream's name.

    Args:
        raw: as it was written.
    """
    if not _STREAM.fullmatch(raw):
        raise Invalid("is not a stream name: a letter, then at most 99 letters, digits or _ . : -")
    return raw


def proxy(raw: str) -> str:
    """Take a proxy's address.

    Args:
        raw: as it was written.
    """
    endpoint = parse_endpoint(raw)
    if endpoint.scheme != "http" or endpoint.prefix or endpoint.cut:
        raise Invalid("is not a plain proxy address such as http://proxy.example.com:3128")
    return str(endpoint)


def directory(raw: str) -> str:
    """Take a directory, or none.

    Args:
        raw: as it was written.
    """
    if raw.lower() == NOWHERE:
        return NOWHERE
    if not raw.startswith("/") or "\0" in raw:
        raise Invalid("is neither an absolute path nor none")
    return raw


def size(raw: str) -> int:
    """Take a size in bytes.

    Args:
        raw: as it was written.
    """
    found = _SIZE.fullmatch(raw)
    size = int(found[1]) * _UNITS[found[2].lower()] if found else 0
    if not 1024 * 1024 <= size <= 64 * 1024**3:
        raise Invalid("is not a size from 1MiB to 64GiB such as 67108864 or 64MiB")
    return size


def attributes(raw: str) -> dict[str, str]:
    """Take pairs of key and value.

    Args:
        raw: as it was written.
    """
    pairs = [pair.partition("=") for pair in raw.split(",") if pair.strip()]
    if any(not key.strip() or not equals for key, equals, _ in pairs):
        raise Invalid("is not a list of key=value pairs with commas between them")
    return {key.strip(): unquote(value.strip(), errors="replace") for key, _, value in pairs}
