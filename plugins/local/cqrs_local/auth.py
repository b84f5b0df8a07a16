"""Who asks, and what they may do: Basic alone, in the forms of the server (pure)."""

import hmac
from base64 import b64decode
from binascii import Error as NotBase64Error
from enum import Enum, auto
from typing import Final

from returns.result import Failure, Result, Success

from cqrs_local.answers import Answer, message, unauthorised
from cqrs_local.credentials import Credentials

WRONG: Final = "Unauthorized Access"


class Reach(Enum):
    """What a credential reaches."""

    EVERYTHING = auto()
    INGESTION = auto()


def reach_of(header: bytes | None, credentials: Credentials) -> Result[Reach, Answer]:
    """What the sender of an `Authorization` header may reach, or the answer to give instead.

    Args:
        header: the value of the header, None if it is missing.
        credentials: those of the server.
    """
    if not header:
        return Failure(message(401, WRONG))
    if header.startswith(b"Bearer "):
        return Failure(unauthorised("Not Supported"))
    parts = _basic(header)
    if parts is None:
        return Failure(unauthorised(WRONG))
    user, secret = parts
    if _same(secret, credentials.ingestion_token.reveal()):
        return Success(Reach.INGESTION)
    if _same(user, credentials.user) & _same(secret, credentials.secret.reveal()):
        return Success(Reach.EVERYTHING)
    return Failure(unauthorised(WRONG))


def _basic(header: bytes) -> tuple[str, str] | None:
    if not header.startswith(b"Basic "):
        return None
    try:
        decoded = b64decode(header.removeprefix(b"Basic "), validate=True).decode()
    except (NotBase64Error, UnicodeDecodeError):
        return None
    user, colon, secret = decoded.partition(":")
    return (user, secret.strip()) if colon else None


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
