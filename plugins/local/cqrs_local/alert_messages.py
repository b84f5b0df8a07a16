"""The text that an alert sends: a template with its variables filled in (pure)."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, cast

import attrs

_VARIABLE: Final = re.compile(r"\{(\w+)(?::(\d+))?\}")
Rows = Sequence[Mapping[str, object]]


@attrs.frozen
class Occasion:
    """What a message tells of.

    Attributes:
        org: organisation.
        rule: the alert.
        rows: what its query returned.
        start, end: time range of the query, microseconds.
        at: when it was evaluated, microseconds.
        url: where to look.
    """

    org: str
    rule: Mapping[str, object]
    rows: Rows
    start: int
    end: int
    at: int
    url: str


def text_for(template: str, occasion: Occasion) -> str:
    """The template with every known variable replaced; unknown ones stay as they are.

    In a template that is JSON, values are escaped so that it stays one.
    """
    values = _values(occasion)
    lines = row_texts(occasion)
    escaped = _is_json(_VARIABLE.sub("0", template))

    def replaced(found: re.Match[str]) -> str:
        name, count = found.groups()
        if name == "rows":
            value = "\n".join(lines[: int(count)] if count else lines)
        elif name in values and count is None:
            value = values[name]
        else:
            return found.group()
        return json.dumps(value, ensure_ascii=False)[1:-1] if escaped else value

    return _VARIABLE.sub(replaced, template)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def row_texts(occasion: Occasion) -> list[str]:
    """A line for each row, by the rule's row template; none without one."""
    template = cast("str", occasion.rule["row_template"])
    if not template:
        return []
    return [
        _VARIABLE.sub(lambda found, row=row: _text(row.get(found[1], found.group())), template)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        for row in occasion.rows
    ]


def _values(occasion: Occasion) -> dict[str, str]:
    rule, rows = occasion.rule, occasion.rows
    trigger = cast("Mapping[str, object]", rule["trigger_condition"])
    columns = {
        name: ", ".join(_text(row[name]) for row in rows if name in row) for row in rows for name in row
    }
    context = cast("Mapping[str, str]", rule.get("context_attributes") or {})
    start, end = _span(occasion)
    own = {
        "org_name": occasion.org,
        "stream_type": rule["stream_type"],
        "stream_name": rule["stream_name"],
        "alert_name": rule["name"],
        "alert_type": "scheduled",
        "alert_period": trigger["period"],
        "alert_operator": trigger["operator"],
        "alert_threshold": trigger["threshold"],
        "alert_count": len(rows),
        "alert_start_time": _moment(start),
        "alert_end_time": _moment(end),
        "alert_url": occasion.url,
        "alert_trigger_time": occasion.at,
        "alert_trigger_time_millis": occasion.at // 1_000,
        "alert_trigger_time_seconds": occasion.at // 1_000_000,
        "alert_trigger_time_str": _moment(occasion.at),
    }
    return {**columns, **context, **{name: str(value) for name, value in own.items()}}


def _span(occasion: Occasion) -> tuple[int, int]:
    """The times that the rows name themselves, else the time range of the query."""
    starts = [row["zo_sql_min_time"] for row in occasion.rows if isinstance(row.get("zo_sql_min_time"), int)]
    ends = [row["zo_sql_max_time"] for row in occasion.rows if isinstance(row.get("zo_sql_max_time"), int)]
    return (
        min(cast("list[int]", starts), default=occasion.start),
        max(cast("list[int]", ends), default=occasion.end),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _moment(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S")
