"""Times of records, for any value."""

from cqrs_local.limits import Limits
from cqrs_local.timestamps import MICROSECONDS_PER_HOUR, plain_times, resolve
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

NOW = 1_800_000_000_000_000
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.datetimes().map(str),
    st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?", fullmatch=True),
    st.lists(st.integers()),
)


@given(ANYTHING)
def test_any_value_is_accepted_within_the_window_or_refused_with_a_reason(value: object) -> None:
    """No value raises, no accepted time lies outside of the window."""
    outcome = resolve(value, NOW, Limits())

    if isinstance(outcome, Success):
        assert NOW - 5 * MICROSECONDS_PER_HOUR <= outcome.unwrap() <= NOW + 24 * MICROSECONDS_PER_HOUR
    else:
        assert outcome.failure()


@given(st.integers(-5 * MICROSECONDS_PER_HOUR, 24 * MICROSECONDS_PER_HOUR))
def test_microseconds_are_kept_exactly(offset: int) -> None:
    """A time in microseconds within the window is stored as it is."""
    assert resolve(NOW + offset, NOW, Limits()) == Success(NOW + offset)


@given(st.one_of(st.just(NOW), st.just(3 * 10**13), st.just(2 * 10**17)), st.integers(-(10**11), 10**11))
def test_what_needs_no_parsing_is_what_parsing_leaves_alone(now: int, offset: int) -> None:
    """Also at clocks whose window reaches beyond the magnitude of microseconds."""
    value = now + offset

    assert (value in plain_times(now, Limits())) <= (resolve(value, now, Limits()) == Success(value))


@given(st.integers(-5 * MICROSECONDS_PER_HOUR, 24 * MICROSECONDS_PER_HOUR))
def test_times_within_the_window_need_no_parsing(offset: int) -> None:
    """Both edges included."""
    assert NOW + offset in plain_times(NOW, Limits())
