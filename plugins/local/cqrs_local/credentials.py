"""The user, the secret and the ingestion-only token of a data directory."""

import secrets
import string
from pathlib import Path
from typing import Final, cast

import attrs
import orjson

from cqrs.secret import Secret
from cqrs_local.durable import write_atomically

FILE_NAME: Final = "credentials.json"
DEFAULT_USER: Final = "root@example.com"
_ALPHABET: Final = string.ascii_letters + string.digits


@attrs.frozen
class Credentials:
    """Who may do what.

    Attributes:
        user: the name of the one user.
        secret: the password; reaches the whole API.
        ingestion_token: reaches ingestion alone, whatever user is named with it.
    """

    user: str
    secret: Secret
    ingestion_token: Secret

    @property
    def token(self) -> str:
        """What OPENOBSERVE_TOKEN holds: `user:secret`."""
        return f"{self.user}:{self.secret.reveal()}"


def load_or_make(directory: Path) -> Credentials:
    """The credentials of a data directory, made on first use and kept in a file of mode 0600.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: the file is damaged.
    """
    path = directory / FILE_NAME
    if path.exists():
        return _decode(path)
    made = Credentials(DEFAULT_USER, Secret(_random(32)), Secret(f"o2oi_{_random(32)}"))
    content = {
        "user": made.user,
        "secret": made.secret.reveal(),
        "ingestion_token": made.ingestion_token.reveal(),
    }
    write_atomically(path, orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return made


def _decode(path: Path) -> Credentials:
    try:
        raw = cast("dict[str, str]", orjson.loads(path.read_bytes()))
        return Credentials(raw["user"], Secret(raw["secret"]), Secret(raw["ingestion_token"]))
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is damaged: remove it and new credentials are made") from None


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
