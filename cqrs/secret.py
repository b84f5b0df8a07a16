"""A text that must not be seen: masked wherever a value is printed."""

import hmac
from collections.abc import Callable
from typing import NoReturn, final

MASK = "********"


@final
class Secret:
    """Holds a text and shows it only to ``reveal()``.

    ``repr``, ``str``, ``format`` and ``%s`` give a mask; pickling and JSON encoders are refused,
    because they would write the text down.

    Args:
        text: the text to keep.
    """

    __slots__ = ("_reveal",)

    def __init__(self, text: str) -> None:
        # A closure, so that a debugger's or test runner's print of attributes shows no text.
        self._reveal: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """Return the text itself; call it only where it goes onto the wire."""
        return self._reveal()

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._reveal())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        ours, theirs = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._reveal()))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret cannot be pickled or copied into a file: pass it by reference.")
