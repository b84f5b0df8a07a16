"""The unmodified OTLP/HTTP exporters of the OpenTelemetry SDK, over a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.to_thread import run_sync
from cqrs_local import LocalServer, local_server
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

RESOURCE = Resource.create({"service.name": "orders", "service.version": "2"})
each_compression = pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])


@pytest.fixture
async def listening(tmp_path: Path) -> AsyncIterator[LocalServer]:
    """A server on a socket."""
    async with local_server(tmp_path / "data") as server:
        yield server


def options(server: LocalServer, signal: str, compression: Compression) -> dict[str, Any]:
    user, _, secret = server.token.partition(":")
    header = httpx.BasicAuth(user, secret)._auth_header
    return {
        "endpoint": f"{server.url}/api/default/v1/{signal}",
        "headers": {"Authorization": header, "stream-name": "otel"},
        "compression": compression,
    }


async def rows(server: LocalServer, kind: str, sql: str) -> list[dict[str, Any]]:
    user, _, secret = server.token.partition(":")
    async with httpx.AsyncClient(base_url=server.url, auth=(user, secret)) as http:
        query = {"sql": sql, "start_time": 0, "end_time": 2**62}
        answer = await http.post(f"/api/default/_search?type={kind}", json={"query": query})
    assert answer.status_code == 200, answer.text
    hits: list[dict[str, Any]] = answer.json()["hits"]
    return hits


@each_compression
async def test_spans_arrive(listening: LocalServer, compression: Compression) -> None:
    """With their tree, their service and their attributes."""

    def work() -> None:
        provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
        provider.add_span_processor(
            SimpleSpanProcessor(OTLPSpanExporter(**options(listening, "traces", compression)))
        )
        tracer = provider.get_tracer("tests")
        with tracer.start_as_current_span("parent"), tracer.start_as_current_span("child") as child:
            child.set_attribute("cqrs.message", "PlaceOrder")
        provider.shutdown()

    await run_sync(work)
    child, parent = await rows(listening, "traces", "SELECT * FROM otel ORDER BY operation_name")

    assert (child["operation_name"], child["cqrs_message"]) == ("child", "PlaceOrder")
    assert child["reference_parent_span_id"] == parent["span_id"]
    assert (parent["service_name"], parent["service_service_version"]) == ("orders", "2")


@each_compression
async def test_metrics_arrive(listening: LocalServer, compression: Compression) -> None:
    """Each in its stream, a histogram in its parts."""

    def work() -> None:
        reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(**options(listening, "metrics", compression))
        )
        provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
        meter = provider.get_meter("tests")
        meter.create_counter("orders.placed").add(3, {"kind": "a"})
        meter.create_histogram("orders.duration").record(0.2)
        provider.shutdown()

    await run_sync(work)
    (counter,) = await rows(listening, "metrics", "SELECT * FROM orders_placed")
    buckets = await rows(listening, "metrics", "SELECT le, value FROM orders_duration_bucket")

    assert (counter["value"], counter["kind"], counter["service_name"]) == (3.0, "a", "orders")
    assert {row["value"] for row in buckets if row["le"] == "inf"} == {1.0}


@each_compression
async def test_logs_arrive(listening: LocalServer, compression: Compression) -> None:
    """Text and severity."""

    def work() -> None:
        provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
        exporter = OTLPLogExporter(**options(listening, "logs", compression))
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        record = LogRecord(severity_text="WARN", severity_number=SeverityNumber.WARN, body="sold out")
        provider.get_logger("orders.placed").emit(record)
        provider.shutdown()

    await run_sync(work)
    (row,) = await rows(listening, "logs", "SELECT * FROM otel")

    assert (row["body"], row["severity"], row["service_name"]) == ("sold out", "WARN", "orders")
