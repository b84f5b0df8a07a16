"""The query engine over views of streams."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cqrs_local import arrow
from cqrs_local.column_types import ColumnType, Row
from cqrs_local.engine import Engine, Query
from cqrs_local.limits import Limits
from cqrs_local.segments import Segments
from cqrs_local.views import Shape, StreamView

OLD = {
    "_timestamp": ColumnType.INT64,
    "f": ColumnType.FLOAT64,
    "i": ColumnType.INT64,
    "b": ColumnType.BOOLEAN,
}
NEW = {
    "_timestamp": ColumnType.INT64, "f": ColumnType.UTF8, "i": ColumnType.FLOAT64, "b": ColumnType.UTF8, 'q"u': ColumnType.UINT64,
}  # fmt: skip
ROW: Row = {"_timestamp": 1, "f": 2.0, "i": 3, "b": True}
ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000000000)"


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """An engine that runs one query at a time."""
    made = Engine(Limits(queries=1))
    yield made
    made.close()


def view(directory: Path, *, before: int = 9) -> StreamView:
    """A stream with one segment of old columns and one row of new ones in memory."""
    segments = Segments(directory)
    written = segments.write(1, 5, arrow.table_of([ROW], OLD), OLD)
    memory = arrow.table_of([{"_timestamp": 2, "f": "x", "i": 0.5, "b": "?", 'q"u': 7}], NEW)
    shape = Shape(written.shape, segments.columns(written), [written])
    return StreamView(NEW, (), [memory], [shape], before)


def query(sql: str, stream: StreamView, end: int = 10) -> Query:
    return Query(sql, {"s": stream}, 0, end, 100)


async def test_older_segments_look_like_newer_columns(engine: Engine, tmp_path: Path) -> None:
    """Widened values are written as rows in memory would be; missing columns are null; odd paths and names work."""
    odd = tmp_path / "a b[c]*?%"
    odd.mkdir()
    rows = (await engine.run(query("SELECT * FROM s ORDER BY _timestamp", view(odd)), 5)).unwrap()

    assert rows == [
        {"_timestamp": 1, "f": "2", "i": 3.0, "b": "true"},
        {"_timestamp": 2, "f": "x", "i": 0.5, "b": "?", 'q"u': 7},
    ]


async def test_rows_of_a_generation_in_memory_are_left_out_on_disk(engine: Engine, tmp_path: Path) -> None:
    """Between the write of a segment and the end of its memory no row counts twice."""
    for before, count in ((6, 2), (5, 1)):
        outcome = await engine.run(query("SELECT count(*) AS n FROM s", view(tmp_path, before=before)), 5)
        assert outcome.unwrap() == [{"n": count}]


async def test_the_end_of_the_time_range_is_out(engine: Engine, tmp_path: Path) -> None:
    """Start in, end out."""
    outcome = await engine.run(query("SELECT count(*) AS n FROM s", view(tmp_path), end=2), 5)

    assert outcome.unwrap() == [{"n": 1}]


async def test_a_query_that_is_given_up_frees_its_turn(engine: Engine, tmp_path: Path) -> None:
    """The one query that may run at a time never ends; after its deadline the next one runs."""
    stream = view(tmp_path)
    with pytest.raises(TimeoutError):
        await engine.run(query(f"{ENDLESS}, s", stream), 0.2)

    assert (await engine.run(query("SELECT 1 AS n FROM s LIMIT 1", stream), 5)).unwrap() == [{"n": 1}]


async def test_waiting_for_a_turn_counts(engine: Engine, tmp_path: Path) -> None:
    """A query behind a long one gives up at its own deadline."""
    stream = view(tmp_path)
    long = asyncio.create_task(engine.run(query(f"{ENDLESS}, s", stream), 0.5))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await engine.run(query("SELECT 1 FROM s", stream), 0.1)
    with pytest.raises(TimeoutError):
        await long


async def test_a_cancelled_caller_stops_its_query(engine: Engine, tmp_path: Path, until: Any) -> None:
    """Cancellation passes, and the turn is free."""
    running = asyncio.create_task(engine.run(query(f"{ENDLESS}, s", view(tmp_path)), 60))
    await until(engine._turn.locked)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (await engine.run(query("SELECT 1 AS n FROM s LIMIT 1", view(tmp_path)), 5)).unwrap() == [{"n": 1}]


async def test_planning_and_running_are_told_apart(engine: Engine, tmp_path: Path) -> None:
    """An unknown field comes up before, a bad cast while running."""
    planned = await engine.run(query("SELECT nofield FROM s", view(tmp_path)), 5)
    ran = await engine.run(query("SELECT CAST(f AS BIGINT) FROM s", view(tmp_path)), 5)

    assert (planned.failure().running, ran.failure().running) == (False, True)


async def test_the_threads_end_with_the_engine(tmp_path: Path) -> None:
    """Nothing is left behind."""
    engine = Engine(Limits())
    await engine.run(query("SELECT 1 FROM s", view(tmp_path)), 5)
    engine.close()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("cqrs-local")]
