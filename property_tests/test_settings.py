"""What the laws of `test_suites.py` do not say of settings: which text means which value, and that secrets compare."""

from hypothesis import given
from hypothesis import strategies as st

from cqrs.secret import MASK, Secret
from cqrs.settings import load, report
from property_tests.mutants.setting_classes import Everything


@given(
    whole=st.integers(0, 10**9),
    decimal=st.decimals(-(10**9), 10**9, places=6, allow_nan=False, allow_infinity=False),
    duration=st.integers(0, 10**9),
    switch=st.booleans(),
    word=st.sampled_from(["one", "Two"]),
)
def test_the_usual_text_of_a_value_is_read_as_that_value(
    *, whole: int, decimal: object, duration: int, switch: bool, word: str
) -> None:
    """Whole numbers, fractions, times, switches and words."""
    env = {
        "AN_INTEGER": str(whole),
        "A_NUMBER": f"{decimal:f}",
        "A_DURATION": f"{duration}ms",
        "A_BOOLEAN": str(switch),
        "A_CHOICE": word.upper(),
    }

    loaded = load(Everything, env).unwrap()

    assert (loaded.integer, loaded.duration, loaded.boolean, loaded.choice) == (whole, duration, switch, word)
    assert loaded.number == float(f"{decimal:f}")
    assert {line.source for line in report(loaded, env)} == {*env, "default"}


@given(st.text(st.characters()), st.text(st.characters()))
def test_secrets_are_equal_as_their_texts_are(one: str, other: str) -> None:
    """Any two texts, broken ones included, compare as secrets as they do as texts; equal ones hash alike."""
    assert (Secret(one) == Secret(other)) is (one == other)
    assert hash(Secret(one)) == hash(Secret("".join(one)))
    assert Secret(one).reveal() == one
    assert bool(Secret(one)) is bool(one)
    assert f"{Secret(one)!r}{Secret(one)}" == f"Secret('{MASK}'){MASK}"
