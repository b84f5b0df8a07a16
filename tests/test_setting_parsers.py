import pytest

from cqrs.secret import Secret
from cqrs.setting_parsers import (
    Invalid,
    Parser,
    boolean,
    checked,
    choice,
    integer,
    milliseconds,
    number,
    secret,
    text,
)

CANARY = "canary-77aa"


def broken_rule(parser: Parser, raw: str) -> str:
    with pytest.raises(Invalid) as rule:
        parser.parse(raw)
    return str(rule.value)


@pytest.mark.parametrize(("raw", "value"), [("1", 1), ("10000", 10_000), ("007", 7)])
def test_an_integer_is_ascii_digits_within_its_bounds(raw: str, value: int) -> None:
    """Digits from the least to the most are a whole number."""
    assert integer(1, 10_000).parse(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "abc",
        "1e3",
        "5.0",
        "0x10",
        "0",
        "-5",
        "+5",
        "1_000",
        "1000000000",
        "9" * 5000,
        "\u0663",
        "\u00b2",
        "5 ",
    ],
)
def test_everything_else_is_no_integer(raw: str) -> None:
    """Signs, points, exponents, underscores, other scripts and what lies outside are refused with the bounds."""
    assert broken_rule(integer(1, 10_000), raw) == "is not a whole number from 1 to 10000"


@pytest.mark.parametrize(
    ("raw", "value"), [("0", 0.0), ("1", 1.0), ("0.1", 0.1), ("1.0", 1.0), ("0.000001", 1e-6)]
)
def test_a_number_is_a_plain_decimal(raw: str, value: float) -> None:
    """A decimal in ASCII digits is read as it stands."""
    assert number(0.0, 1.0).parse(raw) == value


def test_negative_zero_is_zero() -> None:
    """-0.0 is read as 0.0, so that it prints as such."""
    assert str(number(0.0, 1.0).parse("-0.0")) == "0.0"


@pytest.mark.parametrize(
    "raw",
    [
        "nan",
        "inf",
        "-inf",
        "1.0000001",
        "0,1",
        "10%",
        "True",
        "1e309",
        "1e-3",
        "1_0",
        ".5",
        "1.",
        "",
        "\u0660",
    ],
)
def test_everything_else_is_no_number(raw: str) -> None:
    """Exponents, infinities, not-a-number, commas and what lies outside are refused with the bounds."""
    assert broken_rule(number(0.0, 1.0), raw) == "is not a number from 0.0 to 1.0"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("250", 250),
        ("250ms", 250),
        ("5s", 5000),
        ("5 s", 5000),
        ("1.5S", 1500),
        ("2m", 120000),
        ("2min", 120000),
        ("1h", 3600000),
    ],
)
def test_a_duration_is_milliseconds_or_has_a_unit(raw: str, value: int) -> None:
    """A bare number counts milliseconds; ms, s, m, min and h are units, in any case."""
    assert milliseconds(1, 3_600_000).parse(raw) == value


@pytest.mark.parametrize(
    "raw", ["", "s", "5x", "5d", "-1", "-1s", "1e3ms", "1_0s", "5  s", "5s5s", "nan", "\u0665s"]
)
def test_everything_else_is_no_duration(raw: str) -> None:
    """What is no number with a known unit is refused, naming the units."""
    assert broken_rule(milliseconds(0, 100_000), raw).startswith("is not a duration")


@pytest.mark.parametrize("raw", ["0", "99", "10001", "11s", "999999999999"])
def test_a_duration_outside_of_its_bounds_is_refused(raw: str) -> None:
    """The refusal says what the text came to, in ms, and the bounds."""
    assert "outside 100 to 10000 ms" in broken_rule(milliseconds(100, 10_000), raw)


def test_a_duration_that_was_meant_in_seconds_gets_a_hint() -> None:
    """A bare number that would fit as seconds is answered with the number of milliseconds."""
    assert broken_rule(milliseconds(100, 10_000), "5").endswith("(milliseconds: did you mean 5000?)")
    assert "did you mean" not in broken_rule(milliseconds(100, 10_000), "5ms")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (word, word in {"1", "true", "yes", "on"})
        for word in ["1", "0", "true", "false", "yes", "no", "on", "off"]
    ]
    + [("TRUE", True), ("Yes", True), ("OFF", False)],
)
def test_a_boolean_is_one_of_eight_words(raw: str, *, value: bool) -> None:
    """The usual words are read in any case."""
    assert boolean().parse(raw) is value


@pytest.mark.parametrize("raw", ["", "maybe", "y", "n", "t", "2", "-1", "truee", "\uff11"])
def test_any_other_word_is_no_boolean(raw: str) -> None:
    """An unknown word is refused with the list."""
    assert broken_rule(boolean(), raw) == "is not one of 1, 0, true, false, yes, no, on, off"


def test_a_choice_is_read_in_any_case_and_given_as_declared() -> None:
    """The value is the declared word, whatever the case of the text."""
    parser = choice("Basic", "none")

    assert parser.parse("BASIC") == "Basic"
    assert parser.parse("None") == "none"
    assert broken_rule(parser, "bearer") == "is not one of Basic, none"


def test_a_text_is_taken_as_it_is() -> None:
    """A printable text of any script passes unchanged, up to its length."""
    assert text().parse("Grüße, 世界") == "Grüße, 世界"
    assert text(most=3).parse("abc") == "abc"
    assert broken_rule(text(most=3), "abcd") == "is longer than 3 characters"


@pytest.mark.parametrize(
    "raw", ["a\nb", "a\r\nb", "a\x00b", "\x00ab", "a\x1bb", "a\u2028b", "a\u202eb", "\ud800"]
)
def test_a_text_holds_no_control_characters(raw: str) -> None:
    """Line breaks, NUL, escapes, direction marks and broken characters are refused."""
    assert "cannot be printed" in broken_rule(text(), raw)


def test_a_check_of_ones_own_sees_a_plain_text() -> None:
    """A checked text passes the rules of a text first, then its own, which gives the value."""

    def even(raw: str) -> int:
        if int(raw) % 2:
            raise Invalid("is odd")
        return int(raw)

    parser = checked("even number", even)

    assert parser.parse("4") == 4
    assert broken_rule(parser, "3") == "is odd"
    assert "cannot be printed" in broken_rule(parser, "4\n4")
    assert parser.kind == "even number"


def test_a_secret_is_wrapped_and_its_rules_never_repeat_it() -> None:
    """A secret comes as a Secret; a refusal names the rule alone."""

    def no_colon(raw: str) -> None:
        if ":" in raw:
            raise Invalid("contains a colon")

    assert secret(no_colon).parse(CANARY) == Secret(CANARY)
    assert broken_rule(secret(no_colon), f"{CANARY}:") == "contains a colon"
    assert CANARY not in broken_rule(secret(), f"{CANARY}\n")
    assert CANARY not in broken_rule(secret(), CANARY * 4096)
    assert secret().secret
    assert not text().secret


@pytest.mark.parametrize(
    ("parser", "kind"),
    [
        (text(), "text"),
        (secret(), "secret"),
        (integer(1, 9), "integer 1 to 9"),
        (number(0.0, 1.0), "number 0.0 to 1.0"),
        (milliseconds(1, 9), "milliseconds 1 to 9"),
        (boolean(), "boolean"),
        (choice("a", "b"), "a / b"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_parser_says_what_it_reads(parser: Parser, kind: str) -> None:
    """The kind is what the table of settings prints."""
    assert parser.kind == kind
