"""Old segments go, small ones become one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cqrs_local.segments import Merge, Segments
from cqrs_local.store_settings import StoreSettings
from cqrs_local.upkeep import Upkeep

SETTINGS = StoreSettings(merge_files=3, retention_days=30)


async def fill(api: Any, batches: int, first: int = 0) -> None:
    """Batches of ten rows, numbered from `first` on, each in a segment of its own."""
    for batch in range(batches):
        await api.ingest("s", [{"n": first + batch * 10 + at} for at in range(10)])
        await api.flush()


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "data" / "segments").rglob("*.*"))


async def counted(api: Any) -> tuple[int, int]:
    (hit,) = await api.hits("SELECT count(*) AS n, count(DISTINCT n) AS d FROM s")
    return hit["n"], hit["d"]


async def test_small_segments_become_one_and_every_row_is_there_once(open_api: Any, tmp_path: Path) -> None:
    """Now, and after a restart; the next ones are added to it."""
    api = await open_api(settings=SETTINGS)
    await fill(api, 5)
    await Upkeep(api.server._backend.store).run_once()

    assert (len(files(tmp_path)), await counted(api)) == (1, (50, 50))
    await fill(api, 2, 50)
    await Upkeep(api.server._backend.store).run_once()
    assert len(files(tmp_path)) == 1
    await api.server.close()
    again = await open_api(settings=SETTINGS)
    assert (await again.hits("SELECT count(*) AS n FROM s"))[0]["n"] == 70


async def test_a_kill_between_rename_and_removal_stores_nothing_twice(open_api: Any, tmp_path: Path) -> None:
    """The name of the merged file says what it replaces; whatever was left is removed at the next start."""
    api = await open_api(settings=SETTINGS)
    await fill(api, 4)
    run = list(api.server._backend.store.index.of(1))
    await api.server.close()
    merge = Merge.prepare(run)
    merge.fresh.rename(merge.segment.path)
    run[0].path.unlink()
    assert len(files(tmp_path)) == 4
    again = await open_api(settings=SETTINGS)

    assert await counted(again) == (40, 40)
    assert len(files(tmp_path)) == 1


async def test_a_kill_while_merging_leaves_nothing(open_api: Any, tmp_path: Path) -> None:
    """An unfinished file is no segment."""
    api = await open_api(settings=SETTINGS)
    await fill(api, 3)
    run = list(api.server._backend.store.index.of(1))
    await api.server.close()
    Merge.prepare(run)
    again = await open_api(settings=SETTINGS)

    assert await counted(again) == (30, 30)
    assert len(files(tmp_path)) == 3


async def test_a_full_disk_costs_nothing_but_the_merge(
    open_api: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """The segments are what they were; the next attempt works."""
    api = await open_api(settings=SETTINGS)
    await fill(api, 3)
    store = api.server._backend.store
    with monkeypatch.context() as patched:
        patched.setattr("cqrs_local.segments._sync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            await Upkeep(store).run_once()
    assert (len(files(tmp_path)), await counted(api)) == (3, (30, 30))
    await Upkeep(store).run_once()
    assert (len(files(tmp_path)), await counted(api)) == (1, (30, 30))


async def test_rows_older_than_the_retention_go_with_their_segment(open_api: Any, clock: Any) -> None:
    """That of the stream wins over that of the server."""
    api = await open_api(settings=SETTINGS, clock=clock)
    for name in ("s", "kept"):
        await api.ingest(name, [{"n": 1}])
    await api.http.put("/api/default/streams/kept/settings", json={"data_retention": 60})
    await api.flush()
    clock.now += 31 * 86_400 * 1_000_000_000
    await api.ingest("s", [{"n": 2}])
    await api.flush()
    await Upkeep(api.server._backend.store).run_once()
    wide = {"start_time": 0, "end_time": clock.now // 1000 + 1}

    assert [hit["n"] for hit in await api.hits("SELECT n FROM s", **wide)] == [2]
    assert len(await api.hits("SELECT n FROM kept", **wide)) == 1


async def test_queries_during_upkeep_see_every_row_once(open_api: Any) -> None:
    """Whatever is merged meanwhile."""
    api = await open_api(settings=SETTINGS)
    await fill(api, 6)
    upkeep, done = Upkeep(api.server._backend.store), False

    async def look() -> None:
        while not done:
            n, d = await counted(api)
            assert n == d >= 60
            await asyncio.sleep(0)

    async def tend() -> None:
        nonlocal done
        for first in (60, 90, 120):
            await upkeep.run_once()
            await fill(api, 3, first)
        done = True

    async with asyncio.TaskGroup() as group:
        group.create_task(tend())
        for _ in range(2):
            group.create_task(look())


async def test_the_server_looks_after_its_segments_by_itself(
    open_api: Any, until: Any, tmp_path: Path
) -> None:
    """Without anybody asking."""
    api = await open_api(settings=StoreSettings(merge_files=3, upkeep_seconds=0.01))
    await fill(api, 4)

    await until(lambda: len(files(tmp_path)) < 3)


def test_a_merged_file_is_read_like_any_other(tmp_path: Path) -> None:
    """A start finds it by its name."""
    from cqrs_local import arrow
    from cqrs_local.column_types import ColumnType

    columns = {"_timestamp": ColumnType.INT64}
    segments = Segments(tmp_path)
    run = [segments.write(1, at, arrow.table_of([{"_timestamp": at}], columns), columns) for at in (1, 2, 3)]
    merged = Merge.prepare(run).publish(run)

    assert Segments(tmp_path).load(frozenset({1})) == {1: [merged]}
    assert (merged.since, merged.generation, merged.first, merged.last, merged.rows) == (1, 3, 1, 3, 3)
