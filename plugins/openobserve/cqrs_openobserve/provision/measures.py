"""Rules about something that is measured over a window: errors, durations, hits; pure."""

from collections.abc import Callable, Mapping
from typing import Final, final

import attrs

from cqrs_openobserve.provision.alert_rule import TIMES, AlertRule, Window
from cqrs_openobserve.provision.queries import (
    COUNT,
    FAILED,
    HANDLED,
    HIT,
    LOOKED_UP,
    count,
    percentage,
    percentile,
    select,
)
from cqrs_openobserve.thresholds import Threshold

# Microseconds, as `_timestamp`; the server's time, which is the end of the range that it evaluates.
_NOW: Final = "CAST(to_unixtime(now()) AS BIGINT) * 1000000"
_MINUTE_US: Final = 60_000_000


def error_rate_rule(
    name: str, stream: str, threshold: Threshold, window: Window, *, where: str = "", what: str = "commands"
) -> AlertRule:
    """Make a rule that fires when too large a share failed; what was rejected did not fail.

    Args:
        name: letters, digits and ``_``.
        stream: the server's name of a stream of records.
        threshold: per cent, or what it was some time before.
        window: the records that are looked at.
        where: a further condition on them, in SQL.
        what: how messages call them.
    """
    measure = _Measure(
        lambda when: percentage(FAILED, when), _joined(HANDLED, where), ">", "%", f"of {what} failed"
    )
    return _measured(
        name, stream, measure, threshold, window, bad={"outcome": "error", "error_type": "Probe"}
    )


def latency_rule(
    name: str, stream: str, threshold: Threshold, window: Window, *, where: str = "", what: str = "commands"
) -> AlertRule:
    """Make a rule that fires when the 95th percentile of durations is too high.

    Args:
        name: letters, digits and ``_``.
        stream: the server's name of a stream of records.
        threshold: ms, or what it was some time before.
        window: the records that are looked at.
        where: a further condition on them, in SQL.
        what: how messages call them.
    """
    measure = _Measure(
        lambda when: percentile(0.95, when=when), _joined(HANDLED, where), ">", "ms", f"is the p95 of {what}"
    )
    return _measured(name, stream, measure, threshold, window, bad={"duration_ms": threshold.limit * 2 + 1})


def hit_rate_rule(
    name: str, stream: str, threshold: Threshold, window: Window, *, where: str = ""
) -> AlertRule:
    """Make a rule that fires when too few look-ups hit the query cache; a bypass is no look-up.

    Args:
        name: letters, digits and ``_``.
        stream: the server's name of the stream of queries.
        threshold: per cent, or what it was some time before; less is worse.
        window: the records that are looked at.
        where: a further condition on them, in SQL.
    """
    measure = _Measure(
        lambda when: percentage(HIT, when),
        _joined(LOOKED_UP, where),
        "<",
        "%",
        "of look-ups hit the query cache",
    )
    rule = _measured(
        name, stream, measure, threshold, window, bad={"cache_status": "miss", "cache_hit": False}
    )
    return attrs.evolve(rule, every=5)


@final
@attrs.frozen
class _Measure:
    value: Callable[[str], str]
    where: str
    operator: str
    unit: str
    said: str


def _measured(
    name: str,
    stream: str,
    measure: _Measure,
    threshold: Threshold,
    window: Window,
    *,
    bad: Mapping[str, object],
) -> AlertRule:
    side = "more" if measure.operator == ">" else "less"
    limit = f"{threshold.limit:g} times what it was {threshold.ago} before" if threshold.before else ""
    said = f"{side} than {limit or f'{threshold.limit:g} {measure.unit}'} {measure.said}".capitalize()
    query = _relative if threshold.before else _fixed
    plain = {"record": "handled", "outcome": "success", "duration_ms": 1.0}
    return AlertRule(
        name,
        f"{said}, within {window.text}",
        stream,
        query(stream, measure, threshold, window),
        f"{{value}} {measure.unit} {measure.said}; {{total}} seen"
        + (f"; {{value_before}} {threshold.ago} before" if threshold.before else ""),
        period=window.minutes + (threshold.before + 1 if threshold.before else 0),
        # What was a day ago cannot be sent today: the server takes records of the last five hours.
        example=() if threshold.before else tuple([{**plain, **bad}] * max(window.least, 1)),
    )


def _fixed(stream: str, measure: _Measure, threshold: Threshold, window: Window) -> str:
    value = measure.value("")
    having = f"HAVING {COUNT} >= {window.least} AND {value} {measure.operator} {threshold.limit}"
    return select(stream, {"value": value, "total": COUNT, **TIMES}, measure.where, having)


def _relative(stream: str, measure: _Measure, threshold: Threshold, window: Window) -> str:
    length, before = window.minutes * _MINUTE_US, threshold.before * _MINUTE_US
    recent = f"_timestamp >= {_NOW} - {length}"
    earlier = f"_timestamp BETWEEN {_NOW} - {length + before} AND {_NOW} - {before}"
    value, value_before = measure.value(recent), measure.value(earlier)
    columns = {"value": value, "value_before": value_before, "total": count(recent), **TIMES}
    enough = f"{count(recent)} >= {window.least} AND {count(earlier)} >= {window.least}"
    having = f"HAVING {enough} AND {value} {measure.operator} {threshold.limit} * {value_before}"
    return select(stream, columns, f"{measure.where} AND ({recent} OR {earlier})", having)


def _joined(where: str, further: str) -> str:
    return f"{where} AND ({further})" if further else where
