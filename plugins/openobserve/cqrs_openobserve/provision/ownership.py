"""How one tells what ``init`` made from what others made; pure.

Names of alerts and titles of dashboards repeat on a server, so a name says nothing. Everything made here carries a
mark, and in it a fingerprint of what was made: if the fingerprint is that of what is wanted today and the content
is another, somebody changed it by hand.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, cast

import orjson

MARK: Final = "made by cqrs openobserve init"
_MARKED: Final = re.compile(re.escape(MARK) + r"(?:, ([0-9a-f]{8}))?")


def stamped(body: Mapping[str, object]) -> dict[str, object]:
    """Put the fingerprint of a body into every mark that it holds.

    Args:
        body: JSON values, with the mark in one of its texts.
    """
    plain = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    stamp = blake2b(plain, digest_size=4).hexdigest()
    found: dict[str, object] = orjson.loads(
        orjson.dumps(body).replace(MARK.encode(), f"{MARK}, {stamp}".encode())
    )
    return found


def is_ours(value: object) -> bool:
    """Tell whether the mark stands anywhere in a text, or in the texts of an object or a list.

    Args:
        value: parsed JSON.
    """
    return _mark_in(value) is not None


def fingerprint(value: object) -> str:
    """Give the fingerprint that stands in the mark; empty if there is none.

    Args:
        value: parsed JSON.
    """
    return (_mark_in(value) or ("",))[0]


def plain_text(text: str) -> str:
    """Give a text without the fingerprint in its mark.

    Args:
        text: any.
    """
    return _MARKED.sub(MARK, text)


def _mark_in(value: object) -> tuple[str] | None:
    if isinstance(value, str):
        marked = _MARKED.search(value)
        return (marked[1] or "",) if marked else None
    inner: list[object] = []
    if isinstance(value, dict):
        inner = list(cast("dict[str, object]", value).values())
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    return next((found for each in inner if (found := _mark_in(each)) is not None), None)
