"""The state machine of one entry: phases over time, what a look-up does, what the end of a flight does. Pure.

Times are seconds on one clock that never goes back; intervals are half-open.
"""

import math
from collections.abc import Callable
from enum import Enum
from typing import Final, Literal, final

import attrs

from cqrs.caching import CacheControl

Status = Literal["fresh", "negative", "stale", "stale_error", "miss", "collapsed", "bypass"]
Outcome = Literal["success", "negative", "answer", "transient"]


@final
@attrs.frozen
class Windows:
    """A policy's numbers, all said.

    Attributes:
        ttl: seconds of freshness.
        stale: seconds after it in which an entry is served while it is refreshed.
        fail_safe: seconds after it in which an entry is served if refreshing fails.
        eager: the share of freshness after which a look-up refreshes; 0 is "off".
        soft_timeout: seconds that a caller waits who could be served an old entry; 0 is "until the end".
        shortest: the wait after the first refresh that failed.
        longest: the most that this wait grows to.
    """

    ttl: float
    stale: float = 0.0
    fail_safe: float = 0.0
    eager: float = 0.0
    soft_timeout: float = 0.0
    shortest: float = 1.0
    longest: float = 60.0


@final
@attrs.frozen
class Stamps:
    """When an entry was committed and how long each of its windows is.

    Attributes:
        committed: when its computation ended.
        fresh: seconds of freshness, jitter taken off.
        stale: seconds of the stale window.
        fail_safe: seconds of the error window.
        negative: whether it holds a ``Failure``.
        failures: refreshes that failed since.
        next_refresh: no refresh starts before.
    """

    committed: float
    fresh: float
    stale: float = 0.0
    fail_safe: float = 0.0
    negative: bool = False
    failures: int = 0
    next_refresh: float = -math.inf

    def age(self, now: float) -> float:
        """Seconds since it was committed."""
        return max(0.0, now - self.committed)

    def life(self) -> float:
        """Seconds from the commit to the end of its last window."""
        return self.fresh + max(self.stale, self.fail_safe)


class Validity(Enum):
    """What invalidations since its computation began have left of an entry."""

    VALID = "valid"
    EXPIRED = "expired"
    REMOVED = "removed"


class Phase(Enum):
    """Where an entry is in its life."""

    ABSENT = "absent"
    FRESH = "fresh"
    STALE = "stale"
    ERROR_ONLY = "error_only"


def phase_of(stamps: Stamps, windows: Windows, now: float, validity: Validity = Validity.VALID) -> Phase:
    """Tell the phase of an entry: the shorter of what was said at its commit and what is said now.

    Args:
        stamps: the entry's.
        windows: the policy's, as it is now.
        now: the time.
        validity: what invalidations have left of it.
    """
    fresh = stamps.fresh if stamps.negative else min(stamps.fresh, windows.ttl)
    ended = stamps.committed + fresh
    if validity is Validity.REMOVED:
        return Phase.ABSENT
    if validity is Validity.VALID and now < ended:
        return Phase.FRESH
    if stamps.negative:
        return Phase.ABSENT  # a "no" is never served beyond its own time, however refreshing goes
    if validity is Validity.VALID and now < ended + min(stamps.stale, windows.stale):
        return Phase.STALE
    return Phase.ERROR_ONLY if now < ended + min(stamps.fail_safe, windows.fail_safe) else Phase.ABSENT


@final
@attrs.frozen
class Decision:
    """What a look-up does.

    Attributes:
        serve: the status under which the entry is returned at once; None to wait for a flight.
        start: whether a flight is started in the background, if none is under way.
        fallback: whether the entry is served, as ``stale_error``, if the flight that is waited for fails.
        timeout: seconds after which that happens before the flight has ended.
        refuse: whether the answer is ``NotCached``.
    """

    serve: Status | None = None
    start: bool = False
    fallback: bool = False
    timeout: float = math.inf
    refuse: bool = False


WAIT: Final = Decision()
REFUSE: Final = Decision(refuse=True)
_FRESH: Final = Decision(serve="fresh")
_NEGATIVE: Final = Decision(serve="negative")
_EAGER: Final = Decision(serve="fresh", start=True)
_STALE: Final = Decision(serve="stale")
_STALE_REFRESH: Final = Decision(serve="stale", start=True)
_STALE_ERROR: Final = Decision(serve="stale_error")


