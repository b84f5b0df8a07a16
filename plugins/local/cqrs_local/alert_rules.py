"""Alert rules: what a body must hold, and the form the server stores (pure).

What the local server cannot evaluate is refused instead of saved: a rule that never fires is worse than
none.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

from cqrs_local.answers import RefusedError, message, text
from cqrs_local.bodies import WRONG, JsonObject, field
from cqrs_local.documents import Document
from cqrs_local.emulation import Emulation
from cqrs_local.templates import check_name

OPERATORS: Final = ("=", "!=", ">", ">=", "<", "<=")
_SELECT_STAR: Final = re.compile(r"select\s+\*", re.IGNORECASE)
_NOT_HERE: Final = "the local server evaluates scheduled SQL alerts alone: {} is not supported"
_QUERY_KEYS: Final = (
    "type",
    "conditions",
    "sql",
    "promql",
    "promql_condition",
    "aggregation",
    "vrl_function",
    "search_event_type",
    "multi_time_range",
)
_INTEGERS: Final = {"period": 10, "threshold": 0, "frequency": 10, "silence": 0}


def rule_of(content: JsonObject, emulation: Emulation) -> Document:
    """The rule that a body describes, complete with what it leaves out.

    Args:
        content: the body.
        emulation: which keys the stored form has.

    Raises:
        RefusedError: something is missing, of another type (422) or not possible (400).
    """
    name = str(content.get("name") or "")
    check_name(name, "Alert", slash=False)
    destinations = _texts(content, "destinations")
    trigger = _trigger(cast("JsonObject", field(content, "trigger_condition", dict, "a map")))
    rule: Document = {
        "name": name,
        "stream_type": str(content.get("stream_type") or "logs"),
        "stream_name": str(content.get("stream_name") or ""),
        "is_real_time": _supported(content.get("is_real_time") is not True, "a real-time alert", value=False),
        "query_condition": _query(content),
        "trigger_condition": trigger,
        "destinations": destinations,
        "context_attributes": _context(content),
        "row_template": str(content.get("row_template") or ""),
        "description": str(content.get("description") or ""),
        "enabled": content.get("enabled") is True,
        "tz_offset": _integer(content, "tz_offset", 0),
    }
    if emulation is Emulation.NEWEST:
        rule |= {
            "row_template_type": str(content.get("row_template_type") or "String"),
            "creates_incident": False,
            "workflows": [],
        }
    return rule


def check_query(rule: Document) -> str:
    """The SQL of a rule.

    Raises:
        RefusedError: it selects `*`, which the server does not take in alerts (400).
    """
    sql = cast("str", cast("JsonObject", rule["query_condition"])["sql"])
    if _SELECT_STAR.search(sql):
        raise RefusedError(message(400, "Alert with SQL can not contain SELECT * in the SQL query"))
    return sql


def _query(content: JsonObject) -> Document:
    query = cast("JsonObject", content.get("query_condition") or {})
    kind = query.get("type", "custom")
    _supported(kind == "sql", f"a condition of type {kind}")
    for unsupported in ("vrl_function", "multi_time_range"):
        _supported(not query.get(unsupported), unsupported)
    known: Document = {key: None for key in _QUERY_KEYS}  # noqa: C420 - fromkeys loses the type of the keys
    known |= {"type": kind, "sql": field(query, "sql", str, "a string", "query_condition")}
    if not cast("str", known["sql"]).strip():
        raise RefusedError(message(400, "Alert with SQL mode should have a query"))
    return known


def _trigger(trigger: JsonObject) -> Document:
    if "period" not in trigger:
        raise RefusedError(text(422, f"{WRONG}trigger_condition: missing field `period`"))
    kind, operator = trigger.get("frequency_type") or "minutes", trigger.get("operator") or "="
    _supported(kind != "cron", "a cron schedule")
    if kind != "minutes" or operator not in (*OPERATORS, "Contains", "NotContains"):
        raise RefusedError(text(422, f"{WRONG}trigger_condition: unknown variant `{kind}` or `{operator}`"))
    _supported(operator in OPERATORS, f"the operator {operator}")
    integers = {name: _integer(trigger, name, default) for name, default in _INTEGERS.items()}
    if integers["period"] < 1 or integers["frequency"] < 1:
        raise RefusedError(message(400, "period and frequency are at least 1 minute"))
    return {
        "period": integers["period"],
        "operator": operator,
        "threshold": integers["threshold"],
        "frequency": integers["frequency"],
        "cron": str(trigger.get("cron") or ""),
        "frequency_type": kind,
        "silence": integers["silence"],
        "timezone": trigger.get("timezone"),
        "tolerance_in_secs": trigger.get("tolerance_in_secs"),
        "align_time": trigger.get("align_time") is not False,
    }


def _integer(content: JsonObject, name: str, default: int) -> int:
    value = content.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    shown = "map" if isinstance(value, float) else type(value).__name__  # so the parser of the server says
    raise RefusedError(text(422, f"{WRONG}invalid type: {shown}, expected i64"))


def _texts(content: JsonObject, name: str) -> list[str]:
    values = cast("Sequence[object]", field(content, name, list, "a sequence"))
    if not all(isinstance(value, str) for value in values):
        raise RefusedError(text(422, f"{WRONG}{name}: invalid type, expected a string"))
    return cast("list[str]", list(values))


def _context(content: JsonObject) -> Document | None:
    context = content.get("context_attributes")
    if context is None:
        return None
    values = cast("Mapping[str, object]", field(content, "context_attributes", dict, "a map"))
    if not all(isinstance(value, str) for value in values.values()):
        raise RefusedError(text(422, f"{WRONG}context_attributes: invalid type, expected a string"))
    return dict(values)


def _supported(possible: bool, what: str, *, value: object = None) -> object:  # noqa: FBT001 - reads as a claim
    if not possible:
        raise RefusedError(message(400, _NOT_HERE.format(what)))
    return value
