import attrs
import pytest
from returns.result import Failure, Success

from cqrs.problems import Code, Problem
from cqrs.secret import MASK, Secret
from cqrs.settings import (
    SettingReport,
    all_required_absent,
    boolean,
    integer,
    load,
    milliseconds,
    report,
    secret,
    setting,
    text,
    variables,
)

CANARY = "canary-51d0"


@attrs.frozen
class Server:
    """Settings with every kind of field."""

    url: str = setting(
        "SHOP_URL",
        text(),
        doc="where the server is.",
        example="http://localhost:5080",
        aliases=("SHOP_SERVER",),
    )
    token: Secret = setting("SHOP_TOKEN", secret(), doc="what opens it.", example="user:password")
    batch: int = setting("SHOP_BATCH", integer(1, 100), doc="records a request.", example="50", default=10)
    flush: int = setting("SHOP_FLUSH", milliseconds(1, 60_000), doc="how often.", example="1s", default=1000)
    traced: bool = setting("SHOP_TRACED", boolean(), doc="whether to trace.", example="yes", default=True)
    unnamed: int = 7


@attrs.frozen
class Optional:
    """Settings of which none is required."""

    port: int = setting("SHOP_PORT", integer(1, 65_535), doc="the port.", example="5080", default=5080)


GOOD = {"SHOP_URL": "http://o2", "SHOP_TOKEN": CANARY}


def problems_of(env: dict[str, str], given: dict[str, object] | None = None) -> tuple[Problem, ...]:
    loaded = load(Server, env, given)
    assert isinstance(loaded, Failure)
    return loaded.failure()


def test_settings_come_from_the_environment() -> None:
    """Variables that are set are read, the others have their defaults, fields without a variable are left alone."""
    loaded = load(Server, {**GOOD, "SHOP_BATCH": "50", "SHOP_FLUSH": "2s", "SHOP_TRACED": "off"})

    assert loaded.unwrap() == Server(
        url="http://o2", token=Secret(CANARY), batch=50, flush=2000, traced=False, unnamed=7
    )


def test_every_problem_is_told_at_once_each_with_its_variable() -> None:
    """Five wrong variables are five problems, in the order of the fields, each naming variable, rule and example."""
    problems = problems_of({"SHOP_BATCH": "0", "SHOP_FLUSH": "soon", "SHOP_TRACED": "maybe"})

    assert [problem.code for problem in problems] == [Code.MISSING_SETTING] * 2 + [Code.BAD_SETTING] * 3
    assert [str(problem).split()[1].split("=")[0] for problem in problems] == [
        "SHOP_URL", "SHOP_TOKEN", "SHOP_BATCH", "SHOP_FLUSH", "SHOP_TRACED",
    ]  # fmt: skip
    assert str(problems[0]) == (
        "CQRS-021 SHOP_URL is not set: where the server is. "
        "Fix: set it, for example SHOP_URL=http://localhost:5080"
    )
    assert str(problems[2]) == (
        "CQRS-020 SHOP_BATCH='0' is not a whole number from 1 to 100. Fix: for example SHOP_BATCH=50"
    )


@pytest.mark.parametrize("blank", ["", " ", "\t\n "])
def test_blank_is_unset(blank: str) -> None:
    """A blank variable counts as absent: a default holds, an alias is read, a required one is missing."""
    loaded = load(Server, {**GOOD, "SHOP_URL": blank, "SHOP_SERVER": "http://b", "SHOP_BATCH": blank})

    assert (loaded.unwrap().url, loaded.unwrap().batch) == ("http://b", 10)
    assert [p.code for p in problems_of({**GOOD, "SHOP_TOKEN": blank})] == [Code.MISSING_SETTING]


def test_spaces_around_a_value_do_not_count() -> None:
    """A value is read without the white space around it, a trailing line break included."""
    assert load(Server, {**GOOD, "SHOP_BATCH": " 50\n"}).unwrap().batch == 50


