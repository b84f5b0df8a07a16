"""Data points of OTLP metrics as rows of streams."""

import math

import pytest
from cqrs_local.emulation import Emulation
from cqrs_local.otlp_metrics import MetricStream, metric_streams, series_hash
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


def attribute(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def streams(metric: Metric, emulation: Emulation = Emulation.NEWEST) -> dict[str, MetricStream]:
    request = ExportMetricsServiceRequest(
        resource_metrics=[
            ResourceMetrics(
                resource=Resource(attributes=[attribute("service.name", "orders")]),
                scope_metrics=[ScopeMetrics(metrics=[metric])],
            )
        ]
    )
    return {stream.name: stream for stream in metric_streams(request, 50, emulation)}


def values(stream: MetricStream, label: str) -> dict[object, object]:
    return {row[label]: row["value"] for row in stream.rows}


def gauge(value: float) -> Metric:
    return Metric(
        name="depth", gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=7_000, as_double=value)])
    )


def test_a_counter_is_one_stream_with_its_labels() -> None:
    """Under its normalised name, no suffix added; labels are texts, the start is in ns."""
    point = NumberDataPoint(
        attributes=[attribute("cqrs.message", "PlaceOrder")],
        time_unix_nano=7_000,
        start_time_unix_nano=3,
        as_int=10,
    )
    metric = Metric(
        name="cqrs.command.total", unit="1",
        sum=Sum(data_points=[point], aggregation_temporality=CUMULATIVE, is_monotonic=True),
    )  # fmt: skip
    (stream,) = streams(metric).values()
    row = dict(stream.rows[0])

    assert (stream.name, stream.meta.kind, stream.meta.unit) == ("cqrs_command_total", "Counter", "1")
    assert isinstance(row.pop("__hash__"), int)
    assert row == {
        "service_name": "orders", "cqrs_message": "PlaceOrder", "__name__": "cqrs_command_total", "_timestamp": 7,
        "start_time": "3", "value": 10.0, "flag": "DATA_POINT_FLAGS_DO_NOT_USE", "is_monotonic": "true",
        "aggregation_temporality": "AGGREGATION_TEMPORALITY_CUMULATIVE",
    }  # fmt: skip


def test_a_histogram_is_a_stream_for_each_part() -> None:
    """Buckets add up from the left, the last is `inf`; the bare name holds no rows."""
    point = HistogramDataPoint(
        count=10, sum=3.5, min=0.01, max=2.0, bucket_counts=[2, 7, 1], explicit_bounds=[0.1, 1000000.0],
        exemplars=[Exemplar(as_double=0.2, span_id=b"\x01" * 8)],
    )  # fmt: skip
    found = streams(
        Metric(name="d", histogram=Histogram(data_points=[point], aggregation_temporality=CUMULATIVE))
    )

    assert set(found) == {"d", "d_bucket", "d_sum", "d_count", "d_min", "d_max"}
    assert values(found["d_bucket"], "le") == {"0.1": 2.0, "1000000": 9.0, "inf": 10.0}
    assert '"span_id":"0101010101010101"' in str(found["d_bucket"].rows[0]["exemplars"])
    assert [found[name].rows[0]["value"] for name in ("d_sum", "d_count", "d_min", "d_max")] == [
        3.5,
        10.0,
        0.01,
        2.0,
    ]
    assert (list(found["d"].rows), found["d"].meta.kind, found["d_sum"].meta.family) == (
        [],
        "Histogram",
        "d_sum",
    )


@pytest.mark.parametrize(("scale", "edges"), [(0, ["0", "2", "4", "inf"]), (-1000, None), (2**30, None)])
def test_an_exponential_histogram_gets_the_bounds_that_its_scale_means(
    scale: int, edges: list[str] | None
) -> None:
    """And no scale, however wrong, raises."""
    point = ExponentialHistogramDataPoint(count=5, sum=9.0, scale=scale, zero_count=1)
    point.positive.bucket_counts.extend([1, 3])
    found = streams(Metric(name="e", exponential_histogram=ExponentialHistogram(data_points=[point])))

    assert edges is None or values(found["e_bucket"], "le") == dict(
        zip(edges, [1.0, 2.0, 5.0, 5.0], strict=True)
    )


def test_a_summary_keeps_its_quantiles() -> None:
    """Under its own name."""
    point = SummaryDataPoint(count=4, sum=8.0)
    point.quantile_values.add(quantile=0.5, value=2.0)
    found = streams(Metric(name="s", summary=Summary(data_points=[point])))

    assert values(found["s"], "quantile") == {"0.5": 2.0}
    assert set(found) == {"s", "s_sum", "s_count"}


@pytest.mark.parametrize(
    ("value", "emulation", "stored"),
    [
        (math.nan, Emulation.NEWEST, []),
        (math.nan, Emulation.V0_16, [None]),
        (math.inf, Emulation.NEWEST, [1.7976931348623157e308]),
        (-math.inf, Emulation.NEWEST, [-1.7976931348623157e308]),
    ],
)
def test_values_that_json_cannot_hold(value: float, emulation: Emulation, stored: list[float | None]) -> None:
    """A number that is none is dropped, or on 0.16 stored without a value; infinity is the largest number."""
    assert [row.get("value") for row in streams(gauge(value), emulation)["depth"].rows] == stored


def test_a_point_without_a_time_is_of_now() -> None:
    """Metrics have no window of times."""
    metric = Metric(name="g", gauge=Gauge(data_points=[NumberDataPoint(as_int=1)]))

    assert streams(metric)["g"].rows[0]["_timestamp"] == 50


def test_a_series_is_its_labels() -> None:
    """Value and time do not count, the start of the process does."""
    row = {"a": "1", "value": 1.0, "_timestamp": 5, "start_time": "3"}

    assert series_hash(row) == series_hash({**row, "value": 2.0, "_timestamp": 6})
    assert series_hash(row) != series_hash({**row, "start_time": "4"})


def test_a_metric_without_data_is_nothing() -> None:
    """Not even a stream."""
    assert streams(Metric(name="empty")) == {}
