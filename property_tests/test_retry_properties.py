"""Retry against its promises: bounded delays, a monotone envelope, attempts and budget that are never exceeded."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from cqrs.faults import TimedOut
from cqrs.retry import Jitter, RetryPolicy

SECONDS = st.floats(0, 1e6)
POLICIES = st.builds(
    RetryPolicy,
    st.integers(1, 20),
    base=SECONDS,
    factor=st.floats(1, 1e6),
    max_delay=SECONDS,
    jitter=st.sampled_from(Jitter),
    budget=st.none() | st.floats(0, 1e6, exclude_min=True),
)
TRANSIENT = TimedOut("shop.place", 1.0)


@given(policy=POLICIES, attempt=st.integers(1, 10_000), seed=st.integers())
def test_a_delay_lies_within_its_bounds(policy: RetryPolicy, attempt: int, seed: int) -> None:
    """No delay is negative, longer than its envelope or than `max_delay`."""
    assert 0 <= policy.delay(attempt, Random(seed)) <= policy.longest(attempt) <= policy.max_delay


@given(policy=POLICIES, attempt=st.integers(1, 10_000))
def test_the_envelope_never_shrinks(policy: RetryPolicy, attempt: int) -> None:
    """The longest delay after an attempt is at least that after the attempt before."""
    assert policy.longest(attempt) <= policy.longest(attempt + 1)


@given(
    policy=POLICIES,
    answers=st.lists(st.sampled_from([Success(1), Failure(TRANSIENT), Failure("bug")]), min_size=25),
    took=st.lists(st.floats(0, 1e5), min_size=25, max_size=25),
    seed=st.integers(),
)
def test_a_loop_that_asks_keeps_attempts_and_budget(
    policy: RetryPolicy, answers: list[Success[int] | Failure[object]], took: list[float], seed: int
) -> None:
    """Whatever the attempts answer and however long they take, attempts and budget hold and only the transient repeats."""
    random, elapsed, attempt = Random(seed), 0.0, 1
    while True:
        began, answer = elapsed, answers[attempt - 1]
        assert attempt <= policy.attempts
        assert policy.budget is None or began <= policy.budget
        elapsed += took[attempt - 1]
        delay = policy.wait(answer, attempt, elapsed, random)
        if delay is None:
            break
        assert answer == Failure(TRANSIENT)
        elapsed += delay
        attempt += 1


@given(policy=POLICIES, attempt=st.integers(1, 30), elapsed=SECONDS)
def test_a_decision_depends_on_its_arguments_alone(policy: RetryPolicy, attempt: int, elapsed: float) -> None:
    """The same outcome, attempt and time give the same decision."""
    first = policy.decide(Failure(TRANSIENT), attempt, elapsed)

    assert all(policy.decide(Failure(TRANSIENT), attempt, elapsed) is first for _ in range(3))
