"""Buckets of `histogram`."""

import pytest
from cqrs_local.histogram_interval import interval_seconds

HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("30 second", 30), ("30 seconds", 30), ("1 minute", 60), ("5 minutes", 300), ("5minute", 300), ("1 HOUR", HOUR),
        ("1 day", DAY), ("2 days", 2 * DAY), ("7 minute", 432), ("7 second", 8),
        ("0 second", None), ("minute", None), ("10", None), ("1 fortnight", None), ("", None), ("-1 minute", None),
    ],
)  # fmt: skip
def test_a_given_interval_is_a_number_and_a_unit(given: str, seconds: int | None) -> None:
    """Lengths that do not divide a day are rounded up to one that does; anything else is no interval."""
    assert interval_seconds(given, 0) == seconds


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (60 * DAY, DAY), (30 * DAY, 12 * HOUR), (28 * DAY, 6 * HOUR), (21 * DAY, 3 * HOUR), (15 * DAY, 2 * HOUR),
        (15 * DAY - 1, HOUR), (6 * HOUR, HOUR), (6 * HOUR - 1, 60), (2 * HOUR, 60), (HOUR, 30), (1800, 15), (60, 10), (0, 10),
    ],
)  # fmt: skip
def test_without_an_interval_the_time_range_decides(span: int, seconds: int) -> None:
    """The ladder of the server."""
    assert interval_seconds(None, span * 1_000_000) == seconds
