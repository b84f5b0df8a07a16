"""Metrics as rows."""

import json

from cqrs_openobserve.metric_catalogue import DROPPED, DURATIONS, INFLIGHT
from cqrs_openobserve.metric_cells import MetricCells
from cqrs_openobserve.metric_rows import MetricRows
from cqrs_openobserve.service import Service

ROWS = MetricRows(Service("orders", None, None, "h"), "inst")


def test_a_series_is_a_row_and_a_histogram_is_three() -> None:
    """Count, sum and maximum; percentiles come from the records."""
    cells = MetricCells()
    for seconds in (0.5, 1.5):
        cells.cell(DURATIONS["command"], "Place", "success", "").add(seconds)
    cells.cell(DURATIONS["query"], "Find", "success", "", "")
    cells.read(INFLIGHT, 2, "command", "Place")
    cells.read(DROPPED, 7, "logs", "expired")
    rows = [json.loads(row) for row in ROWS.rows(cells.series(), 5)]

    assert [
        (row["metric_name"], row["metric_value"], row["metric_type"], row["metric_unit"]) for row in rows
    ] == [
        ("cqrs.command.duration.count", 2.0, "counter", "1"),
        ("cqrs.command.duration.sum", 2.0, "counter", "s"),
        ("cqrs.command.duration.max", 1.5, "gauge", "s"),
        ("cqrs.inflight", 2.0, "gauge", "{message}"),
        ("cqrs.telemetry.dropped", 7.0, "counter", "{item}"),
    ]
    assert (rows[0]["message_type"], rows[0]["outcome"]) == ("Place", "success")
    assert [row.get("labels") for row in rows] == [
        None,
        None,
        None,
        "cqrs.kind=command",
        "cqrs.signal=logs,cqrs.reason=expired",
    ]
    assert {type(row["metric_value"]) for row in rows} == {float}
    assert {(row["record"], row["_timestamp"], row["service_name"]) for row in rows} == {
        ("snapshot", 5, "orders")
    }
    assert len({row["record_id"] for row in rows}) == 5


def test_a_probe_row_fills_every_column() -> None:
    """So that one record makes the server know them all."""
    cells = MetricCells()
    cells.read(DROPPED, 7, "logs", "expired")
    (row,) = (json.loads(row) for row in ROWS.rows(cells.series(), 5))
    probe = ROWS.probe_row(5, "probe-1")

    assert set(row) < set(probe)
    assert {name: type(probe[name]) for name in row} == {name: type(value) for name, value in row.items()}
    assert None not in probe.values()
