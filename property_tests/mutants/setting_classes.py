"""Wrong ways to read settings."""

from collections.abc import Mapping
from typing import Any

import attrs
from returns.result import Failure

from cqrs.secret import Secret
from cqrs.setting_parsers import Invalid, Parser
from cqrs.settings import boolean, choice, integer, milliseconds, number, secret, setting, text
from cqrs.testing import SETTINGS_LAWS, SettingsSubject
from property_tests.mutants.mutant import Mutant, Suite, replaced


@attrs.frozen
class Everything:
    """One field for each parser."""

    text: str = setting("A_TEXT", text(), doc="a text.", example="a", default="a")
    secret: Secret = setting("A_SECRET", secret(), doc="a secret.", example="s", default=Secret("s"))
    integer: int = setting("AN_INTEGER", integer(0, 10**9), doc="a number.", example="5")
    number: float = setting("A_NUMBER", number(-1e9, 1e9), doc="a number.", example="0.5", default=0.5)
    duration: int = setting("A_DURATION", milliseconds(0, 10**9), doc="a time.", example="5s", default=5000)
    boolean: bool = setting("A_BOOLEAN", boolean(), doc="a switch.", example="on", default=True)
    choice: str = setting("A_CHOICE", choice("one", "Two"), doc="a word.", example="one", default="one")


def with_field(parser: Parser, example: str = "5") -> SettingsSubject:
    wrong = setting("WRONG", parser, doc="read wrongly.", example=example)
    return SettingsSubject(
        attrs.make_class("Wrong", {"wrong": wrong}, bases=(Everything,), frozen=True, kw_only=True)
    )


def telling(raw: str) -> Secret:
    if len(raw) > 8:
        raise Invalid(f"{raw} is longer than 8 characters")
    return Secret(raw)


def first_only(load: Any) -> Any:
    def loading(cls: Any, env: Mapping[str, str], given: Any = None) -> Any:
        loaded = load(cls, env, given)
        return Failure(loaded.failure()[:1]) if isinstance(loaded, Failure) else loaded

    return loading


def nameless(load: Any) -> Any:
    def loading(cls: Any, env: Mapping[str, str], given: Any = None) -> Any:
        loaded = load(cls, env, given)
        if not isinstance(loaded, Failure):
            return loaded
        return Failure(tuple(attrs.evolve(p, text=f"setting {p.text}") for p in loaded.failure()))

    return loading


EVERYTHING = SettingsSubject(Everything)

SETTING_CLASSES = Suite(
    "settings",
    SETTINGS_LAWS,
    (EVERYTHING, with_field(integer(1, 9))),
    (
        Mutant(
            "stops at the first problem",
            "names_what_is_wrong",
            with_field(integer(1, 9)),
            replaced("cqrs.testing.settings_laws.load", first_only),
        ),
        Mutant(
            "names no variable in a problem",
            "names_what_is_wrong",
            EVERYTHING,
            replaced("cqrs.testing.settings_laws.load", nameless),
        ),
        Mutant(
            "raises at a text of digits",
            "names_what_is_wrong",
            with_field(Parser(int, "integer")),
            dies_of=ValueError,
        ),
        Mutant(
            "takes what is no text",
            "refuses_what_is_no_text",
            EVERYTHING,
            replaced(
                "cqrs.settings._parsed", lambda _: lambda variable, raw: variable.parser.parse(str(raw))
            ),
        ),
        Mutant("refuses its own example", "examples_work", with_field(integer(1, 9), "ten")),
        Mutant(
            "reads seconds and prints milliseconds",
            "is_read_back",
            with_field(Parser(lambda raw: int(raw) * 1000 if raw.isdecimal() else 0, "milliseconds 0 to 9")),
        ),
        Mutant(
            "repeats a secret in the problem about it",
            "shows_no_secret",
            with_field(Parser(telling, "secret", secret=True), "s"),
        ),
        Mutant(
            "keeps a secret as a plain text",
            "shows_no_secret",
            with_field(Parser(lambda raw: raw, "secret", secret=True), "s"),
        ),
    ),
)
