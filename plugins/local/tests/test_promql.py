"""PromQL over HTTP."""

from typing import Any

import pytest

BASE = "/api/default/prometheus/api/v1"


@pytest.fixture
async def metrics(api: Any) -> Any:
    """Two series of one metric, three samples each, 10 s apart, the last one now."""
    now = api.server._backend.store.now() // 1_000_000 * 1_000_000
    points = [
        {"__name__": "up", "value": at + scale, "_timestamp": now - (2 - at) * 10_000_000, "job": f"j{scale}"}
        for at in range(3)
        for scale in (0, 10)
    ]
    await api.http.post("/api/default/ingest/metrics/_json", json=points)
    return api, now // 1_000_000


async def test_an_instant_query_answers_a_vector(metrics: Any) -> None:
    """Now, at a time, with matchers; as a form too."""
    api, now = metrics
    (one,) = (await api.http.get(f"{BASE}/query", params={"query": 'up{job="j0"}', "time": str(now)})).json()[
        "data"
    ]["result"]
    form = await api.http.post(f"{BASE}/query", data={"query": 'up{job=~"j1.*"}', "time": str(now - 10)})

    assert (one["value"], one["metric"]["job"]) == ([now, "2"], "j0")
    assert form.json()["data"]["result"][0]["value"] == [now - 10, "11"]
    assert len((await api.http.get(f"{BASE}/query?query=up")).json()["data"]["result"]) == 2
    assert (await api.http.get(f"{BASE}/query?query=nosuch")).json()["data"]["result"] == []


async def test_a_range_query_answers_a_matrix(metrics: Any) -> None:
    """One value for each step that has one."""
    api, now = metrics
    asked = {"query": 'up{job="j0"}', "start": str(now - 30), "end": str(now), "step": "10s"}
    (one,) = (await api.http.get(f"{BASE}/query_range", params=asked)).json()["data"]["result"]

    assert one["values"] == [[now - 20, "0"], [now - 10, "1"], [now, "2"]]


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("query", {"query": "rate(up[1m])"}, 422),
        ("query", {"query": "sum by ("}, 400),
        ("query", {"query": ""}, 400),
        ("query", {"query": "up", "time": "soon"}, 400),
        ("query", {"query": "up", "time": "nan"}, 400),
        ("query", {"query": "up", "time": "1e300"}, 400),
        ("query", {"query": 'up{job=~"("}'}, 400),
        ("query_range", {"query": "up", "start": "0", "end": "100000", "step": "1"}, 400),
        ("query_range", {"query": "up", "start": "2", "end": "1", "step": "1"}, 400),
        ("query_range", {"query": "up", "start": "1", "end": "2", "step": "0"}, 400),
        ("query_range", {"query": "up", "start": "1", "end": "2", "step": "x"}, 400),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    metrics: Any, path: str, params: dict[str, str], status: int
) -> None:
    """In the form of Prometheus; the server goes on."""
    api, _ = metrics
    answer = await api.http.get(f"{BASE}/{path}", params=params)

    assert (answer.status_code, answer.json()["status"]) == (status, "error"), answer.text
    assert (await api.http.get(f"{BASE}/query?query=up")).status_code == 200


async def test_an_answer_that_explodes_is_refused(api: Any) -> None:
    """Many series at many steps: neither is too many alone, and nobody waits for their product."""
    now = api.server._backend.store.now() // 1_000_000
    point = {"__name__": "wide", "value": 1.0, "_timestamp": (now - 60) * 1_000_000}
    points = [{**point, "series": f"s{at}"} for at in range(100)]
    await api.http.post("/api/default/ingest/metrics/_json", json=points)
    asked = {"query": "wide", "start": str(now - 10_000), "end": str(now), "step": "1"}
    answer = await api.http.get(f"{BASE}/query_range", params=asked)
    fewer = await api.http.get(f"{BASE}/query_range", params={**asked, "step": "50"})

    assert (answer.status_code, "samples" in answer.text) == (422, True), answer.text[:300]
    assert len(fewer.json()["data"]["result"]) == 100


async def test_names_and_values_of_labels(metrics: Any) -> None:
    """Values need a time range, as on the server."""
    api, now = metrics

    assert (await api.http.get(f"{BASE}/labels")).json()["data"] == ["__name__", "job"]
    path = f"{BASE}/label/job/values?match[]=up"
    assert (await api.http.get(path)).status_code == 500
    assert (await api.http.get(f"{path}&start={now - 60}&end={now}")).json()["data"] == ["j0", "j10"]
    assert len((await api.http.get(f"{BASE}/series?match[]=up")).json()["data"]) == 2
    assert (await api.http.get(f"{BASE}/metadata")).json()["data"]["up"][0]["type"] == "gauge"
