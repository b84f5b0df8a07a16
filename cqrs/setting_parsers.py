"""The parsers of settings: text in, value out, or the rule that the text breaks."""

import re
from collections.abc import Callable
from typing import Any, Final, final

import attrs

from cqrs.secret import Secret

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)
_INTEGER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_QUANTITY: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?) ?([A-Za-z]*)", re.ASCII)
_TIME_UNITS: Final = {"": 1.0, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "min": 60_000.0, "h": 3_600_000.0}
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})


@final
class Invalid(Exception):
    """Raised by a parser: the rule that the text breaks."""


@final
@attrs.frozen
class Parser:
    """How a variable's text becomes a value.

    Attributes:
        parse: text to value, or ``Invalid`` with the rule that the text breaks.
        kind: the kind of value, for the documentation (``integer 1 to 10000``, ``milliseconds`` …).
        secret: whether the text may be shown.
    """

    parse: Callable[[str], Any]
    kind: str
    secret: bool = False


def text(*, most: int = 1024) -> Parser:
    """Any printable text without line breaks.

    Args:
        most: the longest that is accepted, in characters.
    """

    def parse(raw: str) -> str:
        if not raw.isprintable():
            raise Invalid("contains a line break or another character that cannot be printed")
        if len(raw) > most:
            raise Invalid(f"is longer than {most} characters")
        return raw

    return Parser(parse, "text")


def checked(kind: str, check: Callable[[str], object]) -> Parser:
    """A text with a rule of its own.

    Args:
        kind: its name in the documentation.
        check: gives the value, or raises ``Invalid``.
    """
    plain = text()
    return Parser(lambda raw: check(plain.parse(raw)), kind)


def secret(check: Callable[[str], object] | None = None) -> Parser:
    """A text that is never shown.

    Args:
        check: raises ``Invalid`` for a text that cannot be right; its message must not repeat the text.
    """
    plain = text(most=16_384)

    def parse(raw: str) -> Secret:
        value: str = plain.parse(raw)
        if check is not None:
            check(value)
        return Secret(value)

    return Parser(parse, "secret", secret=True)


def integer(least: int, most: int) -> Parser:
    """A whole number in ASCII digits.

    Args:
        least: the smallest that is accepted.
        most: the largest that is accepted.
    """

    def parse(raw: str) -> int:
        if not _INTEGER.fullmatch(raw) or not least <= int(raw) <= most:
            raise Invalid(f"is not a whole number from {least} to {most}")
        return int(raw)

    return Parser(parse, f"integer {least} to {most}")


def number(least: float, most: float) -> Parser:
    """A decimal number in ASCII digits, no exponent.

    Args:
        least: the smallest that is accepted.
        most: the largest that is accepted.
    """

    def parse(raw: str) -> float:
        if not _NUMBER.fullmatch(raw) or not least <= float(raw) <= most:
            raise Invalid(f"is not a number from {least} to {most}")
        return float(raw) + 0.0

    return Parser(parse, f"number {least} to {most}")


def milliseconds(least: int, most: int) -> Parser:
    """A duration: a number of milliseconds, or one with a unit (``250ms``, ``5s``, ``2m``).

    Args:
        least: the shortest that is accepted, in ms.
        most: the longest that is accepted, in ms.
    """

    def parse(raw: str) -> int:
        matched = _QUANTITY.fullmatch(raw)
        unit = _TIME_UNITS.get(matched[2].lower()) if matched else None
        if matched is None or unit is None:
            raise Invalid("is not a duration: digits with ms (the default), s, m or h")
        value = round(float(matched[1]) * unit)
        if not least <= value <= most:
            raise Invalid(_outside(value, least, most, bare=not matched[2]))
        return value

    return Parser(parse, f"milliseconds {least} to {most}")


def boolean() -> Parser:
    """True or false in the usual words, in any case."""

    def parse(raw: str) -> bool:
        if (word := raw.lower()) not in _YES | _NO:
            raise Invalid("is not one of 1, 0, true, false, yes, no, on, off")
        return word in _YES

    return Parser(parse, "boolean")


def choice(*words: str) -> Parser:
    """One of some words, in any case; gives it as written here."""
    known = {word.lower(): word for word in words}

    def parse(raw: str) -> str:
        if raw.lower() not in known:
            raise Invalid(f"is not one of {', '.join(words)}")
        return known[raw.lower()]

    return Parser(parse, " / ".join(words))


def _outside(value: int, least: int, most: int, *, bare: bool) -> str:
    meant = f" (milliseconds: did you mean {value * 1000}?)" if bare and least <= value * 1000 <= most else ""
    return f"is {value} ms, outside {least} to {most} ms{meant}"
