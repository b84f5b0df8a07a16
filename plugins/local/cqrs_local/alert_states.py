"""When an alert is evaluated, whether it fires, and what it remembers (pure)."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import attrs

from cqrs_local.documents import Document

MINUTE: Final = 60_000_000
_MOST_HISTORY: Final = 60
_TESTS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@attrs.frozen
class Evaluation:
    """One run of an alert's query.

    Attributes:
        at: microseconds.
        rows: what the query returned.
        fired: whether the number of rows meets the condition.
        error: why there is no answer, empty if there is one.
        delivered: whether every destination took the message; None if none was sent.
    """

    at: int
    rows: Sequence[Mapping[str, object]] = ()
    fired: bool = False
    error: str = ""
    delivered: bool | None = None


def trigger_of(rule: Mapping[str, object]) -> Mapping[str, object]:
    """The trigger condition of a rule."""
    return cast("Mapping[str, object]", rule["trigger_condition"])


def window(rule: Mapping[str, object], now: int) -> tuple[int, int]:
    """The time range of an evaluation, microseconds."""
    return now - cast("int", trigger_of(rule)["period"]) * MINUTE, now


def fires(rule: Mapping[str, object], rows: int) -> bool:
    """Whether a number of rows meets the condition: the server compares the number, no value in them."""
    trigger = trigger_of(rule)
    return _TESTS[cast("str", trigger["operator"])](rows, cast("int", trigger["threshold"]))


def most_rows(rule: Mapping[str, object]) -> int:
    """How many rows an evaluation asks for."""
    return max(100, cast("int", trigger_of(rule)["threshold"]))


def is_due(rule: Mapping[str, object], state: Mapping[str, object], now: int) -> bool:
    """Whether an enabled rule is evaluated at `now`, microseconds."""
    return bool(rule["enabled"]) and now >= cast("int", state.get("next_at", 0))


def state_after(rule: Mapping[str, object], state: Mapping[str, object], done: Evaluation) -> Document:
    """What is remembered after an evaluation; a message that was delivered begins the silence."""
    trigger = trigger_of(rule)
    pause = cast("int", trigger["frequency"])
    if done.fired and done.delivered:
        pause = max(pause, cast("int", trigger["silence"]))
    entry = {"at": done.at, "rows": len(done.rows), "fired": done.fired, "error": done.error}
    if done.delivered is not None:
        entry["delivered"] = done.delivered
    history = [*cast("list[object]", state.get("history", [])), entry][-_MOST_HISTORY:]
    return {
        "next_at": done.at + pause * MINUTE,
        "last_evaluated_at": done.at,
        "last_triggered_at": done.at,
        "last_satisfied_at": done.at if done.fired else state.get("last_satisfied_at"),
        "firing": done.fired,
        "error": done.error,
        "value": dict(done.rows[0]) if done.rows else {},
        "history": history,
    }
