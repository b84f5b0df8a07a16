"""The settings of what ``init`` makes: what alerts compare with, where they are sent, how long records are kept."""

from typing import Final

import attrs

from cqrs.settings import integer, milliseconds, setting
from cqrs_openobserve.channels import Channel, channel
from cqrs_openobserve.thresholds import Threshold, threshold

_MINUTE: Final = 60_000


def _window(name: str, minutes: int, what: str) -> int:
    field: int = setting(
        name,
        milliseconds(_MINUTE, 1440 * _MINUTE),
        doc=f"Window of that rule, in ms; {what} within it are looked at. Whole minutes; a part of one counts as one.",
        example=f"{minutes}m",
        default=minutes * _MINUTE,
    )
    return field


@attrs.frozen
class AlertSettings:
    """What can be set about alerts and streams; the app itself does not read it."""

    alert_channel: Channel | None = setting(
        "CQRS_ALERT_CHANNEL",
        channel(),
        doc="Where alerts are sent: webhook:URL, slack:URL or email:ADDRESS; without it none are made.",
        example="webhook:https://hooks.example.com/cqrs",
        default=None,
    )
    alert_command_error_rate: Threshold = setting(
        "CQRS_ALERT_COMMAND_ERROR_RATE",
        threshold(100),
        doc="Alert if more per cent of commands failed.",
        example="2.5",
        default=Threshold(1.0),
    )
    alert_command_error_rate_window: int = _window("CQRS_ALERT_COMMAND_ERROR_RATE_WINDOW", 5, "commands")
    alert_command_p95: Threshold = setting(
        "CQRS_ALERT_COMMAND_P95_MS",
        threshold(86_400_000),
        doc="Alert if the p95 of commands is over it, in ms.",
        example="2x1d",
        default=Threshold(500.0),
    )
    alert_command_p95_window: int = _window("CQRS_ALERT_COMMAND_P95_WINDOW", 10, "commands")
    alert_query_p95: Threshold = setting(
        "CQRS_ALERT_QUERY_P95_MS",
        threshold(86_400_000),
        doc="Alert if the p95 of queries is over it, in ms.",
        example="200",
        default=Threshold(300.0),
    )
    alert_query_p95_window: int = _window("CQRS_ALERT_QUERY_P95_WINDOW", 10, "queries")
    alert_cache_hit_rate: Threshold = setting(
        "CQRS_ALERT_CACHE_HIT_RATE",
        threshold(100),
        doc="Alert if fewer per cent of look-ups hit the query cache.",
        example="0.5x1d",
        default=Threshold(50.0),
    )
    alert_cache_hit_rate_window: int = _window("CQRS_ALERT_CACHE_HIT_RATE_WINDOW", 15, "look-ups")
    alert_dead_letters: int = setting(
        "CQRS_ALERT_DEAD_LETTERS",
        integer(0, 10_000),  # a rehearsal sends one record more
        doc="Alert if more dead letters were parked.",
        example="10",
        default=0,
    )
    alert_dead_letters_window: int = _window("CQRS_ALERT_DEAD_LETTERS_WINDOW", 5, "dead letters")
    alert_dead_letter_backlog: int = setting(
        "CQRS_ALERT_DEAD_LETTER_BACKLOG",
        integer(0, 1_000_000_000),
        doc="Alert while more dead letters wait in a process.",
        example="100",
        default=0,
    )
    alert_dead_letter_backlog_window: int = _window("CQRS_ALERT_DEAD_LETTER_BACKLOG_WINDOW", 5, "metrics")
    alert_least: int = setting(
        "CQRS_ALERT_LEAST",
        integer(1, 10_000),
        doc="Fewest messages or look-ups in a window that a rate or percentile is made of; below it no alert.",
        example="100",
        default=20,
    )
    stream_retention: int = setting(
        "CQRS_STREAM_RETENTION_DAYS",
        integer(1, 3650),
        doc="Days for which the server keeps the records of these streams; its own rule if not set.",
        example="30",
        default=0,
    )
