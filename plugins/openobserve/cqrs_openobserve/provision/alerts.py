"""The alert rules as they should be; pure.

A server compares the number of rows with a rule's threshold, never a value in them: the limit stands in
HAVING, and a rule fires on one row or more. No traffic is no row, so no rule of a rate fires on silence.
"""

from collections.abc import Mapping
from typing import Final, final

import attrs

from cqrs_openobserve.alert_settings import AlertSettings
from cqrs_openobserve.provision.alert_rule import TIMES, AlertRule, Window
from cqrs_openobserve.provision.measures import error_rate_rule, hit_rate_rule, latency_rule
from cqrs_openobserve.provision.queries import COUNT, DEAD_LETTER, StreamNames, newest, select
from cqrs_openobserve.thresholds import Threshold

_DEPTH: Final = "metric_name = 'cqrs.dead_letter.depth' AND record = 'snapshot'"


@final
@attrs.frozen
class Thresholds:
    """What the rules compare with, and over which windows.

    Attributes:
        command_error_rate: errors among commands, in per cent.
        command_p95_ms, query_p95_ms: 95th percentile of durations, in ms.
        cache_hit_rate: hits among look-ups, in per cent; less of them is worse.
        dead_letters: parked within the window.
        backlog: waiting in one process.
        least: fewest messages or look-ups in a window that a rate is made of.
        windows: minutes by the name of one of these attributes, where they differ from the usual ones.
    """

    command_error_rate: Threshold = attrs.field(default=Threshold(1.0))
    command_p95_ms: Threshold = attrs.field(default=Threshold(500.0))
    query_p95_ms: Threshold = attrs.field(default=Threshold(300.0))
    cache_hit_rate: Threshold = attrs.field(default=Threshold(50.0))
    dead_letters: int = 0
    backlog: int = 0
    least: int = 20
    windows: Mapping[str, int] = attrs.Factory(dict[str, int])

    @classmethod
    def of(cls, settings: AlertSettings) -> "Thresholds":
        """Take them from the settings.

        Args:
            settings: what was read.
        """
        windows = {
            "command_error_rate": settings.alert_command_error_rate_window,
            "command_p95_ms": settings.alert_command_p95_window,
            "query_p95_ms": settings.alert_query_p95_window,
            "cache_hit_rate": settings.alert_cache_hit_rate_window,
            "dead_letters": settings.alert_dead_letters_window,
            "backlog": settings.alert_dead_letter_backlog_window,
        }
        return cls(
            settings.alert_command_error_rate,
            settings.alert_command_p95,
            settings.alert_query_p95,
            settings.alert_cache_hit_rate,
            settings.alert_dead_letters,
            settings.alert_dead_letter_backlog,
            settings.alert_least,
            {name: -(-milliseconds // 60_000) for name, milliseconds in windows.items()},
        )

    def window(self, name: str) -> Window:
        """Give the window of one of the rules.

        Args:
            name: of the attribute with its threshold.
        """
        return Window(self.windows.get(name, _WINDOWS[name]), self.least)


_WINDOWS: Final = {
    "command_error_rate": 5,
    "command_p95_ms": 10,
    "query_p95_ms": 10,
    "cache_hit_rate": 15,
    "dead_letters": 5,
    "backlog": 5,
}


def rules(streams: StreamNames, thresholds: Thresholds | None = None) -> tuple[AlertRule, ...]:
    """Give the rules; the one for waiting dead letters needs a stream of metrics.

    Args:
        streams: what they read.
        thresholds: what they compare with.
    """
    limits = thresholds if thresholds is not None else Thresholds()
    errors = limits.window("command_error_rate")
    commands, queries = limits.window("command_p95_ms"), limits.window("query_p95_ms")
    found = (
        error_rate_rule("cqrs_command_error_rate", streams.commands, limits.command_error_rate, errors),
        latency_rule("cqrs_command_p95_latency", streams.commands, limits.command_p95_ms, commands),
        latency_rule("cqrs_query_p95_latency", streams.queries, limits.query_p95_ms, queries, what="queries"),
        hit_rate_rule(
            "cqrs_query_cache_hit_rate",
            streams.queries,
            limits.cache_hit_rate,
            limits.window("cache_hit_rate"),
        ),
        _dead_letters(streams.events, limits),
    )
    return (*found, _backlog(streams.metrics, limits)) if streams.metrics else found


def _dead_letters(stream: str, limits: Thresholds) -> AlertRule:
    window = limits.window("dead_letters")
    columns = {"value": COUNT, **TIMES}
    having = f"HAVING {COUNT} > {limits.dead_letters}"
    return AlertRule(
        "cqrs_event_dead_letters",
        f"More than {limits.dead_letters} deliveries of events were parked as dead letters, within {window.text}",
        stream,
        select(stream, columns, DEAD_LETTER, having),
        "{value} new dead letters",
        period=window.minutes,
        silence=5,
        example=tuple([{"record": "dead_letter", "outcome": "error"}] * (limits.dead_letters + 1)),
    )


def _backlog(stream: str, limits: Thresholds) -> AlertRule:
    depth = newest("metric_value")
    columns = {"service_instance_id": "service_instance_id", "value": depth, **TIMES}
    letter = {
        "record": "snapshot",
        "metric_name": "cqrs.dead_letter.depth",
        "metric_value": limits.backlog + 1.0,
    }
    return AlertRule(
        "cqrs_dead_letter_backlog",
        f"More than {limits.backlog} dead letters wait for somebody to look at them",
        stream,
        select(stream, columns, _DEPTH, f"GROUP BY service_instance_id HAVING {depth} > {limits.backlog}"),
        "{value} dead letters wait in {service_instance_id}",
        period=limits.window("backlog").minutes,
        silence=60,
        example=({**letter, "service_instance_id": "probe"},),
    )
