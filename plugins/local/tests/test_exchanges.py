"""Answers of two real servers, replayed: the same requests, in order, get the same answers here.

`exchanges-VERSION.jsonl` hold what a real v0.16.3 and v0.92.2 answered. Compared are the status, the content
type and every field that is not a time, an id, a duration, a size, a version or the text of an engine or
parser. What differs on purpose is in `differences.toml`, each with its reason.
"""

import json
import re
import tomllib
from base64 import b64encode
from gzip import compress
from math import nan
from pathlib import Path
from typing import Any

import httpx
import pytest
from cqrs_local.emulation import Emulation
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

FOLDER = Path(__file__).parent
RECORDED = {Emulation.V0_16: "0.16.3", Emulation.NEWEST: "0.92.2"}
DIFFERENCES = tomllib.loads((FOLDER / "differences.toml").read_text())

RAW_BODIES = {
    "json-not-json": b"[{",
    "json-empty-body": b"",
    "json-nan-literal": b'[{"duration_ms": NaN}]',
    "json-invalid-utf8": b'[{"a": "\xff"}]',
    "json-no-content-type": b'[{"duration_ms": 1.0}]',
    "json-gzip": compress(b'[{"duration_ms": 1.25}]'),
    "json-gzip-broken": b"not gzip at all",
    "json-unknown-encoding": b'[{"duration_ms": 1.25}]',
    "multi-ndjson": b'{"duration_ms": 1.0}\n{"duration_ms": 2.0}\n',
    "search-not-json": b"{",
    "passcode-otlp": b"",
    "otlp-prefix-wrong-base": b"",
    "otlp-prefix-becomes-org": b"",
    "otlp-traces-garbage": b"\xff\xff\xff",
}

NOT_COMPARED = {
    "_timestamp", "t", "took", "took_detail", "trace_id", "created_at", "created", "id", "error_detail", "scan_size",
    "idx_scan_size", "peak_memory_usage", "user_email", "email", "owner", "last_edited_by", "user", "suggestions",
    "start_time", "end_time", "duration", "_o2_ingest_ts", "__hash__", "hash", "folderId", "folder_id", "alert_id",
    "dashboardId", "dashboard_id", "passcode",
}  # fmt: skip

# Where a later request takes a value of an earlier answer from.
TAKEN = {
    "$tok:pass": ("passcode", "data", "passcode"),
    "$id:folder": ("folder-create", "folderId"),
    "$id:alert": ("alert-create", "id"),
    "$id:dfolder": ("dashboard-folder-create", "folderId"),
    "$id:dash": ("dashboard-create", "v5", "dashboardId"),
    "$hash:one": ("dashboard-create", "hash"),
    "$hash:two": ("dashboard-put", "hash"),
}

NOW = re.compile(r"\$now(?:([+-])(\d+)([hms]))?")
WORDING = re.compile(
    r"(SerdeJsonError#|as JSON:|Internal error', message:|before completing:"
    r"|decode Protobuf message:|notification for destination cqrs_webhook err:).*| at line \d+ column \d+$"
)
CUT_OFF = re.compile(r"(EOF while|unexpected end of data).*")
UNITS = {"h": 3600, "m": 60, "s": 1}
EMPTY = "protobuf: (empty message)"


# The OTLP bodies, whose bytes were not recorded.

TRACE = bytes(range(16))
ROOT, CHILD = b"\x01" * 8, b"\x02" * 8
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


def traces_body(start_ns: int) -> bytes:
    """Two spans of one trace; the child failed."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    scope = resource.scope_spans.add()
    for at, (span_id, parent) in enumerate(((ROOT, b""), (CHILD, ROOT))):
        span = scope.spans.add(
            trace_id=TRACE, span_id=span_id, parent_span_id=parent, name=f"command {at}",
            kind=Span.SPAN_KIND_INTERNAL, start_time_unix_nano=start_ns, end_time_unix_nano=start_ns + 1_500_000,
        )  # fmt: skip
        span.attributes.add(key="cqrs.duration_ms").value.double_value = 1.5
        if parent:
            span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="boom"))
    return request.SerializeToString()


def logs_body(at_ns: int) -> bytes:
    """One log record with a trace."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    record = resource.scope_logs.add().log_records.add(
        time_unix_nano=at_ns, severity_text="WARN", trace_id=TRACE, span_id=ROOT
    )
    record.body.string_value = "hello"
    return request.SerializeToString()


