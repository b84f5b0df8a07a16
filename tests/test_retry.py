import math
from random import Random
from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs.clock import SYSTEM_RANDOM
from cqrs.faults import Rejection, TimedOut
from cqrs.retry import FULL, NONE, RetryPolicy

STEADY = RetryPolicy(5, base=1.0, jitter=NONE)
LATE: Result[object, object] = Failure(TimedOut("shop.place", 1.0))


class Fixed:
    """Chance that is none."""

    def __init__(self, number: float) -> None:
        self._number = number

    def random(self) -> float:
        """Always the same."""
        return self._number


@attrs.frozen
class OutOfStock(Rejection):
    """A correct no."""


def test_delays_double_until_the_longest() -> None:
    """Without jitter each delay is `factor` times the one before, and none is longer than `max_delay`."""
    policy = RetryPolicy(9, base=1.0, max_delay=10.0, jitter=NONE)

    assert [policy.delay(attempt, SYSTEM_RANDOM) for attempt in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_full_jitter_takes_a_share_of_the_delay() -> None:
    """Chance decides between nothing and the whole of it."""
    policy = RetryPolicy(9, base=2.0)

    assert policy.jitter is FULL
    assert policy.delay(3, Fixed(0.0)) == 0.0
    assert policy.delay(3, Fixed(0.25)) == 2.0
    assert policy.delay(3, Random(7)) == policy.delay(3, Random(7))


@pytest.mark.parametrize("base", [0.0, 0.1])
def test_a_delay_too_large_for_a_number_is_the_longest(base: float) -> None:
    """The thousandth delay of a steep policy is `max_delay`; no delay stays none."""
    policy = RetryPolicy(10_000, base=base, factor=1e10, jitter=NONE)

    assert policy.delay(9_999, SYSTEM_RANDOM) == (30.0 if base else 0.0)


def test_a_success_is_never_tried_again() -> None:
    """Whatever the policy would retry on, a success is the end."""
    assert not RetryPolicy(3, retry_on=lambda _: True).decide(Success(1), 1, 0.0)


def test_the_last_attempt_is_the_last() -> None:
    """As many attempts as the policy says, and no more."""
    assert [STEADY.decide(LATE, attempt, 0.0) for attempt in range(1, 7)] == [True] * 4 + [False] * 2
    assert not RetryPolicy(1).decide(LATE, 1, 0.0)


def test_only_what_is_transient_is_tried_again() -> None:
    """Unless the policy says otherwise, a bug and a correct no are not repeated."""
    failures: list[Result[object, object]] = [LATE, Failure(ValueError()), Failure(OutOfStock())]

    assert [STEADY.decide(failure, 1, 0.0) for failure in failures] == [True, False, False]
    picky = attrs.evolve(STEADY, retry_on=lambda error: isinstance(error, ValueError))
    assert [picky.decide(failure, 1, 0.0) for failure in failures] == [False, True, False]


def test_no_attempt_begins_beyond_the_budget() -> None:
    """A delay that would end later than the budget allows is not begun."""
    policy = attrs.evolve(STEADY, budget=3.0)

    assert policy.wait(LATE, 1, 2.0, SYSTEM_RANDOM) == 1.0
    assert policy.wait(LATE, 1, 2.1, SYSTEM_RANDOM) is None
    assert policy.wait(LATE, 2, 1.0, SYSTEM_RANDOM) == 2.0
    assert policy.wait(LATE, 2, 1.1, SYSTEM_RANDOM) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"attempts": 0}, "'attempts' must be >= 1: 0"),
        ({"base": -1.0}, "'base' must be >= 0.0: -1.0"),
        ({"base": math.nan}, "'base' must be >= 0.0: nan"),
        ({"factor": 0.5}, "'factor' must be >= 1.0: 0.5"),
        ({"max_delay": math.inf}, "'max_delay' must be < inf: inf"),
        ({"budget": 0.0}, "'budget' must be > 0.0: 0.0"),
        ({"jitter": "some"}, "some"),
    ],
    ids=str,
)
def test_a_policy_out_of_range_is_refused(wrong: dict[str, Any], said: str) -> None:
    """A policy that cannot be followed is refused where it is written, naming the argument and its value."""
    with pytest.raises(ValueError, match=said):
        RetryPolicy(**{"attempts": 3, **wrong})
