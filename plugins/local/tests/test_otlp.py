"""OTLP over HTTP: what is stored, what is told."""

import gzip
from typing import Any

import pytest
from cqrs_local.limits import Limits
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PROTOBUF = {"content-type": "application/x-protobuf"}


def logs(now: int, *ages: int) -> bytes:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for age in ages:
        scope.log_records.add(time_unix_nano=(now - age) * 1000).body.string_value = f"{age} µs old"
    return request.SerializeToString()


def spans(now: int, *ages: int) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for age in ages:
        start = (now - age) * 1000
        scope.spans.add(
            name="s", start_time_unix_nano=start, end_time_unix_nano=start + 5000, trace_id=b"\x01" * 16
        )
    return request.SerializeToString()


def metrics(now: int, **values: float) -> bytes:
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for name, value in values.items():
        scope.metrics.add(name=name).gauge.data_points.add(time_unix_nano=now * 1000, as_double=value)
    return request.SerializeToString()


async def post(api: Any, path: str, body: bytes, **headers: str) -> Any:
    return await api.http.post(f"/api/default/{path}", content=body, headers={**PROTOBUF, **headers})


async def found(api: Any, kind: str, sql: str) -> list[dict[str, Any]]:
    now = api.server._backend.store.now()
    query = {"sql": sql, "start_time": now - 3_600_000_000, "end_time": now + 3_600_000_000}
    answer = await api.http.post(f"/api/default/_search?type={kind}", json={"query": query})
    assert answer.status_code == 200, answer.text
    hits: list[dict[str, Any]] = answer.json()["hits"]
    return hits


@pytest.fixture
def now(api: Any) -> int:
    moment: int = api.server._backend.store.now()
    return moment


async def test_logs_go_to_the_stream_that_the_header_names(api: Any, now: int) -> None:
    """Normalised, `default` without one; gzip or not."""
    await post(api, "v1/logs", logs(now, 1))
    answer = await post(
        api, "v1/logs", gzip.compress(logs(now, 2)), **{"stream-name": "App-Logs", "content-encoding": "gzip"}
    )

    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (
        200,
        b"",
        PROTOBUF["content-type"],
    )
    assert [hit["body"] for hit in await api.hits("SELECT body FROM app_logs")] == ["2 µs old"]
    assert [hit["body"] for hit in await api.hits('SELECT body FROM "default"')] == ["1 µs old"]


async def test_what_is_outside_the_window_is_told_in_the_answer(api: Any, now: int) -> None:
    """The status is 200 all the same."""
    old = 6 * 3_600_000_000
    told_logs = ExportLogsServiceResponse.FromString((await post(api, "v1/logs", logs(now, 1, old))).content)
    told_spans = ExportTraceServiceResponse.FromString(
        (await post(api, "v1/traces", spans(now, 1, old, old))).content
    )

    assert told_logs.partial_success.rejected_log_records == 1
    assert told_logs.partial_success.error_message.startswith("Too old data")
    assert told_spans.partial_success.rejected_spans == 2
    assert "retention period" in told_spans.partial_success.error_message
    assert len(await found(api, "traces", 'SELECT * FROM "default"')) == 1


@pytest.mark.parametrize("path", ["v1/traces", "traces", "otel/v1/traces"])
async def test_traces_have_a_type_of_stream_of_their_own(api: Any, now: int, path: str) -> None:
    """Three paths, one stream."""
    await post(api, path, spans(now, 1), **{"stream-name": "mine"})

    assert [hit["operation_name"] for hit in await found(api, "traces", "SELECT * FROM mine")] == ["s"]
    assert (await api.search("SELECT * FROM mine")).json()["code"] == 20002


async def test_each_metric_is_a_stream(api: Any, now: int) -> None:
    """Whatever `stream-name` says; any time is taken."""
    answer = await post(
        api, "v1/metrics", metrics(now, **{"cqrs.depth": 3.0, "other": 4.0}), **{"stream-name": "x"}
    )

    assert (answer.status_code, answer.content) == (200, b"")
    assert [hit["value"] for hit in await found(api, "metrics", "SELECT value FROM cqrs_depth")] == [3.0]
    listed = (await api.http.get("/api/default/streams?type=metrics")).json()["list"]
    assert [stream["name"] for stream in listed] == ["cqrs_depth", "other"]


async def test_metrics_survive_a_restart(open_api: Any, tmp_path: Any) -> None:
    """Rows and what the stream says of itself."""
    api = await open_api(directory=tmp_path / "d")
    await post(api, "v1/metrics", metrics(api.server._backend.store.now(), depth=3.0))
    await api.server.close()
    again = await open_api(directory=tmp_path / "d")

    assert [hit["value"] for hit in await found(again, "metrics", "SELECT value FROM depth")] == [3.0]
    stream = again.server._backend.store.catalogue.find(("default", "metrics", "depth"))
    assert stream.meta["kind"] == "Gauge"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-protobuf; charset=utf-8", ""])
