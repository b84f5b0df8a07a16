"""Calls about streams."""

import errno
from typing import Any

import pytest

CREATE = {"fields": [{"name": "d", "type": "Float64"}, {"name": "Odd-Name", "type": "Utf8"}], "settings": {}}


async def test_a_created_column_can_be_selected_before_any_record(api: Any) -> None:
    """No hits without records, no field of a null in a hit, no error."""
    await api.http.post("/api/default/streams/s", json=CREATE)

    assert await api.hits("SELECT d, odd_name FROM s") == []
    await api.ingest("s", [{"other": 1}])
    (hit,) = await api.hits("SELECT d, odd_name, other FROM s")
    assert set(hit) == {"_timestamp", "other"}


async def test_creating_twice_is_refused(api: Any) -> None:
    """Also under another spelling of the name."""
    first = await api.http.post("/api/default/streams/my-s", json=CREATE)
    again = await api.http.post("/api/default/streams/my_s", json=CREATE)

    assert (first.status_code, first.json()) == (200, {"code": 200, "message": "stream created"})
    assert (again.status_code, again.json()) == (400, {"code": 400, "message": "stream already exists"})


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "missing field `fields`"),
        ({"fields": []}, 422, "missing field `settings`"),
        ({"fields": {}, "settings": {}}, 422, "fields: invalid type: map, expected a sequence"),
        ({"fields": [1], "settings": {}}, 422, "fields[]: invalid type: integer `1`"),
        ({"fields": [{"name": "a"}], "settings": {}}, 422, "fields[]: missing field `type`"),
        ({"fields": [{"name": "a", "type": "Text"}], "settings": {}}, 400, "unknown field type: Text"),
        ([], 422, "invalid type: sequence"),
    ],
)
async def test_a_wrong_body_is_refused_and_creates_nothing(
    api: Any, body: Any, status: int, said: str
) -> None:
    """The answer names what is wrong."""
    answer = await api.http.post("/api/default/streams/s", json=body)

    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert (await api.http.get("/api/default/streams/s/schema")).status_code == 404


async def test_settings_are_stored_and_given_back(api: Any, open_api: Any) -> None:
    """Also after a restart."""
    await api.http.post("/api/default/streams/s", json=CREATE)
    delta = {"data_retention": 30, "index_fields": {"add": ["d"], "remove": []}}
    answer = await api.http.put("/api/default/streams/s/settings", json=delta)
    wrong = await api.http.put("/api/default/streams/s/settings", json={"index_fields": {"set": []}})
    await api.server.close()
    reopened = await open_api()
    schema = (await reopened.http.get("/api/default/streams/s/schema")).json()

    assert (answer.status_code, wrong.status_code) == (200, 400)
    assert (schema["settings"]["data_retention"], schema["settings"]["index_fields"]) == (30, ["d"])


async def test_a_deleted_stream_is_gone_with_its_rows(api: Any, open_api: Any) -> None:
    """From memory, from segments, for good; a new one of the same name starts empty."""
    await api.ingest("s", [{"a": 1}])
    await api.flush()
    await api.ingest("s", [{"a": 2}])
    raw_name = await api.http.delete("/api/default/streams/S?type=logs")
    deleted = await api.http.delete("/api/default/streams/s?type=logs&delete_all=true")
    gone = await api.search("SELECT * FROM s")
    await api.ingest("s", [{"b": 3}])
    before = await api.hits("SELECT * FROM s")
    await api.server.close()
    after = await (await open_api()).hits("SELECT * FROM s")

    assert [answer.status_code for answer in (raw_name, deleted, gone)] == [404, 200, 400]
    assert [set(hit) for hit in before] == [{"_timestamp", "b"}]
    assert after == before


async def test_the_list_is_filtered_and_paged(api: Any) -> None:
    """By type and by a part of the name; total counts all of them."""
    for name in ("ab", "b", "bc"):
        await api.ingest(name, [{}])
    await api.http.post("/api/default/streams/b?type=traces", json={"fields": [], "settings": {}})

    async def listed(query: str) -> tuple[list[str], int]:
        content = (await api.http.get(f"/api/default/streams?{query}")).json()
        return [entry["name"] for entry in content["list"]], content["total"]

    assert await listed("type=logs") == (["ab", "b", "bc"], 3)
    assert await listed("type=traces") == (["b"], 1)
    assert await listed("") == (["ab", "b", "b", "bc"], 4)
    assert await listed("type=logs&keyword=a") == (["ab"], 1)
    assert await listed("type=logs&offset=1&limit=1") == (["b"], 3)
    assert await listed("type=logs&offset=x&limit=-1") == (["ab", "b", "bc"], 3)


async def test_the_schema_counts_what_lies_in_segments(api: Any) -> None:
    """As the server counts its files."""
    await api.ingest("s", [{"a": 1}, {"a": 2}])
    await api.flush()
    stats = (await api.http.get("/api/default/streams/s/schema")).json()["stats"]

    assert (stats["doc_num"], stats["file_num"]) == (2, 1)
    assert stats["doc_time_min"] <= stats["doc_time_max"]
    assert stats["storage_size"] > 0


async def test_a_disk_that_refuses_changes_nothing(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with the reason; create, settings and delete are undone in memory too."""
    await api.http.post("/api/default/streams/s", json=CREATE)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(api.server._backend.store._file, "save", full)
    created = await api.http.post("/api/default/streams/t", json=CREATE)
    changed = await api.http.put("/api/default/streams/s/settings", json={"data_retention": 9})
    deleted = await api.http.delete("/api/default/streams/s")
    monkeypatch.undo()

    assert [answer.status_code for answer in (created, changed, deleted)] == [503, 503, 503]
    assert "No space left on device" in created.text
    assert (await api.http.get("/api/default/streams/t/schema")).status_code == 404
    assert (await api.http.get("/api/default/streams/s/schema")).json()["settings"]["data_retention"] == 0
