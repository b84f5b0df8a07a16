"""Settings from the environment: attrs classes, every problem at once, no secret in any text."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.problems import Code, Problem
from cqrs.secret import MASK
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

# The parsers have a file of their own; whoever declares settings finds everything here.
__all__ = [
    "Invalid",
    "Parser",
    "SettingReport",
    "Variable",
    "all_required_absent",
    "boolean",
    "checked",
    "choice",
    "integer",
    "load",
    "milliseconds",
    "number",
    "report",
    "secret",
    "setting",
    "text",
    "variables",
]

Settings = TypeVar("Settings", bound=attrs.AttrsInstance)
Parsed_co = TypeVar("Parsed_co", covariant=True)

_KEY: Final = "cqrs.settings"
_SHOWN: Final = 80
_CREDENTIALS: Final = re.compile(
    r"//.*@", re.DOTALL
)  # of a URL; up to the last @, since passwords may hold one


@final
@attrs.frozen
class Variable:
    """Where a setting comes from and how it is read.

    Attributes:
        name: the environment variable.
        parser: how its text is read.
        doc: one sentence for the table of settings.
        example: a value that works, shown in problems.
        aliases: other variables that are read, in this order, if ``name`` is unset.
    """

    name: str
    parser: Parser
    doc: str
    example: str
    aliases: tuple[str, ...] = ()


@final
@attrs.frozen
class SettingReport:
    """One setting as ``cqrs config`` prints it.

    Attributes:
        variable: the environment variable.
        value: what it is set to, masked if secret.
        source: the variable it was read from, ``given`` or ``default``.
    """

    variable: str
    value: str
    source: str


def setting(
    name: str,
    parser: Parser,
    *,
    doc: str,
    example: str,
    default: object = attrs.NOTHING,
    aliases: tuple[str, ...] = (),
) -> Any:
    """Declare a field of a settings class.

    Args:
        name: the environment variable.
        parser: how its text is read; see ``cqrs.setting_parsers``.
        doc: one sentence for the table of settings.
        example: a value that works.
        default: the value if nothing is set; without one the variable is required.
        aliases: other names that are read if ``name`` is unset.
    """
    variable = Variable(name, parser, doc, example, aliases)
    return attrs.field(default=cast("Any", default), metadata={_KEY: variable}, kw_only=True)


def load(
    cls: type[Settings], env: Mapping[str, str], given: Mapping[str, object] | None = None
) -> Result[Settings, tuple[Problem, ...]]:
    """Read a settings class from the environment.

    Args:
        cls: an attrs class whose fields were made by ``setting``.
        env: variables and their texts; blank counts as unset.
        given: values by field name that win over the environment: texts, numbers and booleans, which are read like
            the variable's text, or what reading it would give.

    Returns:
        The settings, or every problem at once, each naming its variable, or the field of a value given.
    """
    given = given or {}
    problems = _unknown(cls, given)
    declared = {field.name for field, _ in _variables(cls)}
    values = {name: value for name, value in given.items() if name not in declared}
    for field, variable in _variables(cls):
        try:
            if field.name in given:
                values[field.name] = _taken(variable, field.default, given[field.name])
            elif (read := _read(variable, env))[0] is not None:
                values[field.name] = _parsed(variable, read[1])
            elif field.default is attrs.NOTHING:
                problems.append(_missing(variable))
        except Invalid as rule:
            problems.append(_refused(field.name, variable, env, given, rule))
    return Failure(tuple(problems)) if problems else Success(cls(**values))


def variables(cls: type[attrs.AttrsInstance]) -> tuple[tuple[Variable, object], ...]:
    """List a settings class's variables with their defaults (``attrs.NOTHING`` where required)."""
    return tuple((variable, field.default) for field, variable in _variables(cls))


def all_required_absent(cls: type[attrs.AttrsInstance], env: Mapping[str, str]) -> bool:
    """Tell whether a class has required variables and none of them is set: the feature is simply not wanted.

    Args:
        cls: the settings class.
        env: variables and their texts.
    """
    required = [variable for field, variable in _variables(cls) if field.default is attrs.NOTHING]
    return bool(required) and all(_read(variable, env)[0] is None for variable in required)