async def test_another_content_type_is_refused(api: Any, kind: str) -> None:
    """Exactly one of two, without parameters."""
    answer = await post(api, "v1/traces", b"", **{"content-type": kind})

    assert (answer.status_code, answer.json()) == (400, {"code": 400, "message": "Bad Request"})


@pytest.mark.parametrize("path", ["v1/logs", "v1/traces", "v1/metrics"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-protobuf", b"\xff\xff\xff"),
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b'{"resourceLogs": 1, "resourceSpans": 1, "resourceMetrics": 1}'),
        ("application/json", b'{"traceId": "zz"}'),
    ],
)
async def test_a_body_that_cannot_be_decoded_is_refused(api: Any, path: str, kind: str, body: bytes) -> None:
    """400 with the reason, whatever is wrong; the server goes on."""
    answer = await post(api, path, body, **{"content-type": kind})

    assert answer.status_code == 400, answer.text
    assert answer.json()["message"].startswith(("Invalid proto", "Invalid json"))


async def test_values_nested_without_end_are_refused(api: Any) -> None:
    """By the decoder, before anything recurses."""
    body, text = wrapped(1, b"x"), '{"stringValue": "x"}'
    for _ in range(200):
        body, text = wrapped(5, wrapped(1, body)), f'{{"arrayValue": {{"values": [{text}]}}}}'
    for field in (5, 2, 2, 1):  # body, log_records, scope_logs, resource_logs
        body = wrapped(field, body)
    text = f'{{"resourceLogs": [{{"scopeLogs": [{{"logRecords": [{{"body": {text}}}]}}]}}]}}'

    assert (await post(api, "v1/logs", body)).status_code == 400
    answer = await post(api, "v1/logs", text.encode(), **{"content-type": "application/json"})
    assert answer.status_code == 400


def wrapped(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2]) + varint(len(content)) + content


def varint(number: int) -> bytes:
    pieces = bytearray()
    while number > 127:
        pieces.append(number & 127 | 128)
        number >>= 7
    return bytes([*pieces, number])


async def test_json_is_taken_with_hexadecimal_ids(api: Any, now: int) -> None:
    """As the specification of OTLP wants; 206 tells of rejected spans."""
    span = {"traceId": "0a" * 16, "spanId": "0b" * 8, "name": "j", "startTimeUnixNano": str(now * 1000)}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span, {**span, "startTimeUnixNano": "1"}]}]}]}
    answer = await api.http.post("/api/default/v1/traces", json=body)

    assert (answer.status_code, answer.json()["partialSuccess"]["rejectedSpans"]) == (206, "1")
    assert [hit["trace_id"] for hit in await found(api, "traces", 'SELECT trace_id FROM "default"')] == [
        "0a" * 16
    ]


async def test_too_many_columns(open_api: Any) -> None:
    """Logs are lost without a word, spans and metrics refused with a header that says why."""
    api = await open_api(limits=Limits(columns=3))
    now = api.server._backend.store.now()

    assert (await post(api, "v1/logs", logs(now, 1))).status_code == 200
    refused = await post(api, "v1/traces", spans(now, 1))
    assert (refused.status_code, refused.headers["x-error-message"]) == (
        400,
        "a record has more than 3 columns",
    )
    assert (await post(api, "v1/metrics", metrics(now, a=1.0))).status_code == 400


async def test_the_path_of_other_products_does_not_exist(api: Any) -> None:
    """`/otlp/v1/…` is 404; below `/api` its first part is taken for an organisation, as on the server."""
    assert (await api.http.post("/otlp/v1/logs", content=b"", headers=PROTOBUF)).status_code == 404
    assert (await api.http.post("/api/otlp/v1/logs", content=b"", headers=PROTOBUF)).status_code == 200
    assert [org["name"] for org in (await api.http.get("/api/organizations")).json()["data"]] == [
        "default",
        "otlp",
    ]


async def test_a_large_body_is_worked_on_beside_the_event_loop(api: Any, now: int) -> None:
    """Every record of it is stored."""
    await post(api, "v1/logs", logs(now, *range(20_000)))

    assert await api.hits('SELECT count(*) AS n FROM "default"') == [{"n": 20_000}]


async def test_an_ingestion_token_is_enough(api: Any, anonymous: Any, now: int) -> None:
    """As for other ingestion."""
    answer = await anonymous.post(
        "/api/default/v1/logs",
        content=logs(now, 1),
        headers=PROTOBUF,
        auth=("any", api.server.ingestion_token),
    )

    assert answer.status_code == 200
