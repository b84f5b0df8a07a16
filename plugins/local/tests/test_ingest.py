"""Records into a stream."""

import asyncio
import errno
import gzip
import json
from typing import Any, cast

import pytest
from cqrs_local.answers import RefusedError
from cqrs_local.ingest import batch_of
from cqrs_local.limits import Limits
from cqrs_local.store_settings import StoreSettings

NOW = 1_800_000_000_000_000
DEEP = b"[" * 5000 + b"]" * 5000
DEEPEST = b"[" * 100_000 + b"]" * 100_000


def status(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json()["status"][0])


async def test_records_are_counted_and_can_be_read_at_once(api: Any) -> None:
    """What was answered is in the next search."""
    answer = await api.ingest("My-Stream", [{"a": 1}, {"a": 2}])

    assert status(answer) == {"name": "my_stream", "successful": 2, "failed": 0}
    assert {hit["a"] for hit in await api.hits("SELECT a FROM my_stream")} == {1, 2}


async def test_a_bad_record_fails_alone(api: Any) -> None:
    """The others are stored; the error is that of the last bad one."""
    records = [{"a": 1}, 7, {"a": 2, "_timestamp": "never"}, {"a": 3, "_timestamp": 1}, {"a": 4}]

    counts = status(await api.ingest("s", records))

    assert (counts["successful"], counts["failed"]) == (2, 3)
    assert counts["error"].startswith("Too old data")
    assert {hit["a"] for hit in await api.hits("SELECT a FROM s")} == {1, 4}


