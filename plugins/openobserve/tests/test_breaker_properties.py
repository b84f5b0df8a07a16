"""When to try again."""

from cqrs_openobserve.breaker import LONGEST_RETRY_AFTER_S, LONGEST_S, SHORTEST_S, Breaker, delay_s
from hypothesis import given
from hypothesis import strategies as st

chances = st.floats(0, 1)


@given(st.integers(0, 10_000), chances)
def test_delays_stay_within_their_bounds(failures: int, chance: float) -> None:
    """At least 0.1 s, at most 0.5·2ⁿ s and 5 s, however long the outage."""
    assert SHORTEST_S <= delay_s(failures, chance) <= min(LONGEST_S, max(0.5 * 2.0 ** min(failures, 60), 0.1))


@given(st.integers(0, 100), chances)
def test_the_envelope_never_shrinks(failures: int, chance: float) -> None:
    """More failures never mean a shorter wait with the same luck."""
    assert delay_s(failures, chance) <= delay_s(failures + 1, chance)


@given(st.integers(0, 2**60), chances, st.one_of(st.none(), st.floats(0, 10_000)))
def test_a_server_that_asks_for_time_gets_it(now: int, chance: float, asked: float | None) -> None:
    """Never before its Retry-After, and never later than the cap allows."""
    breaker = Breaker().failed(now, chance, asked)
    wait = breaker.wait_ns(now) / 1e9
    assert breaker.open
    assert wait >= min(asked or 0, LONGEST_RETRY_AFTER_S) - 1e-6
    assert wait <= max(LONGEST_S, min(asked or 0, LONGEST_RETRY_AFTER_S)) + 1e-6
    assert breaker.wait_ns(now + 10**15) == 0


def test_a_new_breaker_is_closed() -> None:
    """Nothing has failed yet."""
    assert not Breaker().open
    assert Breaker().wait_ns(0) == 0
