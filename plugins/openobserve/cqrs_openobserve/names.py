"""The names that the server will use: stream and column names as it rewrites them on ingest.

Search SQL, alerts and dashboards are *not* rewritten by the server, so the client applies the same rule first
and uses the result everywhere.
"""

import re
from typing import Final

_OUTSIDE_STREAM: Final = re.compile(r"[^A-Za-z0-9_:]+")


def stream_name(text: str) -> str:
    """Give the name under which the server stores a stream.

    Args:
        text: the name as configured, for example ``cqrs-commands``.

    Returns:
        Lower case, each run of other characters than letters, digits, ``_`` and ``:`` made one ``_``.
    """
    return _OUTSIDE_STREAM.sub("_", text).lower()


def field_name(text: str) -> str:
    """Give the column name under which the server stores a field.

    Args:
        text: the key of a record.

    Returns:
        Lower case, every single character that is no letter with a case, digit or ``_`` made one ``_``.
    """
    return "".join(character if _stays(character) else "_" for character in text.lower())


def _stays(character: str) -> bool:
    return character == "_" or character.islower() or (character.isascii() and character.isdigit())
