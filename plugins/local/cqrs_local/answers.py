"""Answers as values, in the forms that the server gives them."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import orjson

Headers = Sequence[tuple[bytes, bytes]]

_JSON: Final = (b"content-type", b"application/json")
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


@attrs.frozen
class Answer:
    """Status, headers and body of a reply."""

    status: int
    body: bytes = b""
    headers: Headers = ()


@attrs.frozen
class RefusedError(Exception):
    """The request ends here with `answer`; raised below a handler, sent by the application."""

    answer: Answer


def json_answer(content: object, status: int = 200) -> Answer:
    """A JSON body."""
    return Answer(status, orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS), (_JSON,))


def message(status: int, text: str) -> Answer:
    """The server's short form: the status again and a text."""
    return json_answer({"code": status, "message": text}, status)


def text(status: int, content: str) -> Answer:
    """A plain text body."""
    return Answer(status, content.encode(), (_TEXT,))


def bare(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """No body and no content type."""
    return Answer(status, b"", [(k.encode(), v.encode()) for k, v in (headers or {}).items()])


def unauthorised(content: str) -> Answer:
    """The 401 of a credential that was sent and is wrong: text without a content type."""
    return Answer(401, content.encode(), ((b"www-authenticate", b'Bearer realm="openobserve"'),))
