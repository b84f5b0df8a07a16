"""What the three dashboards show, on the engine."""

from typing import Any

import pytest
from cqrs_openobserve.provision.alerts import rules
from cqrs_openobserve.provision.boards import dashboards
from cqrs_openobserve.provision.queries import ERROR_RATE, HIT_RATE, StreamNames, percentile

NAMES = StreamNames("cqrs_commands", "cqrs_queries", "cqrs_events", "cqrs_metrics")
BOARDS = {board.title: board for board in dashboards(NAMES)}


async def fill(engine: Any, *, widened: bool) -> None:
    """Records of every kind that a panel shows; on request a stray text in every column of numbers."""
    start = engine.now - 30_000_000
    for stream in ("cqrs_commands", "cqrs_queries", "cqrs_events"):
        records: list[dict[str, object]] = [
            {
                "record": "handled", "outcome": "error" if at % 10 == 0 else "success", "duration_ms": at + 0.5,
                "retry_count": at % 2, "message_type": f"M{at % 3}", "service_name": "orders", "error_type": "E",
                "cache_status": "stale" if at % 2 else "miss", "cache_age_ms": at + 0.5, "subscriber": f"s{at % 2}",
                "_timestamp": start + at,
            }
            for at in range(30)
        ]  # fmt: skip
        extra = {"message_type": "M0", "service_name": "orders", "outcome": "success", "_timestamp": start}
        records += [{**extra, "record": "published"}, {**extra, "record": "dead_letter"}]
        if widened:
            stray = dict.fromkeys(("duration_ms", "retry_count", "cache_age_ms"), "abc")
            records.append({**extra, "record": "probe", **stray})
        await engine.ingest(stream, records)
    metrics: list[dict[str, object]] = [
        {
            "record": "snapshot",
            "metric_name": name,
            "metric_value": 2.0,
            "service_name": "orders",
            "_timestamp": start,
        }
        for name in ("cqrs.dead_letter.depth", "cqrs.dead_letter.oldest_age")
    ]
    if widened:
        metrics.append({"record": "probe", "metric_value": "abc"})
    await engine.ingest("cqrs_metrics", metrics)


@pytest.mark.parametrize("widened", [False, True])
@pytest.mark.parametrize("title", list(BOARDS))
async def test_every_panel_has_data_in_the_columns_it_names(engine: Any, title: str, widened: bool) -> None:  # noqa: FBT001 - a table
    """With the variables at their default; also when stray values turned numbers into text."""
    await fill(engine, widened=widened)
    for panel in BOARDS[title].panels:
        rows = await engine.rows(panel.sql.replace("$message_type", "%").replace("$service", "%"))
        wanted = {*panel.columns, *(["x_axis_1"] if panel.x else []), *(["breakdown_1"] if panel.by else [])}

        assert rows, panel.title
        assert wanted <= set().union(*rows), panel.title
        assert all(isinstance(row.get(name, 0), int | float) for row in rows for name in panel.columns), (
            panel.title
        )


@pytest.mark.parametrize("title", list(BOARDS))
async def test_every_dashboard_is_taken_by_the_server(engine: Any, title: str) -> None:
    """And comes back as it was sent."""
    sent: Any = BOARDS[title].body()
    answer = await engine.http.post("/api/default/dashboards", json=sent)

    assert answer.status_code == 200, answer.text
    got = answer.json()["v5"]
    assert [panel["queries"] for panel in got["tabs"][0]["panels"]] == [
        panel["queries"] for panel in sent["tabs"][0]["panels"]
    ]


EVERYWHERE = {"Error rate", "Duration", "Retries", "Most frequent message types", "Slowest message types"}
OWN = {
    "CQRS commands": {"Commands by outcome"},
    "CQRS queries": {
        "Queries by outcome",
        "Cache look-ups by status",
        "Cache hit rate",
        "Age of answers from the cache",
        "Stale answers",
    },
    "CQRS events": {
        "Events published by outcome",
        "Deliveries by subscriber",
        "Dead letters",
        "Dead letters that wait",
        "Age of the oldest dead letter",
    },
}


@pytest.mark.parametrize("title", list(BOARDS))
def test_a_dashboard_shows_what_it_promises(title: str) -> None:
    """Throughput, errors, durations, retries, what is frequent and what is slow on each; and what is its own."""
    shown = {panel.title for panel in BOARDS[title].panels}

    assert shown >= EVERYWHERE | OWN[title]


async def test_a_figure_is_the_number_that_the_records_make(engine: Any) -> None:
    """Thirty commands, three of them errors."""
    await fill(engine, widened=True)
    shown = {}
    for panel in BOARDS["CQRS commands"].panels[:3]:
        (row,) = await engine.rows(panel.sql.replace("$message_type", "%").replace("$service", "%"))
        shown[panel.title] = row["y_axis_1"]

    assert (shown["Commands"], shown["Error rate"]) == (30, 10.0)
    assert 27 < shown["p95"] < 30


@pytest.mark.parametrize("expression", [ERROR_RATE, HIT_RATE, percentile(0.95)])
def test_a_panel_and_its_alert_have_the_same_expression(expression: str) -> None:
    """Written once, so that they cannot disagree."""
    assert any(expression in rule.sql for rule in rules(NAMES))
    assert any(expression in panel.sql for board in BOARDS.values() for panel in board.panels)


def test_without_a_stream_of_metrics_its_panels_are_missing() -> None:
    """They could never show anything."""
    titles = {panel.title for board in dashboards(StreamNames("c", "q", "e")) for panel in board.panels}

    assert "Dead letters that wait" not in titles
    assert {"Dead letters", "Cache hit rate", "Duration"} <= titles
