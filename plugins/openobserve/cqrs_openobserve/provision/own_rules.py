"""Rules of the user's own: a tuple of ``AlertRule`` in a Python module, checked before anything is sent; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from returns.result import Failure, Result, Success

from cqrs_openobserve.names import stream_name
from cqrs_openobserve.provision.alert_rule import AlertRule

VARIABLE: Final = "openobserve_alerts"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_STAR: Final = re.compile(r"select\s+\*", re.IGNORECASE)


def own_rules(value: object, ours: Iterable[str]) -> Result[tuple[AlertRule, ...], tuple[str, ...]]:
    """Take what a module holds under ``openobserve_alerts``.

    Args:
        value: whatever it is.
        ours: names of our own rules.

    Returns:
        The rules, or everything that is wrong with them.
    """
    if not isinstance(value, tuple | list):
        return Failure((f"{VARIABLE} is a {type(value).__qualname__}, not a tuple of AlertRule.",))
    every = tuple(cast("Sequence[object]", value))
    wrong = [
        f"{VARIABLE}[{at}] is a {type(rule).__qualname__}, not an AlertRule."
        for at, rule in enumerate(every)
        if not isinstance(rule, AlertRule)
    ]
    rules = tuple(rule for rule in every if isinstance(rule, AlertRule))
    taken = set(ours)
    for rule in rules:
        if types := list(_types(rule)):
            wrong += (f"{VARIABLE}: a rule has {problem}." for problem in types)
            continue
        wrong += (
            f"{VARIABLE}: rule {ascii(rule.name)[:80]} {problem}." for problem in _problems(rule, taken)
        )
        taken.add(rule.name)
    return Failure(tuple(wrong)) if wrong else Success(rules)


def _types(rule: AlertRule) -> Iterator[str]:
    # attrs takes whatever it is given, and the module is the user's own.
    for field in ("name", "description", "stream", "sql", "row"):
        if not isinstance(found := getattr(rule, field), str):
            yield f"the {field} {_ascii(found)}, which is no text"
    for field in ("period", "every", "silence"):
        if type(found := getattr(rule, field)) is not int:
            yield f"the {field} {_ascii(found)}, which is no whole number of minutes"
    example = cast("object", rule.example)
    if not isinstance(example, tuple | list) or not all(
        isinstance(row, Mapping) for row in cast("Sequence[object]", example)
    ):
        yield "an example that is no tuple of records"


def _ascii(value: object) -> str:
    return ascii(value)[:80]


def _problems(rule: AlertRule, taken: set[str]) -> Iterator[str]:
    if not _NAME.fullmatch(rule.name):
        yield "has a name with other characters than letters, digits and _ . -, which servers refuse"
    if rule.name in taken:
        yield "has the name of another rule"
    if stream_name(rule.stream) != rule.stream or not rule.stream:
        wanted = ascii(stream_name(rule.stream))
        yield f"reads the stream {ascii(rule.stream)[:80]}: write its name as the server does, {wanted[:80]}"
    if _STAR.search(rule.sql):
        yield "selects *, which servers refuse in alerts: name the columns"
    if rule.period < 1 or rule.every < 1 or rule.silence < 0:
        yield "has a window, pause or silence below one minute"
