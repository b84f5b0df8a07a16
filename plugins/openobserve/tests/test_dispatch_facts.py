"""What an observation says of a dispatch."""

import asyncio
from typing import Any

import pytest
from cqrs_openobserve.dispatch_facts import Thresholds, identify, outcome_and_error
from returns.result import Failure, Success

from cqrs import Refused, Rejection


class No(Rejection):
    """A correct no."""


REFUSED, NO = Refused(No()), No()
ENDED, BROKEN = asyncio.CancelledError(), ValueError()


@pytest.mark.parametrize(
    ("answer", "outcome", "error"),
    [
        (Success(1), "success", None),
        (Failure("no"), "error", "no"),
        (Failure(NO), "rejected", NO),
        (Failure(REFUSED), "rejected", REFUSED),
        (ENDED, "cancelled", ENDED),
        (BROKEN, "error", BROKEN),
    ],
)
def test_how_a_dispatch_ended(answer: Any, outcome: str, error: object) -> None:
    """By what it answered, or by what ended it."""
    assert outcome_and_error(answer) == (outcome, error)


def test_an_error_is_named_without_its_text() -> None:
    """And a code is taken only if it is a text."""
    told = type("Told", (Exception,), {"code": 5})("secret text")
    assert identify(told) == ("Told", None)
    assert identify(None) == ("NoneType", None)


def test_thresholds_are_in_milliseconds() -> None:
    """And compared in nanoseconds."""
    assert Thresholds("INFO", {"command": 500, "query": 300, "event": 1000}).slow_ns("query") == 300_000_000
