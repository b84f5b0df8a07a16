"""For programs that do not use the buses."""

import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest
from cqrs_openobserve.exporters import OpenObserveMetricExporter, OpenObserveSpanExporter
from cqrs_openobserve.testing import FaultServer
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData
from opentelemetry.sdk.trace.export import SpanExportResult

# As `opentelemetry-instrument` sets a program up: by the variables, through the entry points.
PROGRAM = textwrap.dedent(
    """
    from opentelemetry import metrics, trace
    from opentelemetry.sdk._configuration import _OTelSDKConfigurator  # what opentelemetry-instrument calls

    _OTelSDKConfigurator().configure()
    for number in range(200):
        with trace.get_tracer("shop").start_as_current_span(f"order {number % 3}"):
            metrics.get_meter("shop").create_counter("sold").add(1)
    """
)


def run(server: FaultServer, program: str = PROGRAM, **env: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "PATH": os.environ["PATH"],
        "OTEL_TRACES_EXPORTER": "openobserve",
        "OTEL_METRICS_EXPORTER": "openobserve",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "plain",
        "OPENOBSERVE_URL": server.url,
        "OPENOBSERVE_TOKEN": "user:x",
        "OPENOBSERVE_SPOOL_DIR": "none",
        **env,
    }
    return subprocess.run(
        [sys.executable, "-c", program],
        env=variables,
        capture_output=True,
        text=True,
        timeout=18,
        check=False,
    )


def test_opentelemetrys_variables_are_all_that_is_needed(server: FaultServer) -> None:
    """Every span and every metric of a program that knows nothing of us arrives when it ends."""
    done = run(server)
    assert (done.returncode, done.stderr) == (0, "")

    spans: list[Any] = []
    sold: list[int] = []
    services: set[str] = set()
    for received in server.received:
        if received.path.endswith("/v1/traces"):
            assert received.headers["stream-name"] == "traces"
            for of_resource in ExportTraceServiceRequest.FromString(received.body).resource_spans:
                services |= {
                    a.value.string_value for a in of_resource.resource.attributes if a.key == "service.name"
                }
                spans += [span for of_scope in of_resource.scope_spans for span in of_scope.spans]
        if received.path.endswith("/v1/metrics"):
            for of_resource in ExportMetricsServiceRequest.FromString(received.body).resource_metrics:
                for of_scope in of_resource.scope_metrics:
                    sold += [m.sum.data_points[0].as_int for m in of_scope.metrics if m.name == "sold"]
    assert len(spans) == 200
    assert sold[-1] == 200
    assert services == {"plain"}
    assert not [received for received in server.received if received.path.endswith("_json")]


def test_a_wrong_setting_is_said_at_the_start(server: FaultServer) -> None:
    """With the variable, and no secret."""
    program = "from cqrs_openobserve.exporters import OpenObserveSpanExporter as E\nE()"
    done = run(server, program, OPENOBSERVE_TOKEN="s3cret-canary")

    assert done.returncode == 1
    assert "OPENOBSERVE_TOKEN is a secret without a user" in done.stderr
    assert "canary" not in done.stderr


def test_switched_off_nothing_is_sent(server: FaultServer) -> None:
    """The program is the same."""
    done = run(server, OPENOBSERVE_ENABLED="false")

    assert (done.returncode, done.stderr, server.received) == (0, "", [])


def test_exporters_share_a_pipeline_that_stops_with_the_last(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flush says whether all was settled; a second shutdown is none."""
    for name in [name for name in os.environ if name.startswith(("OPENOBSERVE_", "CQRS_", "OTEL_"))]:
        monkeypatch.delenv(name)
    for name, value in {"URL": server.url, "TOKEN": "user:x", "SPOOL_DIR": "none"}.items():
        monkeypatch.setenv(f"OPENOBSERVE_{name}", value)
    spans, metrics = OpenObserveSpanExporter(), OpenObserveMetricExporter()
    assert spans._pipeline is metrics._pipeline
    assert spans.export([]) is SpanExportResult.SUCCESS
    assert metrics.export(MetricsData([])) is MetricExportResult.SUCCESS
    assert spans.force_flush(5_000)
    assert metrics.force_flush(5_000)
    spans.shutdown()
    spans.shutdown()
    assert spans._pipeline is not None
    assert metrics.force_flush(5_000)
    metrics.shutdown()

    later = OpenObserveSpanExporter()
    assert later._pipeline is not spans._pipeline
    later.shutdown()
    assert server.received == []
