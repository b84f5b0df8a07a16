"""What an alert compares with: a fixed limit, or what the same window showed some time before."""

import re
from typing import Final, final

import attrs

from cqrs.settings import Invalid, Parser, checked

_SPAN: Final = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_MINUTES: Final = {"m": 1, "h": 60, "d": 1440}
_LONGEST: Final = 30 * 1440
_FORM: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(?:x([0-9a-z]{1,8}))?")
_NO_SPAN: Final = "is not a span from 1m to 30d such as 1h or 1d"


@final
@attrs.frozen
class Threshold:
    """What a rule compares with.

    Attributes:
        limit: a value, or the factor if ``before`` says so.
        before: compare with the same window so many minutes earlier; 0 compares with ``limit`` itself.
    """

    limit: float
    before: int = 0

    @classmethod
    def relative(cls, *, to: str, factor: float) -> "Threshold":
        """Compare with the same window some time before.

        Args:
            to: how long before: ``30m``, ``6h``, ``1d`` …; at most 30 days.
            factor: times what it was then: 2.0 for twice as much, 0.5 for half as much.

        Raises:
            ValueError: either is nothing that can be compared with.
        """
        if not 0 < factor < 1e9:
            raise ValueError(f"factor={factor!r} is not a positive number")
        try:
            return cls(float(factor), minutes_of(to))
        except Invalid as rule:
            raise ValueError(f"to={to!r} {rule}") from None

    @property
    def ago(self) -> str:
        """How long before, as one writes it; empty for a fixed limit."""
        for unit in ("d", "h", "m"):
            if self.before and self.before % _MINUTES[unit] == 0:
                return f"{self.before // _MINUTES[unit]}{unit}"
        return ""

    def __str__(self) -> str:
        """Give the text that a setting takes."""
        return f"{self.limit:g}x{self.ago}" if self.before else f"{self.limit:g}"


def minutes_of(span: str) -> int:
    """Read a span of time.

    Args:
        span: a number with m, h or d.

    Raises:
        Invalid: it is none.
    """
    found = _SPAN.fullmatch(span)
    minutes = int(found[1]) * _MINUTES[found[2]] if found else 0
    if not 0 < minutes <= _LONGEST:
        raise Invalid(_NO_SPAN)
    return minutes


def threshold(most: float) -> Parser:
    """The parser of a threshold: ``500``, or ``2x1d`` for twice what the same window showed a day before.

    Args:
        most: the largest fixed limit.
    """

    def parse(raw: str) -> Threshold:
        found = _FORM.fullmatch(raw)
        if found is None:
            raise Invalid(f"is neither a number up to {most:.0f} nor a factor and a span such as 2x1d")
        if found[2] is None:
            if float(found[1]) > most:
                raise Invalid(f"is not a number up to {most:.0f}")
            return Threshold(float(found[1]))
        if not float(found[1]):
            raise Invalid("has a factor of 0")
        return Threshold(float(found[1]), minutes_of(found[2]))

    return checked(f"number up to {most:.0f}, or FACTORxSPAN", parse)
