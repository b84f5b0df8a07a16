"""From whatever stands in ``OPENOBSERVE_TOKEN`` to the Authorization header that the server takes."""

import base64
import binascii
from typing import Final, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.secret import MASK, Secret

_BEARER_WARNING: Final = "holds a Bearer token: only enterprise and cloud builds of OpenObserve take those, others answer 401 or 403."
_NEEDS_USER: Final = "is a secret without a user"
_HALVES: Final = ("has a user but no secret after the colon", "has a secret but no user before the colon")
_NOT_BASIC: Final = "starts with 'Basic ' but the rest is not standard base64 of user:secret"
_URL_SAFE: Final = "is base64 in the URL-safe or unpadded form, which the server refuses"


@final
class Hidden(bytes):
    """A header's value that a traceback with locals does not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


@final
@attrs.frozen
class Credentials:
    """How requests authenticate.

    Attributes:
        header: the whole value of the Authorization header.
        warning: what to say about it once, without the variable's name; empty if nothing.
    """

    header: Secret
    warning: str = ""

    def wire(self) -> Hidden:
        """Give the header's value as it is sent."""
        return Hidden(self.header.reveal().encode("latin-1"))

    def mask(self, text: str) -> str:
        """Hide every form of the secret in a text that somebody else wrote, such as a server's answer."""
        for form in _forms(self.header.reveal()):
            text = text.replace(form, MASK)
        return text


def detect(token: str, user: str) -> Result[Credentials, str]:
    """Tell which kind of token a text is, without asking the server.

    Args:
        token: a whole header value (``Basic …``, ``Bearer …``), ``user:secret``, base64 of that, or a bare secret.
        user: the user of a bare secret; empty if not set.

    Returns:
        The credentials, or the rule that the text breaks; it never repeats the text.
    """
    if token.startswith("Bearer "):
        if not token.isascii():
            return Failure("is a Bearer token with other characters than ASCII")
        return Success(Credentials(Secret(token), _BEARER_WARNING))
    if token.startswith("Basic "):
        encoded = token.removeprefix("Basic ").strip()
        return Success(_basic(encoded)) if _is_user_and_secret(encoded) else Failure(_NOT_BASIC)
    if ":" in token:
        return _pair(token)
    return Success(_basic(token)) if _is_user_and_secret(token) else _bare(token, user)


def _pair(token: str) -> Result[Credentials, str]:
    user, _, secret = (part.strip() for part in token.partition(":"))
    if not user or not secret:
        return Failure(_HALVES[0 if user else 1])
    return Success(_basic(_encode(token)))


def _bare(token: str, user: str) -> Result[Credentials, str]:
    if user:
        return Success(_basic(_encode(f"{user}:{token}")))
    if token.startswith("o2oi_"):  # an organisation's ingestion token: any user name is taken with it
        return Success(_basic(_encode(f"cqrs:{token}")))
    padded = token.replace("-", "+").replace("_", "/") + "=" * (-len(token) % 4)
    return Failure(_URL_SAFE if _is_user_and_secret(padded) else _NEEDS_USER)


def _basic(encoded: str) -> Credentials:
    return Credentials(Secret(f"Basic {encoded}"))


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _decode(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded.encode("ascii"), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _is_user_and_secret(encoded: str) -> bool:
    return ":" in (_decode(encoded) or "")


def _forms(header: str) -> list[str]:
    kind, _, rest = header.partition(" ")
    decoded = (_decode(rest) or "") if kind == "Basic" else ""
    secret = decoded.partition(":")[2].strip()
    return [form for form in (rest, decoded, secret) if form]
