"""What must not leave the process: linear-time patterns over texts, and names whose values are never written.

A text is cut to its cap before anything looks at it, so that the work is bounded by the cap and not by the user.
"""

import re
from collections.abc import Callable
from typing import Final

HIDDEN: Final = "<redacted>"
LONGEST_TEXT: Final = 8 * 1024

# A secret that the cut went through is no longer recognised: the end of a text that was cut is dropped.
_MARGIN: Final = 64

_DENIED: Final = re.compile(
    "password|passwd|passphrase|secret|token|apikey|accesskey|privatekey|authorization|cookie|credential"
    "|sessionid|securitycode|cardnumber|^(?:pwd|pin|auth|cvv|cvc|cvv2|ssn|iban|otp|session|bearer)$"
)
_NO_LETTER: Final = re.compile(r"[\W_]+")

# Each pattern starts only where a run starts and never gives back what it took (++, *+): one pass, however hostile.
_URL: Final = re.compile(r"(?<=://)[^\s/?#@]*+@(?:[^\s/?#@]*+@)*+")
_PAIR: Final = re.compile(
    r"(?i)(password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|pwd)"
    r"""(\\?["']?\s*+[=:]\s*+)(?:\\?"[^"]*+"?|\\?'[^']*+'?|[^\s,;&"'}\])]++)"""
)
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic|authorization:)(\s++)(?!bearer|basic)[\w.~+/=-]{6,}+")
_DOTTED: Final = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]++){2,}+")
_MAIL: Final = re.compile(r"(?<![\w.%+'-])[\w.%+'-]++@[\w.-]++")
_QUOTED_MAIL: Final = re.compile(r"(?i)(?<![\w.+-])[\w.+-]++%40[\w.-]++")
_DIGIT: Final = re.compile(r"\d")
_CARD: Final = re.compile(r"(?<!\d)(?<!\d[.])[2-6](?:[ -]?\d){12,18}")
_SHORTEST_CARD: Final = 13
_PHONE: Final = re.compile(
    r"(?<![\w+])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){6,14}(?!\d)"
    r"|(?<![\w-])\(\d{2,5}\)[ -]?\d{3,4}[ -]?\d{3,4}(?![\w-])"
    r"|(?<![\w.-])\d{3}[-. ]\d{3}[-. ]\d{4}(?![\w-])"
    r"|(?<![\w.-])0\d{1,4}[ /-]\d{3,4}[ -]?\d{2,5}(?![\w-])"
)


def is_denied(name: str) -> bool:
    """Tell whether a value of this name is never written, whatever it is.

    Args:
        name: of a field, a key or an attribute; case and punctuation do not matter.
    """
    return bool(_DENIED.search(_NO_LETTER.sub("", name[:200].lower())))


def redact(text: str, most: int = LONGEST_TEXT) -> str:
    """Cut a text to its cap, then mask what looks like a secret or a person.

    Masked are credentials in URLs, ``password=…`` and its like, bearer and basic credentials, JSON web tokens,
    e-mail addresses, phone numbers and card numbers (with a valid check digit).

    Args:
        text: of any length; only its first ``most`` characters are looked at.
        most: the cap, in characters.

    Returns:
        The text with masks; one that was cut ends with its original length.
    """
    if len(text) <= most:
        return _masked(as_unicode(text))
    return f"{_masked(as_unicode(text[:most]))[: max(0, most - _MARGIN)]}… ({len(text)} characters)"


def as_unicode(text: str) -> str:
    """Give a text that can be written: a lone surrogate in it becomes ``?``.

    Args:
        text: a plain text.
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _masked(text: str) -> str:
    if "://" in text:
        text = _URL.sub("<credentials>@", text)
    text = _PAIR.sub(rf"\1\2{HIDDEN}", text)
    text = _SCHEME.sub(rf"\1\2{HIDDEN}", text)
    if "eyJ" in text:
        text = _DOTTED.sub(_token, text)
    if "@" in text:
        text = _MAIL.sub("<email>", text)
    if "%40" in text:
        text = _QUOTED_MAIL.sub("<email>", text)
    if _DIGIT.search(text):
        text = _PHONE.sub("<phone>", _cards(text))
    return text


def _token(found: re.Match[str]) -> str:
    dotted = found[0]
    start = dotted.find("eyJ")
    return dotted if start < 0 or dotted.count(".", start) < 2 else f"{dotted[:start]}<jwt>"


def _cards(text: str) -> str:
    parts: list[str] = []
    done = at = 0
    search: Callable[[str, int], re.Match[str] | None] = _CARD.search
    while (found := search(text, at)) is not None:
        end = _end_of_card(text, found.start(), found.end())
        if end:
            parts += (text[done : found.start()], "<card>")
            done = at = end
        else:
            at = found.start() + 1
    return "".join(parts) + text[done:] if parts else text


def _end_of_card(text: str, start: int, end: int) -> int:
    # The longest number of 13 to 19 digits from here that ends where a run of digits ends and whose check digit fits.
    digits = [(place, int(text[place])) for place in range(start, end) if text[place].isdigit()]
    while len(digits) >= _SHORTEST_CARD:
        last = digits[-1][0] + 1
        if not text[last : last + 1].isdigit() and _checks([digit for _, digit in digits]):
            return last
        digits.pop()
    return 0


def _checks(digits: list[int]) -> bool:
    # Luhn: every second digit from the right doubled, of which the digits are added.
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
