"""Reference §9: PromQL, as far as clients of this project use it."""

import time
import uuid
from typing import Any

import pytest


@pytest.fixture(scope="module")
def metric(server: Any) -> str:
    """A metric with two series."""
    name = f"contract_{uuid.uuid4().hex[:12]}"
    points = [
        {
            "__name__": name,
            "__type__": "gauge",
            "value": 3.0 + at,
            "job": f"j{at}",
            "_timestamp": time.time_ns() // 1000,
        }
        for at in range(2)
    ]
    assert server.api("POST", "ingest/metrics/_json", json=points).status_code == 200
    assert len(server.hits(f'SELECT value FROM "{name}"', rows=2, kind="metrics")) == 2
    return name


def asked(server: Any, path: str, **params: str) -> Any:
    return server.api("GET", f"prometheus/api/v1/{path}", params=params)


def test_a_selector_answers_a_vector(server: Any, metric: str) -> None:
    """With a matcher, one series; values are texts."""
    data = asked(server, "query", query=f'{metric}{{job="j1"}}').json()["data"]
    assert (data["resultType"], data["result"][0]["value"][1], data["result"][0]["metric"]["job"]) == (
        "vector",
        "4",
        "j1",
    )


def test_a_range_answers_a_matrix(server: Any, metric: str) -> None:
    """Both series."""
    now = time.time_ns() / 1e9
    data = asked(
        server, "query_range", query=metric, start=str(now - 60), end=str(now + 15), step="15"
    ).json()["data"]
    assert (data["resultType"], len(data["result"])) == ("matrix", 2)


def test_an_unknown_metric_is_empty(server: Any) -> None:
    """No error."""
    assert asked(server, "query", query="contract_nosuch").json()["data"]["result"] == []


@pytest.mark.parametrize("query", ["sum by (", "nofn(up)"])
def test_what_is_no_promql_is_refused(server: Any, query: str) -> None:
    """400 in the form of Prometheus."""
    answer = asked(server, "query", query=query)
    assert (answer.status_code, answer.json()["status"], answer.json()["errorType"]) == (
        400,
        "error",
        "bad_data",
    )


def test_a_point_without_a_type(server: Any) -> None:
    """Refuses the batch on old versions, is a gauge on new ones."""
    name = f"contract_{uuid.uuid4().hex[:12]}"
    answer = server.api("POST", "ingest/metrics/_json", json=[{"__name__": name, "value": 1.0}])
    assert answer.status_code == (400 if server.old else 200)


def test_labels_series_and_values(server: Any, metric: str) -> None:
    """With times; without, values are a 500 and series one on old versions."""
    span = {
        "start": str(time.time_ns() // 10**9 - 60),
        "end": str(time.time_ns() // 10**9 + 60),
        "match[]": metric,
    }
    assert {"__name__", "job"} <= set(asked(server, "labels", **span).json()["data"])
    assert {entry["job"] for entry in asked(server, "series", **span).json()["data"]} == {"j0", "j1"}
    assert sorted(asked(server, "label/job/values", **span).json()["data"]) == ["j0", "j1"]
    bare = {"match[]": metric}
    assert asked(server, "label/job/values", **bare).json()["errorType"] == "internal"
    assert asked(server, "series", **bare).status_code == (500 if server.old else 200)


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_times_in_any_unit(server: Any, metric: str, unit: int) -> None:
    """Seconds, milliseconds, microseconds."""
    moment = str((time.time_ns() // 10**9 + 1) * unit)
    assert len(asked(server, "query", query=metric, time=moment).json()["data"]["result"]) == 2


@pytest.mark.parametrize("matcher", ['job=~"j[01]"', 'job!="x"', 'job!~"x.*"', 'job=~".+"'])
def test_matchers(server: Any, metric: str, matcher: str) -> None:
    """All four kinds."""
    found = asked(server, "query", query=f"{metric}{{{matcher}}}").json()["data"]["result"]
    assert len(found) == 2
