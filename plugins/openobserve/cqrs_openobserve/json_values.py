"""Looking into parsed JSON whose shape somebody else decides."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast


def mapping(value: object) -> Mapping[str, object]:
    """Give an object's members, none for anything else."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[object]:
    """Give an array's elements, none for anything else."""
    return cast("Sequence[object]", value) if isinstance(value, list) else ()


def moment(micros: int) -> str:
    """Give a time that somebody else wrote down, in words of its own if it is none.

    Args:
        micros: µs since the Unix epoch.
    """
    try:
        return f"{datetime.fromtimestamp(micros / 1e6, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (
        ValueError,
        OverflowError,
        OSError,
    ):  # beyond the calendar, or beyond what the system's functions take
        return "a time that is none"