def decide(stamps: Stamps, windows: Windows, now: float, validity: Validity = Validity.VALID) -> Decision:
    """Say what a look-up does with an entry that it found.

    Args:
        stamps: the entry's.
        windows: the policy's, as it is now.
        now: the time.
        validity: what invalidations have left of it.
    """
    phase = phase_of(stamps, windows, now, validity)
    due = now >= stamps.next_refresh
    if phase is Phase.FRESH:
        if stamps.negative:
            return _NEGATIVE
        return _EAGER if due and _is_eager(stamps, windows, now) else _FRESH
    if phase is Phase.STALE:
        return _STALE_REFRESH if due else _STALE
    if phase is Phase.ERROR_ONLY:
        if not due:
            return _STALE_ERROR
        timeout = windows.soft_timeout if windows.soft_timeout > 0 else math.inf
        return Decision(fallback=True, timeout=timeout)
    return WAIT


def quiet_until(stamps: Stamps, windows: Windows) -> float:
    """Say until when a look-up serves an entry as fresh and starts nothing, if no invalidation comes.

    Args:
        stamps: the entry's.
        windows: the policy's, as it is now.
    """
    if stamps.negative:
        return stamps.committed + stamps.fresh
    fresh = min(stamps.fresh, windows.ttl)
    return stamps.committed + (windows.eager * fresh if windows.eager > 0 else fresh)


def _is_eager(stamps: Stamps, windows: Windows, now: float) -> bool:
    fresh = min(stamps.fresh, windows.ttl)
    return windows.eager > 0 and now >= stamps.committed + windows.eager * fresh


def controlled(decision: Decision, stamps: Stamps | None, now: float, control: CacheControl) -> Decision:
    """Bring what one dispatch asks for into a decision; bypassing is not decided here.

    Args:
        decision: what would be done without it.
        stamps: the entry's, if there is one.
        now: the time.
        control: what the dispatch asks for.
    """
    if control.kind == "refresh":
        return WAIT
    if control.kind == "only_if_cached":
        return REFUSE if decision.serve is None or decision.serve == "stale_error" else decision
    if control.kind == "max_age" and stamps is not None and stamps.age(now) > control.seconds:
        return WAIT
    return decision


def success(windows: Windows, ttl: float, now: float, draw: float, jitter: float) -> Stamps:
    """Give the stamps of a value that has just been computed.

    Args:
        windows: the policy's.
        ttl: seconds of freshness of this value.
        now: the time.
        draw: a random number from 0 to below 1.
        jitter: the share of ``ttl`` that it may take off; it never adds.
    """
    fresh = ttl if math.isinf(ttl) else ttl * (1 - jitter * draw)
    return Stamps(now, fresh, windows.stale, windows.fail_safe)


def negative(seconds: float, now: float) -> Stamps:
    """Give the stamps of a ``Failure`` that is kept: fresh for its time, and nothing after it.

    Args:
        seconds: how long it is kept.
        now: the time.
    """
    return Stamps(now, seconds, negative=True)


def failed(stamps: Stamps, windows: Windows, now: float, draw: float) -> Stamps:
    """Give the stamps of an entry whose refresh failed: the same life, and a wait before the next attempt.

    Args:
        stamps: the entry's.
        windows: the policy's.
        now: the time.
        draw: a random number from 0 to below 1.
    """
    failures = stamps.failures + 1
    grown = windows.shortest * 2.0 ** min(failures - 1, 64)
    wait = min(grown, windows.longest) * (0.5 + draw / 2)
    return attrs.evolve(stamps, failures=failures, next_refresh=now + wait)


def outcome_of(
    error: object,
    *,
    kept: float | None,
    is_answer: bool,
    is_transient: bool,
    classify: Callable[[object], Literal["transient", "answer"]] | None = None,
) -> Outcome:
    """Tell what a ``Failure`` means for the entry.

    Args:
        error: what it holds.
        kept: for how many seconds its class is kept, None if it is not listed.
        is_answer: whether it is a correct "no".
        is_transient: whether it will pass.
        classify: the policy's own rule, which wins over the built-in one.
    """
    if kept is not None:
        return "negative"
    if classify is not None:
        return classify(error)
    return "transient" if is_transient and not is_answer else "answer"
