"""Data points as JSON."""

from typing import Any

import pytest
from cqrs_local.emulation import Emulation

PATH = "/api/default/ingest/metrics/_json"


async def found(api: Any, sql: str) -> list[dict[str, Any]]:
    now = api.server._backend.store.now()
    query = {"sql": sql, "start_time": 0, "end_time": now + 60_000_000}
    hits: list[dict[str, Any]] = (
        await api.http.post("/api/default/_search?type=metrics", json={"query": query})
    ).json()["hits"]
    return hits


async def test_each_metric_is_a_stream(api: Any) -> None:
    """Labels are texts; a time that is missing is now."""
    points = [
        {
            "__name__": "cqrs.depth",
            "__type__": "gauge",
            "value": 3,
            "_timestamp": 1_700_000_000_000_000,
            "n": 1,
        },
        {"__name__": "other", "value": 1.5},
    ]
    answer = await api.http.post(PATH, json=points)

    assert [(each["name"], each["successful"]) for each in answer.json()["status"]] == [
        ("cqrs_depth", 1),
        ("other", 1),
    ]
    (hit,) = await found(api, "SELECT * FROM cqrs_depth")
    assert (hit["value"], hit["n"], hit["_timestamp"], hit["__name__"]) == (
        3.0,
        "1",
        1_700_000_000_000_000,
        "cqrs_depth",
    )
    assert len(await found(api, "SELECT * FROM other")) == 1


@pytest.mark.parametrize(
    "body",
    [b"[", b"[1]", b'[{"value": 1}]', b'[{"__name__": "a"}]', b'[{"__name__": "a", "value": "1"}]',
     b'[{"__name__": "a", "value": 1, "__type__": "x"}]', b'[{"__name__": "a", "value": 1, "_timestamp": "x"}]'],
)  # fmt: skip
async def test_a_wrong_point_refuses_the_whole_body(api: Any, body: bytes) -> None:
    """400, and nothing is stored."""
    assert (await api.http.post(PATH, content=body)).status_code == 400
    assert (await api.http.get("/api/default/streams?type=metrics")).json()["list"] == []


async def test_0_16_needs_a_type_and_drops_samples_of_histograms(open_api: Any) -> None:
    """The stream is made without them."""
    api = await open_api(emulation=Emulation.V0_16)

    assert (await api.http.post(PATH, json=[{"__name__": "a", "value": 1}])).status_code == 400
    answer = await api.http.post(PATH, json=[{"__name__": "h", "__type__": "histogram", "value": 1}])
    assert answer.json()["status"] == [{"name": "h", "successful": 0, "failed": 0}]
