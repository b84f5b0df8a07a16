"""How one tells what ``init`` made from what others made; pure.

Names of alerts and titles of dashboards repeat on a server, so a name says nothing; and a copy of a thing keeps its
texts, so a mark alone says nothing either. The mark of everything made here names what it was put on: a copy under
another name is somebody else's. In it stands a fingerprint of what was made: if the fingerprint is that of what is
wanted today and the content is another, somebody changed it by hand.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Final, cast

import orjson

MARK: Final = "made by cqrs openobserve init"
_MARKED: Final = re.compile(
    re.escape(MARK) + r"(?: as ([a-z]{1,20}) ([^\n]{1,300}?), ([0-9a-f]{8})(?![0-9a-f]))?"
)


def stamped(body: Mapping[str, object], subject: str, name: str) -> dict[str, object]:
    """Put what a body is, and its fingerprint, into every mark that it holds.

    Args:
        body: JSON values, with the mark in one of its texts.
        subject: what it is.
        name: what people call it.
    """
    plain = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    stamp = blake2b(plain, digest_size=4).hexdigest()
    # Without the quotes: it gets into a text.
    whole = orjson.dumps(f"{MARK} as {subject} {name}, {stamp}")[1:-1]
    found: dict[str, object] = orjson.loads(orjson.dumps(body).replace(MARK.encode(), whole))
    return found


def is_ours(value: object, subject: str, name: str) -> bool:
    """Tell whether the mark of this very thing stands in a text, or in the texts of an object or a list.

    Args:
        value: parsed JSON.
        subject: what it is.
        name: what people call it.
    """
    return any((mark[1], mark[2]) == (subject, name) for mark in _marks(value))


def fingerprint(value: object) -> str:
    """Give the fingerprint that stands in the mark; empty if there is none.

    Args:
        value: parsed JSON.
    """
    return next((mark[3] for mark in _marks(value) if mark[3]), "")


def plain_text(text: str) -> str:
    """Give a text with nothing but the mark itself in the place of its mark.

    Args:
        text: any.
    """
    return _MARKED.sub(MARK, text)


def _marks(value: object) -> Iterator[re.Match[str]]:
    # No recursion: how deep the values of a server are nested is the server's choice.
    left = [value]
    while left:
        found = left.pop()
        if isinstance(found, str):
            yield from _MARKED.finditer(found)
        elif isinstance(found, dict):
            left.extend(cast("dict[str, object]", found).values())
        elif isinstance(found, list):
            left.extend(cast("list[object]", found))
