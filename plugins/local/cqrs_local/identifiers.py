"""Ids in the forms of the server: both grow with time."""

import secrets
import time
from typing import Final

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KSUID_EPOCH: Final = 1_400_000_000
KSUID_LENGTH: Final = 27


def ksuid() -> str:
    """27 letters and digits: seconds, then chance; for alerts, templates and destinations."""
    number = ((time.time_ns() // 1_000_000_000 - _KSUID_EPOCH) << 128) | secrets.randbits(128)
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits)).rjust(KSUID_LENGTH, "0")


def decoded_bytes(text: str) -> int:
    """How many bytes a text is when read as digits of such an id; foreign characters count as 0."""
    number = 0
    for character in text[:1000]:
        number = number * 62 + max(_DIGITS.find(character), 0)
    return (number.bit_length() + 7) // 8


def snowflake() -> str:
    """19 digits: milliseconds, then chance; for folders and dashboards."""
    return str(((time.time_ns() // 1_000_000) << 22) | secrets.randbits(22))
