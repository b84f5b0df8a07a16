"""SQL that alerts and panels share, on the engine."""

from typing import Any

import pytest
from cqrs_openobserve.provision import queries

SQL_OF_ALL = {
    "total": queries.COUNT,
    "errors": queries.ERRORS,
    "error_rate": queries.ERROR_RATE,
    "hit_rate": queries.HIT_RATE,
    "stale": queries.STALE,
    "p50": queries.percentile(0.5),
    "newest": queries.newest("duration_ms"),
    "sum": f"sum({queries.number('duration_ms')})",
}


@pytest.fixture(params=[False, True], ids=["clean", "widened"])
async def filled(request: Any, engine: Any) -> Any:
    """Ten queries of 1 to 10 ms, three of them errors; on the second run a stray text widened the column."""
    statuses = ["hit", "fresh", "stale", "stale_error", "negative", "miss", "miss", "bypass", None, None]
    start = engine.now - 20_000_000
    records: list[dict[str, object]] = [
        {
            "record": "handled", "outcome": "error" if at < 3 else "success", "duration_ms": at + 1.0,
            "cache_status": statuses[at], "message_type": "A" if at % 2 else "B", "service_name": "orders",
            "_timestamp": start + at * 1_000_000,
        }
        for at in range(10)
    ]  # fmt: skip
    await engine.ingest("s", records)
    if request.param:
        await engine.ingest("s", [{"record": "probe", "duration_ms": "abc"}])
    return engine


async def test_every_expression_answers_rightly_whatever_became_of_the_column(filled: Any) -> None:
    """Shares with a fraction, percentiles, the newest value: the same on a column that became text."""
    (row,) = await filled.rows(queries.select("s", SQL_OF_ALL, queries.HANDLED))

    assert row == {
        "total": 10, "errors": 3, "error_rate": 30.0, "hit_rate": 50.0, "stale": 2, "p50": 5.5, "newest": 10.0,
        "sum": 55.0,
    }  # fmt: skip


async def test_a_bypass_is_no_look_up(filled: Any) -> None:
    """Nor is a query without a cache: five hits among seven."""
    (row,) = await filled.rows(
        queries.select("s", {"n": queries.COUNT, "r": queries.HIT_RATE}, queries.LOOKED_UP)
    )

    assert (row["n"], round(row["r"], 3)) == (7, 71.429)


async def test_a_curve_counts_every_record_once(filled: Any) -> None:
    """In order of time, apart by a column if wanted."""
    total = await filled.rows(queries.over_time("s", {"y": queries.COUNT}, queries.HANDLED))
    apart = await filled.rows(queries.over_time("s", {"y": queries.COUNT}, queries.HANDLED, by="outcome"))

    assert sum(row["y"] for row in total) == 10
    assert sorted(row["x_axis_1"] for row in total) == [row["x_axis_1"] for row in total]
    assert sum(row["y"] for row in apart if row["breakdown_1"] == "error") == 3


async def test_a_table_is_ranked_by_its_first_column(filled: Any) -> None:
    """The largest first, at most as many as asked for."""
    rows = await filled.rows(
        queries.ranked("s", "message_type", {"y": queries.percentile(1.0)}, queries.HANDLED)
    )

    assert [(row["x_axis_1"], row["y"]) for row in rows] == [("A", 10.0), ("B", 9.0)]
    assert (
        len(await filled.rows(queries.ranked("s", "message_type", {"y": queries.COUNT}, "true", limit=1)))
        == 1
    )


async def test_variables_at_their_default_leave_everything_in(filled: Any) -> None:
    """A part of a name with `%` leaves in what begins so."""
    sql = queries.select("s", {"n": queries.COUNT}, f"{queries.HANDLED} AND {queries.CHOSEN}")

    for chosen, rows in (("%", 10), ("A", 5), ("A%", 5), ("nosuch", 0)):
        text = sql.replace("$message_type", chosen).replace("$service", "%")
        assert await filled.rows(text) == [{"n": rows}]


async def test_metrics_are_read_from_snapshots(engine: Any) -> None:
    """Probes and other metrics do not count."""
    start = engine.now - 5_000_000
    rows: list[dict[str, object]] = [
        {"record": record, "metric_name": name, "metric_value": value, "_timestamp": start + at}
        for at, (record, name, value) in enumerate(
            [
                ("snapshot", "depth", 1.0),
                ("snapshot", "depth", 4.0),
                ("probe", "depth", 9.0),
                ("snapshot", "x", 7.0),
            ]
        )
    ]
    await engine.ingest("m", rows)

    found = await engine.rows(queries.metric("m", "depth", {"y": queries.newest("metric_value")}))
    assert [row["y"] for row in found] == [4.0]


def test_a_name_with_quotes_cannot_end_early() -> None:
    """Names of streams are settings."""
    assert 'FROM "a""b" WHERE' in queries.select('a"b', {"n": "count(*)"}, "true")
