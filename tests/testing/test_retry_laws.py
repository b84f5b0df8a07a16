"""The laws of a retry policy, each with one policy that keeps it and one that breaks it."""

from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from returns.result import Failure

from cqrs.retry import NONE, RetryPolicy
from cqrs.testing import RETRY_LAWS, LawBroken, RetrySubject, check_law
from cqrs.testing.retry_laws import any_policy

QUICK = settings(max_examples=100, derandomize=True, database=None, phases=[Phase.generate])
LAWS = {law.name: law for law in RETRY_LAWS}


class Wrong:
    """A policy with one method replaced."""

    def __init__(self, policy: RetryPolicy, **methods: Any) -> None:
        self._policy = policy
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        if name in self._methods:
            return lambda *args: self._methods[name](self._policy, *args)
        return getattr(self._policy, name)

    def wait(self, outcome: Any, attempt: int, elapsed: float, random: Any) -> float | None:
        """Decide and give the delay, as a policy does."""
        delay = self.delay(attempt, random)
        return delay if self.decide(outcome, attempt, elapsed + delay) else None


def wrong(**methods: Any) -> RetrySubject:
    return RetrySubject(any_policy().map(lambda policy: Wrong(policy, **methods)))  # type: ignore[arg-type]  # looks like one


def longer(policy: RetryPolicy, attempt: int, random: Any) -> float:
    return policy.delay(attempt, random) * 1.5 + 0.1


def shorter(policy: RetryPolicy, attempt: int, random: Any) -> float:
    return policy.delay(attempt, random) / attempt


def unjittered(policy: RetryPolicy, attempt: int, _random: Any) -> float:
    return policy.longest(attempt)


def decides(policy: RetryPolicy, outcome: Any, attempt: int, elapsed: float, **ignored: bool) -> bool:
    if not isinstance(outcome, Failure):
        return False
    return (
        (ignored.get("attempts", False) or attempt < policy.attempts)
        and (ignored.get("budget", False) or policy.budget is None or elapsed <= policy.budget)
        and (ignored.get("error", False) or policy.retry_on(outcome.failure()))
    )


def ignoring(what: str) -> Any:
    return lambda *args: decides(*args, **{what: True})


@pytest.mark.parametrize("law", LAWS)
def test_every_policy_keeps_every_law(law: str) -> None:
    """Whatever its numbers are."""
    check_law(LAWS[law], RetrySubject(), settings=QUICK)


@pytest.mark.parametrize("law", LAWS)
def test_one_policy_of_the_users_keeps_every_law(law: str) -> None:
    """A policy that is given instead of drawn, with an error that it alone retries."""
    policy = RetryPolicy(3, jitter=NONE, budget=1.0, retry_on=lambda error: error == "a text")

    check_law(LAWS[law], RetrySubject(st.just(policy)), settings=QUICK)


@pytest.mark.parametrize(
    ("law", "subject", "told"),
    [
        ("delays_within_bounds", wrong(delay=longer), "it waits"),
        ("waits_longer_each_time", wrong(delay=shorter), "then"),
        ("jitter_is_what_it_says", wrong(delay=unjittered), "with full jitter the shortest delay"),
        ("attempts_within_policy", wrong(decide=ignoring("attempts")), "attempts"),
        ("keeps_the_budget", wrong(decide=ignoring("budget")), "the budget is"),
        ("retries_what_is_retryable", wrong(decide=ignoring("error")), "attempts at"),
        ("tries_again_at_all", wrong(decide=lambda *_: False), "decided False"),
    ],
)
def test_a_wrong_policy_breaks_its_law(law: str, subject: RetrySubject, told: str) -> None:
    """The text says what was seen instead."""
    with pytest.raises(LawBroken, match=told):
        check_law(LAWS[law], subject, settings=settings(QUICK, max_examples=500))
