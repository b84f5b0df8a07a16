"""What the three dashboards show: commands, queries, events; pure."""

from typing import Final

from cqrs_openobserve.provision.dashboards import WIDTH, Dashboard, Panel
from cqrs_openobserve.provision.queries import (
    CHOSEN,
    COUNT,
    DEAD_LETTER,
    ERROR_RATE,
    HANDLED,
    HIT_RATE,
    LOOKED_UP,
    PUBLISHED,
    SERVICE_CHOSEN,
    STALE,
    StreamNames,
    metric,
    newest,
    number,
    over_time,
    percentile,
    ranked,
    select,
)

_HANDLED: Final = f"{HANDLED} AND {CHOSEN}"
_Y: Final = "y_axis_1"


def dashboards(streams: StreamNames) -> tuple[Dashboard, ...]:
    """Give the dashboards; panels of metrics need a stream of metrics.

    Args:
        streams: what they read.
    """
    return (
        Dashboard("CQRS commands", "Commands by outcome and duration", _commands(streams)),
        Dashboard("CQRS queries", "Queries by outcome and duration, and their cache", _queries(streams)),
        Dashboard("CQRS events", "Events, their deliveries and dead letters", _events(streams)),
    )


def _commands(streams: StreamNames) -> tuple[Panel, ...]:
    stream = streams.commands
    return (
        *_figures(stream, "Commands"),
        _throughput(stream, "Commands by outcome", _HANDLED),
        _errors(stream),
        _durations(stream),
        _retries(stream),
        _top(stream),
        _slowest(stream),
        _error_types(stream),
    )


def _queries(streams: StreamNames) -> tuple[Panel, ...]:
    stream = streams.queries
    looked_up = f"{LOOKED_UP} AND {CHOSEN}"
    return (
        *_figures(stream, "Queries"),
        _throughput(stream, "Queries by outcome", _HANDLED),
        _errors(stream),
        _durations(stream),
        Panel(
            "Cache look-ups by status", "area-stacked", stream,
            over_time(stream, {_Y: COUNT}, looked_up, by="cache_status"), {_Y: "look-ups"}, by="Status",
        ),
        Panel(
            "Cache hit rate", "line", stream,
            over_time(stream, {_Y: HIT_RATE}, looked_up), {_Y: "hit rate"}, unit="percent",
        ),
        Panel(
            "Age of answers from the cache", "line", stream,
            over_time(
                stream,
                {_Y: percentile(0.5, "cache_age_ms"), "y_axis_2": percentile(0.95, "cache_age_ms")},
                f"{looked_up} AND cache_age_ms IS NOT NULL",
            ),
            {_Y: "p50", "y_axis_2": "p95"}, unit="milliseconds",
        ),
        Panel(
            "Stale answers", "bar", stream, over_time(stream, {_Y: STALE}, looked_up), {_Y: "stale answers"},
            description="Each asks for a refresh in the background.",
        ),
        _retries(stream),
        _top(stream),
        _slowest(stream),
    )  # fmt: skip


def _events(streams: StreamNames) -> tuple[Panel, ...]:
    stream = streams.events
    letters = f"{DEAD_LETTER} AND {CHOSEN}"
    panels = (
        *_figures(stream, "Deliveries"),
        _throughput(stream, "Events published by outcome", f"{PUBLISHED} AND {CHOSEN}"),
        _throughput(stream, "Deliveries by outcome", _HANDLED),
        _errors(stream),
        _durations(stream),
        Panel(
            "Deliveries by subscriber", "table", stream,
            ranked(
                stream, "subscriber",
                {_Y: COUNT, "y_axis_2": ERROR_RATE, "y_axis_3": percentile(0.95)}, _HANDLED,
            ),
            {_Y: "deliveries", "y_axis_2": "errors %", "y_axis_3": "p95 ms"}, x="Subscriber", width=WIDTH,
        ),
        _retries(stream),
        Panel(
            "Dead letters", "bar", stream,
            over_time(stream, {_Y: COUNT}, letters, by="message_type"), {_Y: "dead letters"}, by="Message type",
        ),
        _top(stream),
        _slowest(stream),
    )  # fmt: skip
    return (*panels, *_backlog(streams.metrics)) if streams.metrics else panels


def _backlog(stream: str) -> tuple[Panel, ...]:
    depth = metric(stream, "cqrs.dead_letter.depth", {_Y: newest("metric_value")}, SERVICE_CHOSEN)
    age = metric(
        stream, "cqrs.dead_letter.oldest_age", {_Y: f"max({number('metric_value')})"}, SERVICE_CHOSEN
    )
    return (
        Panel("Dead letters that wait", "line", stream, depth, {_Y: "waiting"}),
        Panel("Age of the oldest dead letter", "line", stream, age, {_Y: "age"}, unit="seconds"),
    )


def _figures(stream: str, what: str) -> tuple[Panel, ...]:
    """Three single numbers over the whole time range."""
    shown = (
        (what, COUNT, "numbers"),
        ("Error rate", ERROR_RATE, "percent"),
        ("p95", percentile(0.95), "milliseconds"),
    )
    return tuple(
        Panel(title, "metric", stream, select(stream, {_Y: sql}, _HANDLED), {_Y: title}, x="", unit=unit, width=16)
        for title, sql, unit in shown
    )  # fmt: skip


def _throughput(stream: str, title: str, where: str) -> Panel:
    sql = over_time(stream, {_Y: COUNT}, where, by="outcome")
    return Panel(title, "area-stacked", stream, sql, {_Y: "messages"}, by="Outcome")


def _errors(stream: str) -> Panel:
    sql = over_time(stream, {_Y: ERROR_RATE}, _HANDLED)
    return Panel("Error rate", "line", stream, sql, {_Y: "error rate"}, unit="percent")


def _durations(stream: str) -> Panel:
    columns = {_Y: percentile(0.5), "y_axis_2": percentile(0.95), "y_axis_3": percentile(0.99)}
    labels = {_Y: "p50", "y_axis_2": "p95", "y_axis_3": "p99"}
    return Panel(
        "Duration", "line", stream, over_time(stream, columns, _HANDLED), labels, unit="milliseconds"
    )


def _retries(stream: str) -> Panel:
    sql = over_time(stream, {_Y: f"sum({number('retry_count')})"}, _HANDLED)
    return Panel("Retries", "bar", stream, sql, {_Y: "retries"})


def _top(stream: str) -> Panel:
    columns = {_Y: COUNT, "y_axis_2": ERROR_RATE, "y_axis_3": percentile(0.95)}
    labels = {_Y: "messages", "y_axis_2": "errors %", "y_axis_3": "p95 ms"}
    sql = ranked(stream, "message_type", columns, _HANDLED)
    return Panel("Most frequent message types", "table", stream, sql, labels, x="Message type")


def _slowest(stream: str) -> Panel:
    columns = {_Y: percentile(0.95), "y_axis_2": f"max({number('duration_ms')})", "y_axis_3": COUNT}
    labels = {_Y: "p95 ms", "y_axis_2": "max ms", "y_axis_3": "messages"}
    sql = ranked(stream, "message_type", columns, _HANDLED)
    return Panel("Slowest message types", "table", stream, sql, labels, x="Message type")


def _error_types(stream: str) -> Panel:
    sql = ranked(stream, "error_type", {_Y: COUNT}, f"{_HANDLED} AND error_type IS NOT NULL")
    return Panel("Errors by type", "table", stream, sql, {_Y: "messages"}, x="Error type", width=WIDTH)
