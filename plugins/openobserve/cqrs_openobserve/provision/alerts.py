"""The alert rules as they should be; pure.

A server compares the number of rows with a rule's threshold, never a value in them: the limit stands in
HAVING, and a rule fires on one row or more. No traffic is no row, so no rule of a rate fires on silence.
"""

from collections.abc import Sequence
from typing import Final, final

import attrs

from cqrs_openobserve.provision.queries import (
    DEAD_LETTER,
    ERROR_RATE,
    ERRORS,
    HANDLED,
    HIT_RATE,
    LOOKED_UP,
    StreamNames,
    newest,
    percentile,
    select,
)

MARK: Final = "made by cqrs openobserve init"
_TIMES: Final = {"zo_sql_min_time": "min(_timestamp)", "zo_sql_max_time": "max(_timestamp)"}
_DEPTH: Final = "metric_name = 'cqrs.dead_letter.depth' AND record = 'snapshot'"


@final
@attrs.frozen
class Thresholds:
    """What the rules compare with.

    Attributes:
        command_error_rate: errors among commands, in per cent.
        command_p95_ms, query_p95_ms: 95th percentile of durations, in ms.
        cache_hit_rate: hits among look-ups, in per cent.
        least: fewest messages or look-ups in a window that a rate is made of.
    """

    command_error_rate: float = 1.0
    command_p95_ms: float = 500.0
    query_p95_ms: float = 300.0
    cache_hit_rate: float = 50.0
    least: int = 20


@final
@attrs.frozen
class AlertRule:
    """One rule.

    Attributes:
        name: unique among ours; the server itself allows names to repeat.
        description: when it fires, in a sentence.
        stream: the stream it reads.
        sql: answers with one row or more when the rule fires.
        row: how a row is written into a message, with its columns in braces.
        period, every, silence: the window, the pause between evaluations and the pause after a message, minutes.
    """

    name: str
    description: str
    stream: str
    sql: str
    row: str
    period: int
    every: int = 1
    silence: int = 10

    def body(self, destinations: Sequence[str], *, enabled: bool = True) -> dict[str, object]:
        """Give the body of the call that creates or replaces it.

        Args:
            destinations: names of destinations; a server refuses a rule without any.
            enabled: whether it is evaluated.
        """
        return {
            "name": self.name,
            "stream_type": "logs",
            "stream_name": self.stream,
            "is_real_time": False,
            "query_condition": {"type": "sql", "sql": self.sql},
            "trigger_condition": {
                "period": self.period,
                "operator": ">=",
                "threshold": 1,
                "frequency": self.every,
                "frequency_type": "minutes",
                "silence": self.silence,
                "timezone": "UTC",
                "align_time": True,
            },
            "destinations": list(destinations),
            "context_attributes": {"component": "cqrs", "rule": self.name},
            "row_template": self.row,
            "description": f"{self.description} ({MARK})",
            "enabled": enabled,
            "tz_offset": 0,
        }


def rules(streams: StreamNames, thresholds: Thresholds | None = None) -> tuple[AlertRule, ...]:
    """Give the rules; the one for waiting dead letters needs a stream of metrics.

    Args:
        streams: what they read.
        thresholds: what they compare with.
    """
    limits = thresholds if thresholds is not None else Thresholds()
    found = (
        _error_rate(streams.commands, limits),
        _latency("command", streams.commands, limits.command_p95_ms, limits.least),
        _latency("query", streams.queries, limits.query_p95_ms, limits.least),
        _hit_rate(streams.queries, limits),
        _dead_letters(streams.events),
    )
    return (*found, _backlog(streams.metrics)) if streams.metrics else found


def _error_rate(stream: str, limits: Thresholds) -> AlertRule:
    columns = {"errors": ERRORS, "total": "count(*)", "error_rate": ERROR_RATE, **_TIMES}
    having = f"HAVING count(*) >= {limits.least} AND {ERROR_RATE} > {limits.command_error_rate}"
    return AlertRule(
        "cqrs_command_error_rate",
        f"More than {limits.command_error_rate:g} % of commands failed within 5 minutes",
        stream,
        select(stream, columns, HANDLED, having),
        "{error_rate} % of {total} commands failed",
        period=5,
    )


def _latency(kind: str, stream: str, limit: float, least: int) -> AlertRule:
    p95 = percentile(0.95)
    columns = {"p95_ms": p95, "total": "count(*)", **_TIMES}
    return AlertRule(
        f"cqrs_{kind}_p95_latency",
        f"The 95th percentile of {kind} durations was over {limit:g} ms within 10 minutes",
        stream,
        select(stream, columns, HANDLED, f"HAVING count(*) >= {least} AND {p95} > {limit}"),
        f"p95 of {{total}} {'queries' if kind == 'query' else 'commands'} is {{p95_ms}} ms",
        period=10,
    )


def _hit_rate(stream: str, limits: Thresholds) -> AlertRule:
    columns = {"hit_rate": HIT_RATE, "lookups": "count(*)", **_TIMES}
    having = f"HAVING count(*) >= {limits.least} AND {HIT_RATE} < {limits.cache_hit_rate}"
    return AlertRule(
        "cqrs_query_cache_hit_rate",
        f"Fewer than {limits.cache_hit_rate:g} % of look-ups hit the query cache within 15 minutes",
        stream,
        select(stream, columns, LOOKED_UP, having),
        "{hit_rate} % of {lookups} look-ups hit",
        period=15,
        every=5,
    )


def _dead_letters(stream: str) -> AlertRule:
    columns = {"dead_letters": "count(*)", **_TIMES}
    return AlertRule(
        "cqrs_event_dead_letters",
        "A delivery of an event was given up and parked as a dead letter within 5 minutes",
        stream,
        select(stream, columns, DEAD_LETTER, "HAVING count(*) > 0"),
        "{dead_letters} new dead letters",
        period=5,
        silence=5,
    )


def _backlog(stream: str) -> AlertRule:
    depth = newest("metric_value")
    columns = {"service_instance_id": "service_instance_id", "depth": depth, **_TIMES}
    return AlertRule(
        "cqrs_dead_letter_backlog",
        "Dead letters wait for somebody to look at them",
        stream,
        select(stream, columns, _DEPTH, f"GROUP BY service_instance_id HAVING {depth} > 0"),
        "{depth} dead letters wait in {service_instance_id}",
        period=5,
        silence=60,
    )
