"""The bucket of `histogram`: given as text, or chosen by the time range (pure)."""

import re
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_UNITS: Final = {"second": 1, "minute": _MINUTE, "hour": _HOUR, "day": _DAY}
_INTERVAL: Final = re.compile(r"\s*(\d{1,9})\s*([a-z]+?)s?\s*", re.ASCII | re.IGNORECASE)

# From this many seconds of time range on, buckets are this long; the first that fits counts.
_LADDER: Final = (
    (60 * _DAY, _DAY),
    (30 * _DAY, 12 * _HOUR),
    (28 * _DAY, 6 * _HOUR),
    (21 * _DAY, 3 * _HOUR),
    (15 * _DAY, 2 * _HOUR),
    (6 * _HOUR, _HOUR),
    (2 * _HOUR, _MINUTE),
    (_HOUR, 30),
    (30 * _MINUTE, 15),
)
_SHORTEST: Final = 10


def interval_seconds(given: str | None, microseconds: int) -> int | None:
    """The length of a bucket, None if `given` is no interval.

    Args:
        given: such as `5 minute`; None to choose by the time range.
        microseconds: the time range of the query.
    """
    if given is None:
        return next((bucket for span, bucket in _LADDER if microseconds >= span * 1_000_000), _SHORTEST)
    match = _INTERVAL.fullmatch(given)
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None or int(match[1]) == 0:
        return None
    return _divisor_of_day(int(match[1]) * unit)


def _divisor_of_day(seconds: int) -> int:
    """The next length that divides a day, so that buckets begin alike every day; longer ones stay."""
    while seconds < _DAY and _DAY % seconds:
        seconds += 1
    return seconds