def test_an_alias_is_read_if_the_name_is_unset_and_named_if_it_is_wrong() -> None:
    """The name wins over its alias, and a problem names the variable that was really set."""
    assert load(Server, {**GOOD, "SHOP_SERVER": "http://b"}).unwrap().url == "http://o2"
    (problem,) = problems_of({"SHOP_TOKEN": "t", "SHOP_SERVER": "a\nb"})
    assert str(problem).startswith("CQRS-020 SHOP_SERVER='a\\nb'")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("50", 50),
        (" 50 ", 50),
        (50, 50),
        (50.0, None),
        (True, None),
        (0, None),
        ("", None),
        (None, None),
        (b"50", None),
    ],
    ids=repr,
)
def test_a_given_value_is_read_like_the_variables_text(value: object, read: int | None) -> None:
    """Texts, numbers and booleans keep to the same rule; anything else, and what breaks the rule, is a problem."""
    loaded = load(Server, GOOD, {"batch": value})

    if read is None:
        (problem,) = loaded.failure()
        assert str(problem).startswith("CQRS-020 batch=")
        assert str(problem).endswith("Fix: for example batch='50'")
        assert "given in code" in problem.text
    else:
        assert loaded.unwrap().batch == read


def test_a_given_value_may_be_what_reading_gives() -> None:
    """A secret, a duration in milliseconds, and a number with many digits are taken as they are."""
    loaded = load(Server, {}, {"url": "http://o2", "token": Secret("t"), "flush": 1500, "unnamed": 9})

    assert (loaded.unwrap().token.reveal(), loaded.unwrap().flush, loaded.unwrap().unnamed) == ("t", 1500, 9)


def test_a_given_secret_that_is_wrong_is_not_shown() -> None:
    """The problem of a given secret has a mask where the value would be."""
    (problem,) = problems_of(GOOD, {"token": [CANARY]})

    assert "token=********, given in code, is a list, not a text, number or boolean" in str(problem)
    assert CANARY not in str(problem)


def test_a_given_name_that_is_no_setting_is_told() -> None:
    """A misspelt field is a problem that lists those there are, beside everything else that is wrong."""
    problems = problems_of({"SHOP_URL": "http://o2"}, {"bacth": 5})

    assert [problem.code for problem in problems] == [Code.BAD_SETTING, Code.MISSING_SETTING]
    assert "bacth is not a setting of Server." in problems[0].text
    assert "use one of batch, flush" in problems[0].fix


def test_given_values_win_over_the_environment() -> None:
    """A value given in code replaces its variable, even one that is wrong."""
    loaded = load(Server, {**GOOD, "SHOP_BATCH": "nonsense"}, {"batch": 99, "url": "http://given"})

    assert (loaded.unwrap().batch, loaded.unwrap().url) == (99, "http://given")


def test_a_secret_is_in_no_problem() -> None:
    """A wrong secret is shown as a mask, by variable and rule alone."""
    (problem,) = problems_of({**GOOD, "SHOP_TOKEN": f"{CANARY}\n{CANARY}"})

    assert f"SHOP_TOKEN={MASK} contains a line break" in str(problem)
    assert CANARY not in f"{problem} {problem!r}"


@pytest.mark.parametrize(
    ("value", "kind"), [(b"secret-canary", "bytes"), (5, "int"), (["canary"], "list"), (True, "bool")]
)
@pytest.mark.parametrize("variable", ["SHOP_TOKEN", "SHOP_BATCH"])
def test_a_value_that_is_no_text_is_a_problem(variable: str, value: object, kind: str) -> None:
    """A mapping that holds something else than texts gives a problem with its type, not its content."""
    env: dict[str, object] = {**GOOD, variable: value}
    (problem,) = problems_of(env)  # type: ignore[arg-type]  # the wrong type is the point

    assert f"is a {kind}, not a text" in problem.text
    assert "canary" not in str(problem)


