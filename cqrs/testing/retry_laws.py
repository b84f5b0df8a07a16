"""The laws of a retry policy: what whoever is retried against relies on."""

import random
from collections.abc import Callable
from typing import Final, final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Result, Success

from cqrs.faults import TimedOut
from cqrs.retry import FULL, NONE, Jitter, RetryPolicy
from cqrs.testing.laws import Law, hold, law

MOST_ATTEMPTS: Final = 50


@final
@attrs.frozen
class Transient:
    """An error that another attempt may not meet."""

    transient: bool = True


@final
@attrs.frozen
class Lasting:
    """An error that every attempt would meet."""


ERRORS: Final = (Transient(), TimedOut("laws", 1.0), Lasting(), ValueError("a bug"), "a text", None)


def any_policy(make: Callable[..., RetryPolicy] = RetryPolicy) -> SearchStrategy[RetryPolicy]:
    """Draw policies of all kinds.

    Args:
        make: the class, or what takes its place.
    """
    seconds = st.floats(0, 1e6)
    return st.builds(
        make,
        st.integers(1, 20),
        base=seconds,
        factor=st.floats(1, 1e3),
        max_delay=seconds,
        jitter=st.sampled_from(Jitter),
        budget=st.none() | st.floats(1e-3, 1e3),
    )


@final
@attrs.frozen(eq=False)
class RetrySubject:
    """A policy, or many, as their laws look at them.

    Attributes:
        policies: draws them; every ``RetryPolicy`` there can be if not given.
    """

    policies: SearchStrategy[RetryPolicy] = attrs.field(factory=any_policy)


def _policy(subject: RetrySubject) -> SearchStrategy[object]:
    return subject.policies


def _attempt(_subject: RetrySubject) -> SearchStrategy[object]:
    return st.integers(1, 10_000)


def _seed(_subject: RetrySubject) -> SearchStrategy[object]:
    return st.integers(0, 2**32)


def _errors(_subject: RetrySubject) -> SearchStrategy[object]:
    return st.lists(st.sampled_from(ERRORS), max_size=30)


@law(
    "A delay is never negative and never longer than max_delay.", policy=_policy, attempt=_attempt, seed=_seed
)
async def delays_within_bounds(subject: RetrySubject, policy: RetryPolicy, attempt: int, seed: int) -> None:
    """Ask for the delay after any attempt."""
    del subject
    delay = policy.delay(attempt, random.Random(seed))  # noqa: S311 - no secret
    hold(0.0 <= delay <= policy.max_delay, f"after attempt {attempt} it waits {delay} s.")


@law(
    "Before jitter, no delay is shorter than the one before it; the first is base.",
    policy=_policy,
    attempt=_attempt,
)
async def waits_longer_each_time(subject: RetrySubject, policy: RetryPolicy, attempt: int) -> None:
    """Let chance take nothing away."""
    del subject
    first, this, following = (policy.delay(n, _Most()) for n in (1, attempt, attempt + 1))
    hold(first == min(policy.base, policy.max_delay), f"the first delay is {first} s.")
    hold(this <= following, f"after attempt {attempt} it waits {this} s, then {following} s.")


@law("With FULL jitter chance decides all of a delay, with NONE nothing.", policy=_policy, attempt=_attempt)
async def jitter_is_what_it_says(subject: RetrySubject, policy: RetryPolicy, attempt: int) -> None:
    """Let chance take everything away, and nothing."""
    del subject
    least, most = policy.delay(attempt, _Least()), policy.delay(attempt, _Most())
    hold(policy.jitter is not NONE or least == most, f"without jitter chance makes {least} s or {most} s.")
    hold(policy.jitter is not FULL or least == 0.0, f"with full jitter the shortest delay is {least} s.")


@law("There are never more attempts than the policy allows.", policy=_policy, errors=_errors, seed=_seed)
async def attempts_within_policy(
    subject: RetrySubject, policy: RetryPolicy, errors: list[object], seed: int
) -> None:
    """Fail again and again, transiently, in no time."""
    del subject, errors
    attempts, _ = _run(policy, [Transient()] * MOST_ATTEMPTS, 0.0, seed)
    hold(attempts <= policy.attempts, f"{attempts} attempts.")


@law(
    "No attempt begins after the budget is spent.",
    policy=_policy,
    took=lambda _subject: st.floats(0, 100),
    seed=_seed,
)
async def keeps_the_budget(subject: RetrySubject, policy: RetryPolicy, took: float, seed: int) -> None:
    """Fail again and again, each attempt taking its time."""
    del subject
    attempts, began = _run(policy, [Transient()] * MOST_ATTEMPTS, took, seed)
    within = policy.budget is None or began <= policy.budget
    hold(within, f"attempt {attempts} began {began} s after the first; the budget is {policy.budget} s.")


@law(
    "What succeeded is not tried again, nor is an error that retry_on refuses.",
    policy=_policy,
    errors=_errors,
    seed=_seed,
)
async def retries_what_is_retryable(
    subject: RetrySubject, policy: RetryPolicy, errors: list[object], seed: int
) -> None:
    """Compare the attempts with those up to the first error that ends it."""
    del subject
    expected = next((n for n, error in enumerate(errors, 1) if not policy.retry_on(error)), len(errors) + 1)
    attempts, _ = _run(policy, errors, 0.0, seed)
    hold(attempts <= expected, f"{attempts} attempts at {errors}.")


@law(
    "With attempts and budget left, exactly the errors that retry_on takes are tried again.",
    policy=_policy,
    error=lambda _subject: st.sampled_from(ERRORS),
)
async def tries_again_at_all(subject: RetrySubject, policy: RetryPolicy, error: object) -> None:
    """Decide after the first attempt, in no time."""
    del subject
    again = policy.decide(Failure(error), 1, 0.0)
    expected = policy.attempts > 1 and policy.retry_on(error)
    hold(again == expected, f"attempt 1 of {policy.attempts} ended with {error}: decided {again}.")


def _run(policy: RetryPolicy, errors: list[object], took: float, seed: int) -> tuple[int, float]:
    # What a loop that retries does: how many attempts there were, and when the last one began.
    chance = random.Random(seed)  # noqa: S311 - no secret
    outcomes: list[Result[object, object]] = [*map(Failure, errors), Success(None)]
    elapsed = began = 0.0
    for attempt, outcome in enumerate(outcomes, 1):
        began = elapsed
        elapsed += took
        wait = policy.wait(outcome, attempt, elapsed, chance)
        if wait is None:
            return attempt, began
        elapsed += wait
    return len(outcomes), began


class _Least:
    def random(self) -> float:
        """Give the least that chance can."""
        return 0.0


class _Most:
    def random(self) -> float:
        """Give more than chance can."""
        return 1.0


RETRY_LAWS: Final[tuple[Law[RetrySubject], ...]] = (
    delays_within_bounds,
    waits_longer_each_time,
    jitter_is_what_it_says,
    attempts_within_policy,
    keeps_the_budget,
    retries_what_is_retryable,
    tries_again_at_all,
)