def test_the_limit_of_columns_takes_the_whole_batch() -> None:
    """With 1,000 columns a record is stored; with one more the batch is lost without a word, as on the server."""
    for columns, stored in ((999, 2), (1000, 0)):
        wide = {f"c{at}": at for at in range(columns)}
        batch = batch_of(json.dumps([{"ok": 1}, wide]).encode(), NOW, Limits())

        assert (len(batch.rows), batch.failed, batch.error) == (stored, 0, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[{",
        b'[{"a": NaN}]',
        b'[{"a": Infinity}]',
        b'[{"a": "\xff"}]',
        b'{"a": 1}{"a": 2}',
        DEEP,
        b'[{"a": %s}]' % DEEP[300:-300],
        DEEPEST,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a": "\\ud800"}',
        b"[1,]",
    ],
)
def test_a_body_that_is_no_json_is_refused_as_a_whole(body: bytes) -> None:
    """400 with the parser's word; nothing recurses too deep."""
    with pytest.raises(RefusedError) as refused:
        batch_of(body, NOW, Limits())

    assert refused.value.answer.status == 400
    assert json.loads(refused.value.answer.body)["message"].startswith("SerdeJsonError# ")


@pytest.mark.parametrize("depth", [100, 130])
def test_the_depth_of_a_record_has_a_limit(depth: int) -> None:
    """A record within the limit is stored, one beyond it refuses the request."""
    body = b'[{"a":' + b"[" * depth + b"1" + b"]" * depth + b"}]"
    if depth < Limits().nesting:
        assert len(batch_of(body, NOW, Limits()).rows) == 1
    else:
        with pytest.raises(RefusedError, match="400"):
            batch_of(body, NOW, Limits())


async def test_a_large_body_is_handled_beside_the_event_loop(api: Any) -> None:
    """It is counted like a small one."""
    records = [{"text": "x" * 1000, "at": at} for at in range(500)]
    body = gzip.compress(json.dumps(records).encode())

    answer = await api.http.post("/api/default/s/_json", content=body, headers={"content-encoding": "gzip"})

    assert status(answer)["successful"] == 500
    assert await api.hits("SELECT count(*) AS n FROM s") == [{"n": 500}]


async def test_a_record_of_1500_columns_leaves_the_stream_as_it_was(api: Any) -> None:
    """Neither stored nor failed, and what comes before and after is stored."""
    for records in ([{"a": 1}], [{f"c{at}": at for at in range(1500)}], [{"a": 2}]):
        assert status(await api.ingest("s", records))["failed"] == 0
    schema = (await api.http.get("/api/default/streams/s/schema?type=logs")).json()["schema"]

    assert {hit["a"] for hit in await api.hits("SELECT a FROM s")} == {1, 2}
    assert {column["name"] for column in schema} == {"_timestamp", "a"}


@pytest.mark.parametrize("path", ["_search", "dashboards", "alerts/templates", "streams/s?type=logs"])
async def test_no_body_is_too_deep_for_the_server(api: Any, path: str) -> None:
    """Depth 100,000 is a 400 wherever JSON is read, and the server goes on."""
    answer = await api.http.post(f"/api/default/{path}", content=DEEPEST)

    assert answer.status_code == 400, answer.text
    assert (await api.http.get("/healthz")).status_code == 200


async def test_a_bomb_is_a_413_and_others_are_served_meanwhile(open_api: Any) -> None:
    """What is compressed is unfolded beside the event loop."""
    api = await open_api(limits=Limits(body_bytes=50_000_000))
    bomb = gzip.compress(bytes(60_000_000), 1)
    headers = {"content-encoding": "gzip"}
    sending = asyncio.create_task(api.http.post("/api/default/s/_json", content=bomb, headers=headers))
    served = 0
    while not sending.done():
        served += (await api.http.get("/healthz")).status_code == 200
        await asyncio.sleep(0)

    assert (sending.result().status_code, served > 0) == (413, True)


async def test_a_body_beyond_the_limit_is_a_413(open_api: Any) -> None:
    """Compressed ones count unfolded."""
    api = await open_api(limits=Limits(body_bytes=1000))
    answer = await api.http.post(
        "/api/default/s/_json",
        content=gzip.compress(b"[" + b" " * 2000 + b"]"),
        headers={"content-encoding": "gzip"},
    )

    assert answer.status_code == 413


async def test_a_full_disk_is_a_503_and_stores_nothing_of_the_request(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is in the answer; when there is room again everything works."""
    await api.ingest("s", [{"a": 1}])
    backend = api.server._backend
    real = backend.store._wal._write
    room = [40]

    def full(file: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written: int = real(file, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(backend.store._wal, "_write", full)
    refused = await api.ingest("s", [{"a": 2}, {"a": 3}])
    fresh = await api.ingest("other", [{"a": 2}])
    monkeypatch.undo()
    after = await api.ingest("s", [{"a": 4}])

    assert (refused.status_code, fresh.status_code) == (503, 503)
    assert "No space left on device" in refused.json()["message"]
    assert status(after)["successful"] == 1
    assert {hit["a"] for hit in await api.hits("SELECT a FROM s")} == {1, 4}
    assert (await api.search("SELECT * FROM other")).json()["code"] == 20002


async def test_a_full_memory_is_a_503(open_api: Any) -> None:
    """While the disk cannot take segments, memory does not grow without end."""
    api = await open_api(settings=StoreSettings(memory_rows=3))
    await api.ingest("s", [{"a": 1}] * 3)
    refused = await api.ingest("s", [{"a": 2}])
    await api.flush()
    after = await api.ingest("s", [{"a": 3}])

    assert (refused.status_code, "memory is full" in refused.text) == (503, True)
    assert status(after)["successful"] == 1


async def test_columns_widen_for_ever(api: Any) -> None:
    """One stray text makes a number column text, in rows before and after, also over segments."""
    await api.http.post(
        "/api/default/streams/s", json={"fields": [{"name": "d", "type": "Float64"}], "settings": {}}
    )
    await api.ingest("s", [{"d": 1}, {"d": 2.5}])
    await api.flush()
    await api.ingest("s", [{"d": "abc"}])
    await api.flush()
    await api.ingest("s", [{"d": 7}])

    schema = (await api.http.get("/api/default/streams/s/schema")).json()["schema"]
    assert {"name": "d", "type": "Utf8"} in schema
    assert sorted(hit["d"] for hit in await api.hits("SELECT d FROM s")) == ["1", "2.5", "7", "abc"]
    assert await api.hits("SELECT max(TRY_CAST(d AS DOUBLE)) AS m, count(*) AS n FROM s") == [
        {"m": 7.0, "n": 4}
    ]
