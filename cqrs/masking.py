"""Masking what a person should not read by accident: values whose name says that they are secret, and their like in texts."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

from cqrs.secret import MASK

# One run from where it starts, nothing given back: linear however hostile the text is.
_SECRET_NAME: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|api_?key|access_?key|private_?key|authorization|cookie|credential|session"
    r"|card_?number|^(pwd|pin|auth|cvv|cvc|ssn|iban|otp|bearer)$",
    re.IGNORECASE,
)
_PAIR: Final = re.compile(
    r"(?i)((?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|pwd)[\"']?\s*[=:]\s*)[\"']?[^\s,;&\"']+"
)
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
_TOKEN: Final = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
_URL: Final = re.compile(r"(?<=://)[^\s/?#@]+@")


def masked(value: object, name: str = "") -> object:
    """Give a JSON value with everything masked that looks like a secret, by its name or by itself.

    Args:
        value: numbers, texts, lists and objects of them.
        name: under which it stands.
    """
    if value is not None and _SECRET_NAME.search(name.replace("-", "_")):
        return MASK
    if isinstance(value, Mapping):
        return {key: masked(each, str(key)) for key, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Sequence):
        return [masked(each, name) for each in cast("Sequence[object]", value)]
    return value


def masked_text(text: str) -> str:
    """Give a text with passwords, tokens and credentials masked.

    Args:
        text: the text.
    """
    for pattern, instead in (
        (_PAIR, rf"\g<1>{MASK}"),
        (_SCHEME, rf"\g<1> {MASK}"),
        (_TOKEN, MASK),
        (_URL, f"{MASK}@"),
    ):
        text = pattern.sub(instead, text)
    return text
