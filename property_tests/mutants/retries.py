"""Wrong retry policies."""

from typing import Any

from returns.result import Failure

from cqrs.retry import NONE, RetryPolicy
from cqrs.testing import RETRY_LAWS, RetrySubject
from cqrs.testing.retry_laws import any_policy
from property_tests.mutants.mutant import Mutant, Suite


class Wrong:
    """A policy with some of its answers replaced.

    Args:
        policy: gives all the others.
        answers: functions of the policy and of what the method is called with.
    """

    def __init__(self, policy: RetryPolicy, answers: dict[str, Any]) -> None:
        self._policy = policy
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        answer = self._answers.get(name)
        return getattr(self._policy, name) if answer is None else lambda *args: answer(self._policy, *args)

    def wait(self, outcome: Any, attempt: int, elapsed: float, random: Any) -> float | None:
        """Decide and give the delay, as the right one does."""
        delay = self.delay(attempt, random)
        return delay if self.decide(outcome, attempt, elapsed + delay) else None


def mutant(name: str, killed_by: str, **answers: Any) -> Mutant:
    return Mutant(name, killed_by, RetrySubject(any_policy().map(lambda policy: Wrong(policy, answers))))


def deciding(leave_out: str) -> Any:
    def decide(policy: RetryPolicy, outcome: Any, attempt: int, elapsed: float) -> bool:
        if not isinstance(outcome, Failure):
            return False
        asked = {
            "attempts": attempt < policy.attempts,
            "budget": policy.budget is None or elapsed <= policy.budget,
            "error": policy.retry_on(outcome.failure()),
        }
        return all(yes for what, yes in asked.items() if what != leave_out)

    return decide


def one_more(policy: RetryPolicy, outcome: Any, attempt: int, elapsed: float) -> bool:
    return attempt == policy.attempts or policy.decide(outcome, attempt, elapsed)


def uncapped(policy: RetryPolicy, attempt: int, random: Any) -> float:
    return policy.base * policy.factor ** min(attempt - 1, 50) * random.random()


def shrinking(policy: RetryPolicy, attempt: int, _random: Any) -> float:
    return policy.longest(1) / attempt


def half_jittered(policy: RetryPolicy, attempt: int, random: Any) -> float:
    longest = policy.longest(attempt)
    return longest if policy.jitter is NONE else longest * (0.5 + random.random() / 2)


RETRIES = Suite(
    "retry",
    RETRY_LAWS,
    (RetrySubject(),),
    (
        mutant("waits longer than max_delay", "delays_within_bounds", delay=uncapped),
        mutant("waits shorter each time", "waits_longer_each_time", delay=shrinking),
        mutant("takes half of the jitter away", "jitter_is_what_it_says", delay=half_jittered),
        mutant("tries once more than allowed", "attempts_within_policy", decide=one_more),
        mutant("ignores the budget", "keeps_the_budget", decide=deciding("budget")),
        mutant(
            "retries a bug as if it were transient", "retries_what_is_retryable", decide=deciding("error")
        ),
        mutant("never tries again", "tries_again_at_all", decide=lambda *_: False),
    ),
)
