"""From observations to metric cells."""

from typing import Any

import pytest
from cqrs_openobserve.bus_metrics import BusMetrics
from cqrs_openobserve.metric_cells import MetricCells
from cqrs_openobserve.observations import More, Subject


def measured(*seen: Any) -> dict[tuple[str, ...], float]:
    """Count of each histogram and total of each counter, by metric and labels."""
    cells = MetricCells()
    metrics = BusMetrics(cells)
    for subject, outcome, seconds, more in seen:
        metrics.add((subject, outcome, 0, round(seconds * 1e9), 1, 1, None, 1, 1, 0, False, more))
    return {
        (series.metric.name.removeprefix("cqrs."), *series.labels): series.cell.count
        if series.metric.type == "histogram"
        else series.cell.total
        for series in cells.series()
    }


def subject(kind: Any, record: Any = "handled", subscriber: str | None = None) -> Subject:
    return Subject(kind, record, "M", "h", subscriber)


@pytest.mark.parametrize(
    ("seen", "series"),
    [
        ((subject("command"), "success", 0.1, None), {("command.duration", "M", "success", ""): 1}),
        ((subject("command"), "error", 0.1, More("E")), {("command.duration", "M", "error", "E"): 1}),
        ((subject("command"), "start", 0.1, None), {}),
        ((subject("event", "probe"), "success", 0.1, None), {}),
        (
            (subject("event", subscriber="s"), "success", 0.1, None),
            {("event.duration", "M", "success", "", "s"): 1},
        ),
        (
            (subject("event", "published"), "success", 0.1, More(subscribers=2)),
            {("event.publishes", "M", "success"): 1},
        ),
        (
            (subject("event", "dead_letter", "s"), "error", 0, More(letter="L")),
            {("dead_letter.parked", "M"): 1},
        ),
        (
            (subject("query"), "success", 0.1, More(retries=2)),
            {("query.duration", "M", "success", "", ""): 1, ("query.retries", "M"): 2},
        ),
        (
            (subject("query"), "success", 0.1, More(notes={"cache_status": "hit", "cache_age_ms": 1500.0})),
            {
                ("query.duration", "M", "success", "", "hit"): 1,
                ("query.cache.lookups", "M", "hit"): 1,
                ("query.cache.age", "M"): 1,
            },
        ),
        (
            (subject("query"), "success", 0.1, More(notes={"cache_status": 5, "cache_age_ms": "old"})),
            {("query.duration", "M", "success", "", "5"): 1, ("query.cache.lookups", "M", "5"): 1},
        ),
    ],
)
def test_what_an_observation_adds_to(seen: Any, series: dict[tuple[str, ...], float]) -> None:
    """Each kind of record to its own metrics."""
    assert measured(seen) == series


def test_observations_add_up() -> None:
    """The usual ones through a look-up of their own, into the same series as the others."""
    command = subject("command")
    seen = [
        (command, "success", 0.1, None),
        (command, "success", 0.2, More()),
        (command, "success", 0.3, None),
    ]

    assert measured(*seen) == {("command.duration", "M", "success", ""): 3}


def test_an_error_type_cannot_be_endless() -> None:
    """It becomes a label."""
    ((*_, label),) = measured((subject("command"), "error", 0.1, More("E" * 10_000)))

    assert label == "E" * 100
