"""The newest traces."""

from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@pytest.fixture
async def traced(api: Any) -> Any:
    """Three traces of two spans, a second apart; the children of the second failed."""
    now = api.server._backend.store.now()
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    spans = resource.scope_spans.add().spans
    for at in range(3):
        start = (now - (3 - at) * 1_000_000) * 1000
        for child in (0, 1):
            span = spans.add(
                trace_id=bytes([at]) * 16, span_id=bytes([child + 1]) * 8, name=f"op {child}",
                start_time_unix_nano=start + child * 1000, end_time_unix_nano=start + 5_000_000,
            )  # fmt: skip
            if child:
                span.parent_span_id = b"\x01" * 8
                span.status.code = 2 if at == 1 else 1
    headers = {"content-type": "application/x-protobuf"}
    await api.http.post("/api/default/v1/traces", content=request.SerializeToString(), headers=headers)
    return api


async def latest(api: Any, query: str = "") -> Any:
    now = api.server._backend.store.now()
    return await api.http.get(
        f"/api/default/default/traces/latest?start_time={now - 60_000_000}&end_time={now}&from=0&size=10{query}"
    )


async def test_the_newest_come_first_with_their_spans_counted(traced: Any) -> None:
    """How many, how many failed, how long from the first start to the last end, what began it."""
    hits = (await latest(traced)).json()["hits"]

    assert [hit["trace_id"][:2] for hit in hits] == ["02", "01", "00"]
    assert [hit["spans"] for hit in hits] == [[2, 0], [2, 1], [2, 0]]
    assert hits[0]["duration"] == 5000
    assert hits[0]["first_event"] == {"service_name": "orders", "operation_name": "op 0"}
    assert hits[0]["service_name"] == [{"service_name": "orders", "count": 2, "duration": 5000}]


async def test_a_page_and_a_filter(traced: Any) -> None:
    """The filter is a condition on spans; one that is no SQL is refused."""
    assert [hit["trace_id"][:2] for hit in (await latest(traced, "&size=1&from=1")).json()["hits"]] == ["01"]
    assert len((await latest(traced, "&filter=span_status='ERROR'")).json()["hits"]) == 1
    assert (await latest(traced, "&filter=))")).status_code == 400


async def test_times_are_required_and_the_stream_has_to_exist(traced: Any) -> None:
    """400 each."""
    assert (await traced.http.get("/api/default/default/traces/latest")).json()[
        "message"
    ] == "start_time is empty"
    answer = await traced.http.get("/api/default/nosuch/traces/latest?start_time=1&end_time=2")
    assert (answer.status_code, answer.json()["code"]) == (400, 20002)