def test_a_nul_does_not_carry_a_secret_into_a_problem() -> None:
    """A text with a NUL in front is refused like any other text that cannot be printed, without its content."""
    (problem,) = problems_of({**GOOD, "SHOP_TOKEN": f"\0{CANARY}"})

    assert CANARY not in str(problem)
    assert "cannot be printed" in problem.text


def test_none_in_a_mapping_is_unset() -> None:
    """A variable that holds None counts as absent."""
    env: dict[str, object] = {**GOOD, "SHOP_BATCH": None}

    assert load(Server, env).unwrap().batch == 10  # type: ignore[arg-type]  # the wrong type is the point


def test_a_long_value_is_cut_and_its_length_told() -> None:
    """A problem quotes at most 80 characters, in ASCII."""
    (problem,) = problems_of({**GOOD, "SHOP_BATCH": "9" * 5000})
    (foreign,) = problems_of({**GOOD, "SHOP_BATCH": "ü\x1b"})

    assert "… (5000 characters)" in problem.text
    assert len(problem.text) < 200
    assert r"'\xfc\x1b'" in foreign.text


def test_a_password_in_a_url_is_in_no_problem() -> None:
    """Whoever puts credentials into a URL by mistake does not find them in a log."""
    (problem,) = problems_of(GOOD | {"SHOP_BATCH": "http://user:p@ss-canary@host/path"})

    assert "canary" not in str(problem)
    assert f"//{MASK}@host/path" in problem.text


def test_a_feature_is_unwanted_while_no_required_variable_is_set() -> None:
    """Required variables decide, by name or alias; blank ones do not count."""
    assert all_required_absent(Server, {})
    assert all_required_absent(Server, {"SHOP_BATCH": "5", "SHOP_TOKEN": " "})
    assert not all_required_absent(Server, {"SHOP_SERVER": "http://b"})


def test_a_feature_that_requires_nothing_is_wanted() -> None:
    """Settings that all have defaults never switch a plugin off."""
    assert not all_required_absent(Optional, {})
    assert load(Optional, {}) == Success(Optional())


def test_the_report_names_each_value_and_its_source() -> None:
    """Each setting is shown with where it came from: the variable, its alias, code, or the default."""
    env = {"SHOP_SERVER": "http://b", "SHOP_TOKEN": CANARY, "SHOP_BATCH": "50", "SHOP_TRACED": "no"}
    settings = load(Server, env, {"flush": 5, "traced": True}).unwrap()

    assert report(settings, env) == (
        SettingReport("SHOP_URL", "http://b", "SHOP_SERVER"),
        SettingReport("SHOP_TOKEN", MASK, "SHOP_TOKEN"),
        SettingReport("SHOP_BATCH", "50", "SHOP_BATCH"),
        SettingReport("SHOP_FLUSH", "5", "given"),
        SettingReport("SHOP_TRACED", "True", "given"),
    )
    assert report(Optional(), {}) == (SettingReport("SHOP_PORT", "5080", "default"),)
    assert CANARY not in repr(report(settings, env))


def test_a_variable_that_is_wrong_but_overridden_is_reported_as_given() -> None:
    """The report of settings given in code does not trip over a variable that cannot be read."""
    settings = load(Optional, {}, {"port": 1}).unwrap()

    assert report(settings, {"SHOP_PORT": "nonsense"}) == (SettingReport("SHOP_PORT", "1", "given"),)


def test_variables_are_listed_with_their_defaults() -> None:
    """The table of settings is made from the class: each variable with its default, required ones without."""
    listed = {variable.name: default for variable, default in variables(Server)}

    assert listed == {
        "SHOP_URL": attrs.NOTHING,
        "SHOP_TOKEN": attrs.NOTHING,
        "SHOP_BATCH": 10,
        "SHOP_FLUSH": 1000,
        "SHOP_TRACED": True,
    }
