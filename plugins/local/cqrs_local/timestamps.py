"""The `_timestamp` of a record: forms, magnitudes and the window of accepted times (pure)."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final

from returns.result import Failure, Result, Success

from cqrs_local.limits import Limits

MICROSECONDS_PER_HOUR: Final = 3_600_000_000
CANNOT_PARSE: Final = "Can't parse timestamp"
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_RFC_2822: Final = re.compile(
    r"([A-Za-z]{3}, )?\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d(:\d\d)? ([+-]\d{4}|[A-Z]{1,4})", re.ASCII
)
_LEAST_MICROSECONDS: Final = 10**14
_LEAST_NANOSECONDS: Final = 10**17
_DIGITS: Final = re.compile(r"-?\d{1,19}", re.ASCII)


def resolve(value: object, now: int, limits: Limits) -> Result[int, str]:
    """The time of a record in microseconds, or the server's reason to refuse the record.

    Args:
        value: what the record holds under `_timestamp`, None if nothing.
        now: the server's time in microseconds.
        limits: the window of accepted times.
    """
    parsed = _parse(value, now)
    return Failure(CANNOT_PARSE) if parsed is None else within(parsed, now, limits)


def within(parsed: int, now: int, limits: Limits) -> Result[int, str]:
    """A time that is within the window, or the server's reason to refuse the record.

    Args:
        parsed: the record's time in microseconds.
        now: the server's time in microseconds.
        limits: the window of accepted times.
    """
    if parsed < now - limits.too_old_hours * MICROSECONDS_PER_HOUR:
        return Failure(_too_old(limits))
    if parsed > now + limits.too_far_hours * MICROSECONDS_PER_HOUR:
        return Failure(_too_far(limits))
    return Success(parsed)


def plain_times(now: int, limits: Limits) -> range:
    """The integers that are times as they stand: of the magnitude of microseconds and within the window.

    Args:
        now: the server's time in microseconds.
        limits: the window of accepted times.
    """
    earliest = now - limits.too_old_hours * MICROSECONDS_PER_HOUR
    latest = now + limits.too_far_hours * MICROSECONDS_PER_HOUR
    return range(max(earliest, _LEAST_MICROSECONDS), min(latest + 1, _LEAST_NANOSECONDS))


def _parse(value: object, now: int) -> int | None:
    match value:
        case None:
            return now
        case bool():
            return None
        case int():
            return _scale(value) or now
        case float():
            return _scale(int(value)) or now if isfinite(value) else None
        case str():
            return _parse_text(value.strip(), now)
        case _:
            return None


def _scale(number: int) -> int:
    """Seconds, milliseconds, microseconds or nanoseconds, told apart by their magnitude."""
    size = abs(number)
    if size < 10**11:
        return number * 1_000_000
    if size < _LEAST_MICROSECONDS:
        return number * 1_000
    return number if size < _LEAST_NANOSECONDS else number // 1_000


def _parse_text(text: str, now: int) -> int | None:
    if _DIGITS.fullmatch(text):
        return _scale(int(text)) or now
    try:
        if _ISO.fullmatch(text):
            return _microseconds(datetime.fromisoformat(text.upper()))
        if _RFC_2822.fullmatch(text):
            return _microseconds(parsedate_to_datetime(text))
    except ValueError:
        return None
    return None


def _microseconds(moment: datetime) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _too_old(limits: Limits) -> str:
    return (
        f"Too old data, only last {limits.too_old_hours} hours data can be ingested. Data discarded. "
        "You can adjust ingestion max time by setting the environment variable "
        "ZO_INGEST_ALLOWED_UPTO=<max_hours>"
    )


def _too_far(limits: Limits) -> str:
    return (
        f"Too far data, only future {limits.too_far_hours} hours data can be ingested. Data discarded. "
        "You can adjust ingestion max time by setting the environment variable "
        "ZO_INGEST_ALLOWED_IN_FUTURE=<max_hours>"
    )
