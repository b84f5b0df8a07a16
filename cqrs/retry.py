"""Retry: whether what failed is tried again, and how long to wait before. Pure; whoever retries brings time and chance."""

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Final, final

import attrs
from returns.result import Failure, Result

from cqrs.clock import Random
from cqrs.faults import is_transient


class Jitter(StrEnum):
    """How chance shortens a delay.

    Attributes:
        FULL: to anything between nothing and the whole of it, so that many who failed at once do not return at once.
        NONE: not at all.
    """

    FULL = "full"
    NONE = "none"


FULL: Final = Jitter.FULL
NONE: Final = Jitter.NONE


_FINITE: Final = attrs.validators.lt(math.inf)
_NOT_NEGATIVE: Final = attrs.validators.and_(attrs.validators.ge(0.0), _FINITE)


@final
@attrs.frozen
class RetryPolicy:
    """When and how often what failed is tried again.

    Before attempt ``n + 1`` it waits ``base * factor ** (n - 1)`` seconds, at most ``max_delay``, shortened by the jitter.

    Attributes:
        attempts: how often it is tried in all; 1 tries nothing again.
        base: the first delay, in seconds.
        factor: by what each delay is longer than the one before; at least 1.
        max_delay: the longest delay, in seconds.
        jitter: ``FULL`` or ``NONE``.
        budget: no attempt begins later than this many seconds after the first began; None for no limit.
        retry_on: tells from the error of a ``Failure`` whether to try again.

    Raises:
        ValueError: if a number is out of its range.
    """

    attempts: int = attrs.field(validator=attrs.validators.ge(1))
    base: float = attrs.field(default=0.1, kw_only=True, validator=_NOT_NEGATIVE)
    factor: float = attrs.field(
        default=2.0, kw_only=True, validator=attrs.validators.and_(attrs.validators.ge(1.0), _FINITE)
    )
    max_delay: float = attrs.field(default=30.0, kw_only=True, validator=_NOT_NEGATIVE)
    jitter: Jitter = attrs.field(default=FULL, kw_only=True, converter=Jitter)
    budget: float | None = attrs.field(
        default=None, kw_only=True, validator=attrs.validators.optional(attrs.validators.gt(0.0))
    )
    retry_on: Callable[[object], bool] = attrs.field(default=is_transient, kw_only=True)

    def longest(self, attempt: int) -> float:
        """Give the delay after an attempt before jitter shortens it, in seconds.

        Args:
            attempt: the number of the attempt that failed, from 1.
        """
        try:
            return min(self.max_delay, self.base * self.factor ** (attempt - 1))
        except OverflowError:
            return self.max_delay if self.base else 0.0

    def delay(self, attempt: int, random: Random) -> float:
        """Give how long to wait after an attempt that failed, in seconds.

        Args:
            attempt: its number, from 1.
            random: where chance comes from.
        """
        longest = self.longest(attempt)
        return longest if self.jitter is NONE else longest * random.random()

    def decide(self, outcome: Result[object, object], attempt: int, elapsed: float) -> bool:
        """Tell whether to try again.

        Args:
            outcome: what the attempt came to.
            attempt: its number, from 1.
            elapsed: seconds from the beginning of the first attempt to the moment when the next one would begin.
        """
        if not isinstance(outcome, Failure) or attempt >= self.attempts:
            return False
        within = self.budget is None or elapsed <= self.budget
        return within and self.retry_on(outcome.failure())

    def wait(
        self, outcome: Result[object, object], attempt: int, elapsed: float, random: Random
    ) -> float | None:
        """Decide and give the delay in one: what a loop that retries asks after each attempt.

        Args:
            outcome: what the attempt came to.
            attempt: its number, from 1.
            elapsed: seconds since the first attempt began.
            random: where chance comes from.

        Returns:
            Seconds to wait before the next attempt, or None if there is none. A delay that would end beyond the budget
            is not begun.
        """
        delay = self.delay(attempt, random)
        return delay if self.decide(outcome, attempt, elapsed + delay) else None
