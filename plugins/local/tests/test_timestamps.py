"""Times of records: forms, magnitudes, window."""

from datetime import UTC, datetime

import pytest
from cqrs_local.limits import Limits
from cqrs_local.timestamps import CANNOT_PARSE, MICROSECONDS_PER_HOUR, resolve, within
from returns.result import Failure, Success

NOW = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z
HOUR = MICROSECONDS_PER_HOUR


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (None, NOW),
        (0, NOW),
        (1_800_000_000, NOW),
        (1_800_000_000_000, NOW),
        (NOW, NOW),
        (NOW * 1000 + 999, NOW),
        (1_800_000_000.9, NOW),
        ("1800000000", NOW),
        (" 1800000000000 ", NOW),
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15 08:00:00", NOW),
        ("2027-01-15T08:00:00", NOW),
        ("2027-01-15T10:00:00+02:00", NOW),
        ("2027-01-15T08:00:00.123", NOW + 123_000),
        ("2027-01-15T08:00:00.123456", NOW + 123_456),
        ("Fri, 15 Jan 2027 08:00:00 +0000", NOW),
    ],
)
def test_every_form_of_a_time_is_understood(given: object, stored: int) -> None:
    """Seconds to nanoseconds by magnitude, texts in the usual forms, nothing means now."""
    assert resolve(given, NOW, Limits()) == Success(stored)


@pytest.mark.parametrize(
    "given",
    ["yesterday", "", True, [], {}, float("inf"), "2027-13-45T00:00:00Z", "Fri, 99 Jan 2027 08:00:00 +0000"],
)
def test_what_is_no_time_is_refused(given: object) -> None:
    """The record fails with the server's reason; nothing raises."""
    assert resolve(given, NOW, Limits()) == Failure(CANNOT_PARSE)


@pytest.mark.parametrize(
    ("offset", "accepted"),
    [(-5 * HOUR, True), (-5 * HOUR - 1, False), (24 * HOUR, True), (24 * HOUR + 1, False)],
)
def test_the_window_is_exact(offset: int, accepted: bool) -> None:  # noqa: FBT001 - a table
    """Five hours back and a day ahead are in, a microsecond more is out."""
    outcome = resolve(NOW + offset, NOW, Limits())

    assert isinstance(outcome, Success) is accepted


def test_a_refusal_names_its_limit() -> None:
    """The reason is the server's, with the hours of the limits."""
    old = resolve(1, NOW, Limits(too_old_hours=7)).failure()
    far = resolve(NOW + 30 * HOUR, NOW, Limits(too_far_hours=3)).failure()

    assert old.startswith("Too old data, only last 7 hours data can be ingested.")
    assert far.startswith("Too far data, only future 3 hours data can be ingested.")


def test_a_time_of_now_is_the_time_of_the_clock() -> None:
    """The tests' moment is what they say it is."""
    assert datetime.fromtimestamp(NOW / 1e6, UTC).isoformat() == "2027-01-15T08:00:00+00:00"


def test_a_time_in_microseconds_is_taken_as_it_is() -> None:
    """No magnitude is guessed: a small number is a moment long ago."""
    assert within(NOW, NOW, Limits()) == Success(NOW)
    assert "Too old" in within(0, NOW, Limits()).failure()
