"""The store: what was answered is there, once, whatever happens to the process or the disk."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cqrs_local import arrow, durable
from cqrs_local.column_types import ColumnType
from cqrs_local.store import Store
from cqrs_local.store_settings import StoreSettings

KEY = ("default", "logs", "s")
OpenStore = Callable[..., Awaitable[Store]]


def rows(numbers: range | list[int]) -> list[dict[str, Any]]:
    return [{"_timestamp": number + 1, "n": number} for number in numbers]


def stored(store: Store, key: tuple[str, str, str] = KEY) -> list[int]:
    """Every number that a query would see, in memory and in segments."""
    view = store.view(key)
    if view is None:
        return []
    found: list[Any] = [number for table in view.memory for number in table.column("n").to_pylist()]
    for shape in view.shapes:
        for segment in shape.segments:
            if segment.generation < view.before:
                table = arrow._pq.read_table(segment.path)
                found += table.column("n").to_pylist()
    return sorted(found)


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Opens stores; each is closed at the end."""
    opened: list[Store] = []

    async def open_one(directory: Path = tmp_path, **settings: Any) -> Store:
        store = Store(directory, StoreSettings(**settings))
        store.start()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


def crashed(directory: Path, to: Path) -> Path:
    """The directory as a kill at this moment leaves it."""
    shutil.copytree(directory, to)
    return to


async def test_a_killed_process_loses_nothing_that_was_answered(
    open_store: OpenStore, tmp_path: Path
) -> None:
    """Neither before the first segment nor between segments; stream, columns and organisation come back too."""
    (tmp_path / "a").mkdir()
    store = await open_store(tmp_path / "a")
    await store.ingest(KEY, rows(range(5)))
    first = crashed(tmp_path / "a", tmp_path / "b")
    await store.flush()
    await store.ingest(KEY, rows(range(5, 8)))
    second = crashed(tmp_path / "a", tmp_path / "c")

    early, late = await open_store(first), await open_store(second)

    assert stored(early) == list(range(5))
    assert stored(late) == list(range(8))
    assert early.catalogue.orgs == {"default": 1}
    stream = early.catalogue.find(KEY)
    assert stream is not None
    assert stream.columns["n"] is ColumnType.INT64


async def test_a_kill_between_a_segment_and_the_end_of_its_log_stores_nothing_twice(
    open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is still there, the segment is there already: the segment counts."""
    (tmp_path / "a").mkdir()
    store = await open_store(tmp_path / "a")
    await store.ingest(KEY, rows(range(5)))
    copies: list[Path] = []
    real = durable.publish

    def publish(fresh: Path, path: Path) -> None:
        copies.append(crashed(tmp_path / "a", tmp_path / f"before-{len(copies)}"))
        real(fresh, path)
        copies.append(crashed(tmp_path / "a", tmp_path / f"after-{len(copies)}"))

    monkeypatch.setattr("cqrs_local.segments.publish", publish)
    await store.flush()
    monkeypatch.undo()

    assert len(copies) == 2
    for copy in copies:
        reopened = await open_store(copy)
        assert stored(reopened) == list(range(5))
        await reopened.flush()
        assert stored(reopened) == list(range(5))
        assert list((copy / "segments").rglob("*.unfinished")) == []


@pytest.mark.parametrize("cut", [1, 7, 20])
async def test_a_torn_tail_is_ignored(open_store: OpenStore, tmp_path: Path, cut: int) -> None:
    """What was written whole before it is there, and the store goes on."""
    (tmp_path / "a").mkdir()
    store = await open_store(tmp_path / "a")
    await store.ingest(KEY, rows(range(3)))
    await store.ingest(KEY, rows(range(3, 6)))
    copy = crashed(tmp_path / "a", tmp_path / "b")
    (log,) = (copy / "wal").iterdir()
    os.truncate(log, log.stat().st_size - cut)
    reopened = await open_store(copy)
    await reopened.ingest(KEY, rows([9]))

    assert stored(reopened) == [0, 1, 2, 9]


async def test_an_orderly_stop_leaves_segments_and_no_log_with_rows(
    open_store: OpenStore, tmp_path: Path
) -> None:
    """The next start has nothing to replay."""
    store = await open_store()
    await store.ingest(KEY, rows(range(5)))
    await store.close()
    reopened = await open_store()

    assert stored(reopened) == list(range(5))
    assert all(not table.num_rows for table in reopened.view(KEY).memory)
    assert len(list((tmp_path / "segments").rglob("*.parquet"))) == 1


async def test_segments_are_written_when_rows_are_due(open_store: OpenStore, until: Any) -> None:
    """Without anybody asking."""
    store = await open_store(segment_rows=10)
    await store.ingest(KEY, rows(range(10)))
    await until(lambda: bool(store.index.of(1)))

    assert stored(store) == list(range(10))
    assert store._generations()[0].rows == 0


async def test_a_disk_that_takes_no_segment_keeps_everything_readable(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, until: Any
) -> None:
    """It is said, tried again, and nothing is lost or doubled when the disk comes back."""
    store = await open_store(segment_rows=3, retry_seconds=0.01)
    broken = [True]
    real = durable.publish

    def publish(fresh: Path, path: Path) -> None:
        if broken[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fresh, path)

    monkeypatch.setattr("cqrs_local.segments.publish", publish)
    await store.ingest(KEY, rows(range(3)))
    await until(lambda: "segments cannot be written" in caplog.text)
    await store.ingest(KEY, rows(range(3, 5)))
    assert stored(store) == list(range(5))
    broken[0] = False
    await store.flush()

    assert stored(store) == list(range(5))
    assert not store._frozen


async def test_waiting_for_the_disk_serves_many_at_once(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fsync each answer waits, but one wait covers all that came before it began."""
    store = await open_store(fsync=True)
    synced: list[int] = []
    real = store._wal.sync

    def sync() -> None:
        synced.append(store._appended)
        real()

    monkeypatch.setattr(store._wal, "sync", sync)
    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(store.ingest(KEY, rows([number])))

    assert synced[-1] == 50
    assert len(synced) < 10
    assert stored(store) == list(range(50))


async def test_rows_that_come_during_a_flush_are_there_once(open_store: OpenStore) -> None:
    """Nothing falls between memory and segments."""
    store = await open_store()

    async def ingest() -> None:
        for number in range(200):
            await store.ingest(KEY, rows([number]))
            await asyncio.sleep(0)

    async def flush() -> None:
        for _ in range(10):
            await store.flush()
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(ingest())
        group.create_task(flush())

    assert stored(store) == list(range(200))
