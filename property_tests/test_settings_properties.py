"""Whatever text a variable holds, loading gives a value or a problem that names it, and no secret is shown."""

import attrs
from hypothesis import example, given
from hypothesis import strategies as st
from returns.result import Failure

from cqrs.problems import Code
from cqrs.secret import MASK, Secret
from cqrs.settings import (
    boolean,
    choice,
    integer,
    load,
    milliseconds,
    number,
    report,
    secret,
    setting,
    text,
)

CANARY = "c4n4ry"


@attrs.frozen
class Everything:
    """One field for each parser."""

    text: str = setting("A_TEXT", text(), doc="a text.", example="a", default="a")
    secret: Secret = setting("A_SECRET", secret(), doc="a secret.", example="s", default=Secret("s"))
    integer: int = setting("AN_INTEGER", integer(0, 10**9), doc="a number.", example="5", default=5)
    number: float = setting("A_NUMBER", number(-1e9, 1e9), doc="a number.", example="0.5", default=0.5)
    duration: int = setting("A_DURATION", milliseconds(0, 10**9), doc="a time.", example="5s", default=5000)
    boolean: bool = setting("A_BOOLEAN", boolean(), doc="a switch.", example="on", default=True)
    choice: str = setting("A_CHOICE", choice("one", "Two"), doc="a word.", example="one", default="one")


VARIABLES = ["A_TEXT", "A_SECRET", "AN_INTEGER", "A_NUMBER", "A_DURATION", "A_BOOLEAN", "A_CHOICE"]

anything = st.one_of(
    st.text(st.characters()),
    st.from_regex(r"[-+ 0-9.eE_]{1,30}(ms|s|m|h)?", fullmatch=True),
    st.sampled_from(["", " ", "\0", "nan", "inf", "TRUE", "one", "TWO", "9" * 5000]),
    st.integers().map(str),
    st.floats().map(str),
)


@given(st.dictionaries(st.sampled_from(VARIABLES), anything))
def test_any_texts_give_settings_or_one_problem_for_each_that_is_wrong(env: dict[str, str]) -> None:
    """Loading never raises; each problem names a variable that is set, and without it loading succeeds."""
    loaded = load(Everything, env)

    if isinstance(loaded, Failure):
        wrong = [problem.text.partition("=")[0] for problem in loaded.failure()]
        assert len(wrong) == len(set(wrong))
        assert set(wrong) <= {name for name, value in env.items() if value.strip()}
        assert {problem.code for problem in loaded.failure()} == {Code.BAD_SETTING}
        assert not isinstance(load(Everything, {n: v for n, v in env.items() if n not in wrong}), Failure)
    else:
        assert len(report(loaded.unwrap(), env)) == len(VARIABLES)


@given(
    st.sampled_from(VARIABLES),
    st.one_of(st.none(), st.binary(), st.integers(), st.lists(st.text()), anything),
)
@example("A_SECRET", "\0")
def test_a_value_of_any_type_is_a_value_or_a_problem(name: str, value: object) -> None:
    """A mapping may hold anything; what is no text is a problem with the name of its type."""
    env: dict[str, object] = {name: value}
    loaded = load(Everything, env)  # type: ignore[arg-type]  # the wrong type is the point

    if value is not None and not isinstance(value, str):
        assert f"is a {type(value).__qualname__}, not a text" in loaded.failure()[0].text


@given(before=st.text(st.characters()), after=st.text(st.characters()), nul=st.booleans())
def test_no_text_that_is_made_of_settings_has_the_secret(before: str, after: str, *, nul: bool) -> None:
    """Whatever surrounds it, a secret stands in no problem, no report and no representation."""
    hidden = f"{chr(0) * nul}{before}{CANARY}{after}"
    loaded = load(Everything, {"A_SECRET": hidden})

    shown = f"{loaded!r} {loaded}"
    if isinstance(loaded, Failure):
        shown += " ".join(map(str, loaded.failure()))
        assert MASK in shown
    else:
        assert loaded.unwrap().secret.reveal() == hidden.strip()
        shown += repr(report(loaded.unwrap(), {"A_SECRET": hidden}))
    assert CANARY not in shown


@given(
    whole=st.integers(0, 10**9),
    decimal=st.decimals(-(10**9), 10**9, places=6, allow_nan=False, allow_infinity=False),
    duration=st.integers(0, 10**9),
    switch=st.booleans(),
    word=st.sampled_from(["one", "Two"]),
)
def test_what_is_printed_is_read_back(
    *, whole: int, decimal: object, duration: int, switch: bool, word: str
) -> None:
    """The usual text of a value is read as that value."""
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
