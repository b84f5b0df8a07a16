"""The laws of a settings class, each with one that keeps it and one that breaks it."""

from typing import Any

import attrs
import pytest
from hypothesis import Phase, settings

from cqrs.secret import Secret
from cqrs.setting_parsers import Parser
from cqrs.settings import boolean, checked, choice, integer, milliseconds, number, secret, setting, text
from cqrs.testing import SETTINGS_LAWS, LawBroken, SettingsSubject, check_law, laws_for

QUICK = settings(max_examples=60, derandomize=True, database=None, phases=[Phase.generate])
LAWS = {law.name: law for law in SETTINGS_LAWS}


@attrs.frozen
class Everything:
    """One field for each parser."""

    text: str = setting("A_TEXT", text(), doc="a text.", example="a", default="a")
    secret: Secret = setting("A_SECRET", secret(), doc="a secret.", example="s")
    integer: int = setting("AN_INTEGER", integer(0, 10**9), doc="a number.", example="5", default=5)
    number: float = setting("A_NUMBER", number(-1e9, 1e9), doc="a number.", example="0.5", default=0.5)
    duration: int = setting("A_DURATION", milliseconds(0, 10**9), doc="a time.", example="5s", default=5000)
    boolean: bool = setting("A_BOOLEAN", boolean(), doc="a switch.", example="on", default=True)
    choice: str = setting("A_CHOICE", choice("one", "Two"), doc="a word.", example="one", default="one")
    pair: tuple[str, ...] = setting(
        "A_PAIR", checked("words", lambda raw: tuple(raw.split(","))), doc="words.", example="a,b", default=()
    )


def bad(parser: Parser, example: str = "a", **options: Any) -> SettingsSubject:
    field = setting("A_VALUE", parser, doc="a value.", example=example, **options)
    return SettingsSubject(attrs.make_class("Bad", {"value": field}, frozen=True))


def raising(raw: str) -> str:
    if raw == "\ufeff1":
        raise ValueError(raw)
    return raw


@pytest.mark.parametrize("law", LAWS)
def test_a_good_class_keeps_every_law(law: str) -> None:
    """Every parser that there is, required and with default."""
    check_law(LAWS[law], SettingsSubject(Everything), settings=QUICK)


@pytest.mark.parametrize(
    ("law", "subject", "told"),
    [
        ("refuses_what_is_no_text", bad(Parser(lambda raw: raw, "text")), "gave <Success"),
        ("examples_work", bad(integer(0, 9), "ten"), "the examples are refused"),
        ("is_read_back", bad(Parser(lambda raw: f"{raw}!", "text")), "A_VALUE was printed as 'a!'"),
        ("shows_no_secret", bad(Parser(lambda raw: raw, "secret", secret=True)), "c4n4ry stands in"),
    ],
)
def test_a_bad_class_breaks_its_law(law: str, subject: SettingsSubject, told: str) -> None:
    """The text says what was seen instead."""
    with pytest.raises(LawBroken, match=told):
        check_law(LAWS[law], subject, settings=QUICK)


def test_a_parser_that_raises_is_found() -> None:
    """Loading gives values or problems, never an exception."""
    subject = bad(Parser(raising, "text"))

    with pytest.raises(ValueError, match="1"):
        check_law(LAWS["names_what_is_wrong"], subject, settings=settings(QUICK, max_examples=500))


def test_a_class_whose_fields_have_to_fit_brings_an_environment() -> None:
    """What the subject says to set wins over the examples."""
    subject = SettingsSubject(Everything, env={"AN_INTEGER": "7"})

    assert subject.working()["AN_INTEGER"] == "7"
    assert subject.working()["A_DURATION"] == "5s"


def test_without_a_secret_nothing_is_claimed_of_secrets() -> None:
    """A law that cannot fail is no test."""
    assert not hasattr(laws_for("TestBad", SETTINGS_LAWS, subject=bad(text())), "test_shows_no_secret")