def report(settings: attrs.AttrsInstance, env: Mapping[str, str]) -> tuple[SettingReport, ...]:
    """Say what each setting is and where it came from, secrets masked.

    Args:
        settings: what ``load`` returned.
        env: the environment that it was loaded from.
    """
    reports: list[SettingReport] = []
    for field, variable in _variables(type(settings)):
        value = getattr(settings, field.name)
        source, text = _read(variable, env)
        if source is not None and not _gives(variable, text, value):
            source = "given"
        if source is None:
            source = "default" if value == field.default else "given"
        shown = MASK if variable.parser.secret and value is not None else str(value)
        reports.append(SettingReport(variable.name, shown, source))
    return tuple(reports)


def _parsed(variable: Variable, text: object) -> object:
    if not isinstance(text, str):
        raise Invalid(f"is a {type(text).__qualname__}, not a text")
    return variable.parser.parse(text)


def _taken(variable: Variable, default: object, value: object) -> object:
    if isinstance(value, str):
        if not value.strip():
            raise Invalid("is blank")
        return variable.parser.parse(value.strip())
    if isinstance(value, bool | int | float):
        return variable.parser.parse(_written(value))
    if value is default or isinstance(value, type(variable.parser.parse(variable.example))):
        return value
    raise Invalid(f"is a {type(value).__qualname__}, not a text, number or boolean")


def _written(value: float) -> str:
    if isinstance(value, float):
        return f"{value:.18f}" if "e" in repr(value) else repr(value)
    return str(value).lower()


def _unknown(cls: type[attrs.AttrsInstance], given: Mapping[str, object]) -> list[Problem]:
    known = sorted(field.name for field in attrs.fields(cls))
    return [
        Problem(
            Code.BAD_SETTING,
            f"{name} is not a setting of {cls.__qualname__}.",
            f"use one of {', '.join(known)}.",
        )
        for name in given
        if name not in known
    ]


def _refused(
    name: str, variable: Variable, env: Mapping[str, str], given: Mapping[str, object], rule: Invalid
) -> Problem:
    if name not in given:
        return _broken(*_read(variable, env), variable, rule)
    shown = _show(given[name], secret=variable.parser.secret)
    return Problem(
        Code.BAD_SETTING,
        f"{name}={shown}, given in code, {rule}.",
        f"for example {name}={_show(variable.example, secret=False)}",
    )


def _gives(variable: Variable, text: object, value: object) -> bool:
    try:
        return bool(_parsed(variable, text) == value)
    except Invalid:
        return False


def _variables(cls: type[attrs.AttrsInstance]) -> list[tuple["attrs.Attribute[object]", Variable]]:
    return [(field, field.metadata[_KEY]) for field in attrs.fields(cls) if _KEY in field.metadata]


def _read(variable: Variable, env: Mapping[str, object]) -> tuple[str | None, object]:
    for name in (variable.name, *variable.aliases):
        text = env.get(name)
        if isinstance(text, str):
            text = text.strip() or None
        if text is not None:
            return name, text
    return None, ""


def _missing(variable: Variable) -> Problem:
    return Problem(
        Code.MISSING_SETTING,
        f"{variable.name} is not set: {variable.doc}",
        f"set it, for example {variable.name}={variable.example}",
    )


def _broken(source: str | None, text: object, variable: Variable, rule: Invalid) -> Problem:
    return Problem(
        Code.BAD_SETTING,
        f"{source}={_show(text, secret=variable.parser.secret)} {rule}.",
        f"for example {source}={variable.example}",
    )


def _show(text: object, *, secret: bool) -> str:
    if secret:
        return MASK
    if isinstance(text, bool | int | float) or text is None:
        return str(text)[:_SHOWN]
    if not isinstance(text, str):
        return "…"
    quoted = ascii(_CREDENTIALS.sub(f"//{MASK}@", text))
    return quoted if len(quoted) <= _SHOWN else f"{quoted[:_SHOWN]}… ({len(text)} characters)"