def metrics_body(at_ns: int, round_: int) -> bytes:
    """A counter, a histogram and a gauge; in the third round the gauge is no number."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    scope = resource.scope_metrics.add()
    times = {"time_unix_nano": at_ns, "start_time_unix_nano": at_ns - 60_000_000_000}
    counter = scope.metrics.add(name="cqrs.command.total")
    counter.sum.aggregation_temporality, counter.sum.is_monotonic = CUMULATIVE, True
    point = counter.sum.data_points.add(as_int=10 * round_, **times)
    point.attributes.add(key="cqrs.message").value.string_value = "PlaceOrder"
    histogram = scope.metrics.add(name="cqrs.command.duration", unit="s")
    histogram.histogram.aggregation_temporality = CUMULATIVE
    histogram.histogram.data_points.add(
        count=10 * round_,
        sum=3.0,
        min=0.01,
        max=2.0,
        bucket_counts=[2 * round_, 7 * round_, round_],
        explicit_bounds=[0.1, 0.5],
        **times,
    )
    depth = nan if round_ == 3 else 3.0
    scope.metrics.add(name="cqrs.dead_letter.depth").gauge.data_points.add(as_double=depth, **times)
    return request.SerializeToString()


def exchanges(emulation: Emulation) -> list[dict[str, Any]]:
    lines = (FOLDER / f"exchanges-{RECORDED[emulation]}.jsonl").read_text().splitlines()
    return [exchange for exchange in map(json.loads, lines) if "id" in exchange]


class Player:
    """Sends recorded requests to a server."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.now: int = api.server._backend.store.now()
        self.answers: dict[str, httpx.Response] = {}

    def filled(self, value: Any) -> Any:
        """The value with times and earlier answers put in; each time is a microsecond after the one before."""
        match value:
            case dict():
                return {key: self.filled(inner) for key, inner in value.items()}
            case list():
                return [self.filled(inner) for inner in value]
            case str() if found := NOW.fullmatch(value):
                return self.time(found)
            case str():
                value = NOW.sub(lambda found: str(self.time(found)), value)
                for name, (exchange, *path) in TAKEN.items():
                    if name in value:
                        value = value.replace(name, str(self.answer(exchange, *path)))
                return value
            case _:
                return value

    def time(self, found: re.Match[str]) -> int:
        """The moment that `$now…` stands for."""
        sign, count, unit = found.groups()
        return self.tick() + (int(f"{sign}{count}") * UNITS[unit] * 1_000_000 if sign else 0)

    def tick(self) -> int:
        """The time, later than the last time it was asked for."""
        self.now = max(self.now + 1, self.api.server._backend.store.now())
        return self.now

    def answer(self, exchange: str, *path: str) -> Any:
        """A part of an earlier answer."""
        value = self.answers[exchange].json()
        for key in path:
            value = value[key]
        return value

    async def play(self, exchange: dict[str, Any]) -> None:
        """Send one request and keep the answer."""
        request = exchange["request"]
        headers, auth = dict(request["headers"]), self.api.http.auth
        if request["auth"] != "root":
            auth = None
            if request["auth"] != "none":
                headers["authorization"] = self.authorization(request["auth"])
        content = self.body(exchange["id"], request["body"])
        if request["method"] != "GET" and "content-type" not in headers:
            headers["content-type"] = "application/json"
        async with httpx.AsyncClient(transport=self.api.http._transport, base_url="http://server") as client:
            self.answers[exchange["id"]] = await client.request(
                request["method"], self.filled(request["path"]), headers=headers, auth=auth, content=content
            )

    def authorization(self, recorded: str) -> str:
        """A header that is meant to be wrong, or to name the ingestion token."""
        wrong = b64encode(b"root@example.com:wrong").decode()
        if "$tok:pass" in recorded:
            return (
                "Basic " + b64encode(f"any:{self.answer('passcode', 'data', 'passcode')}".encode()).decode()
            )
        return recorded.replace("<b64>", wrong)

    def body(self, name: str, recorded: Any) -> bytes:
        """The bytes of a request."""
        if name in RAW_BODIES:
            return RAW_BODIES[name]
        if name.startswith("otlp-traces") and not name.endswith("columns"):
            age = 6 * 3600 if name.endswith("too-old") else 0
            body = traces_body((self.tick() - age * 1_000_000) * 1000)
            return compress(body) if name.endswith("gzip") else body
        if name.startswith("otlp-metrics"):
            return metrics_body(self.tick() * 1000, int(name[-1]))
        if name == "otlp-logs":
            return logs_body(self.tick() * 1000)
        return json.dumps(self.filled(recorded)).encode()


def reduced(value: Any) -> Any:
    """A body without what is not compared; texts of parsers keep their first word, series have no order."""
    match value:
        case dict():
            inner = {key: reduced(inner) for key, inner in value.items() if key not in NOT_COMPARED}
            if "metric" in inner:
                inner = {
                    "metric": inner["metric"],
                    "values": [v[1] for v in value.get("values", [value.get("value")])],
                }
            return inner
        case list():
            items = [reduced(inner) for inner in value]
            return (
                sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
                if "start_time" in json.dumps(value)
                else items
            )
        case str():
            return WORDING.sub(r"\1", CUT_OFF.sub("EOF", value))
        case _:
            return value


def told(answer: httpx.Response) -> tuple[int, str | None, Any]:
    kind = answer.headers.get("content-type")
    if kind == "application/x-protobuf":
        return answer.status_code, kind, EMPTY if not answer.content else "protobuf: partial_success"
    return answer.status_code, kind, reduced(answer.json() if kind == "application/json" else answer.text)


def recorded(exchange: dict[str, Any]) -> tuple[int, str | None, Any]:
    response = exchange["response"]
    body = response["body"]
    if response["content_type"] == "application/x-protobuf":
        body = EMPTY if body == EMPTY else "protobuf: partial_success"
    return response["status"], response["content_type"], reduced(body)


@pytest.mark.parametrize("emulation", list(Emulation))
async def test_answers_are_those_of_the_real_server(open_api: Any, emulation: Emulation) -> None:
    """Each of the 189 agrees, or is listed with the reason; what is listed really differs."""
    player = Player(await open_api(emulation=emulation))
    listed = {name for name, entry in DIFFERENCES.items() if emulation in entry["versions"]}
    differences = {}
    for exchange in exchanges(emulation):
        await player.play(exchange)
        ours, theirs = told(player.answers[exchange["id"]]), recorded(exchange)
        if ours != theirs:
            differences[exchange["id"]] = {"ours": ours, "theirs": theirs}

    assert len(player.answers) == 189
    assert {name: pair for name, pair in differences.items() if name not in listed} == {}
    assert listed - set(differences) == set()


def test_every_difference_has_a_reason() -> None:
    """A sentence that says why."""
    assert [name for name, entry in DIFFERENCES.items() if len(entry["reason"]) < 20] == []
