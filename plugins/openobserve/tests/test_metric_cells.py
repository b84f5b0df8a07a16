"""Metrics in cells of our own."""

import pytest
from cqrs_openobserve.metric_catalogue import DURATIONS, INFLIGHT, MOST_SERIES, PUBLISHES
from cqrs_openobserve.metric_cells import MetricCells

COMMANDS = DURATIONS["command"]


def test_a_histogram_counts_into_the_bucket_whose_bound_is_not_below() -> None:
    """A value on a bound belongs to that bound's bucket, as OpenTelemetry has it."""
    cell = MetricCells().cell(COMMANDS, "Place", "success", "")
    for value in (0.3, 0.30001, 99.0, 0.0):
        cell.add(value)

    at = COMMANDS.bounds.index(0.3)
    assert (cell.buckets[at], cell.buckets[at + 1], cell.buckets[-1], cell.buckets[0]) == (1, 1, 1, 1)
    assert (cell.count, cell.least, cell.most) == (4, 0.0, 99.0)
    assert cell.total == pytest.approx(99.60001)


def test_counters_add_and_gauges_are_set() -> None:
    """The two ways to change a series without buckets."""
    cells = MetricCells()
    cells.count(PUBLISHES, "Placed", "success")
    cells.count(PUBLISHES, "Placed", "success", by=2)
    cells.read(INFLIGHT, 5, "command", "Place")
    cells.read(INFLIGHT, 3, "command", "Place")

    assert {series.metric.name: series.cell.total for series in cells.series()} == {
        "cqrs.event.publishes": 3,
        "cqrs.inflight": 3,
    }


def test_fifty_thousand_label_sets_are_two_thousand_series() -> None:
    """What comes after the bound shares series named _OTHER, by outcome; no value is lost."""
    cells = MetricCells()
    for number in range(50_000):
        cells.cell(COMMANDS, f"Message{number}", "error" if number % 2 else "success", f"E{number}").add(0.01)

    series = list(cells.series())
    assert len(series) <= MOST_SERIES + 2
    assert sum(each.cell.count for each in series) == 50_000
    others = [each.attributes for each in series if each.labels[0] == "_OTHER"]
    assert {"cqrs.message": "_OTHER", "cqrs.outcome": "error", "error.type": "_OTHER"} in others
    assert len(others) == 2


def test_empty_labels_are_no_attributes() -> None:
    """A success carries no error.type."""
    cells = MetricCells()
    cells.cell(COMMANDS, "Place", "success", "")

    assert [each.attributes for each in cells.series()] == [
        {"cqrs.message": "Place", "cqrs.outcome": "success"}
    ]
