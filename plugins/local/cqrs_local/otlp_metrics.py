"""Data points of OTLP metrics as rows, one stream for each name (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate
from math import isfinite, isinf, isnan
from typing import Final, Protocol

import attrs
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Exemplar,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from cqrs_local.column_types import TIMESTAMP, text_of
from cqrs_local.emulation import Emulation
from cqrs_local.normalise import stream_name
from cqrs_local.otlp_values import attributes_of, json_text, microseconds, scope_columns, texts_of

NAME: Final = "__name__"
HASH: Final = "__hash__"
VALUE: Final = "value"
_LARGEST: Final = 1.7976931348623157e308
_MOST_SCALE: Final = 20  # the specification allows -10 to 20
_FLAGS: Final = ("DATA_POINT_FLAGS_DO_NOT_USE", "DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK")
_NOT_HASHED: Final = frozenset([VALUE, TIMESTAMP, "exemplars", HASH])

Labels = Mapping[str, str]
Row = dict[str, object]


@attrs.frozen
class Meta:
    """What a metrics stream says of itself.

    Attributes:
        kind: Counter, Gauge, Histogram, ExponentialHistogram or Summary.
        family: name of the metric that it is a part of.
        help, unit: as the application wrote them.
    """

    kind: str
    family: str
    help: str = ""
    unit: str = ""


@attrs.frozen
class MetricStream:
    """Rows for one metrics stream; a histogram's own name holds only `meta`."""

    name: str
    meta: Meta
    rows: Sequence[Row]


class _Point(Protocol):
    @property
    def attributes(self) -> Iterable[KeyValue]: ...
    @property
    def start_time_unix_nano(self) -> int: ...
    @property
    def time_unix_nano(self) -> int: ...
    @property
    def flags(self) -> int: ...


class _Distribution(Protocol):
    @property
    def count(self) -> int: ...
    @property
    def sum(self) -> float: ...


def metric_streams(
    request: ExportMetricsServiceRequest, now: int, emulation: Emulation
) -> Iterator[MetricStream]:
    """The streams that a request feeds; the same name may come more than once.

    Args:
        request: what an exporter sent.
        now: the server's time in microseconds, for points without one.
        emulation: what becomes of a value that is not a number.
    """
    for resource in request.resource_metrics:
        shared = texts_of(attributes_of(resource.resource.attributes))
        for scope in resource.scope_metrics:
            around = {**shared, **scope_columns(scope.scope)}
            for metric in scope.metrics:
                for stream in _streams(metric, around):
                    rows = [row for row in stream.rows if _settle(row, now, emulation)]
                    yield attrs.evolve(stream, rows=rows)


def _settle(row: Row, now: int, emulation: Emulation) -> bool:
    """Make a row complete; whether it is stored at all."""
    row[TIMESTAMP] = row[TIMESTAMP] or now
    value = row[VALUE]
    if isinstance(value, float) and isnan(value):
        if emulation is Emulation.NEWEST:
            return False
        del row[VALUE]
    elif isinstance(value, float) and isinf(value):
        row[VALUE] = _LARGEST if value > 0 else -_LARGEST
    row[HASH] = series_hash(row)
    return True


def series_hash(row: Mapping[str, object]) -> int:
    """A number that is the same for points with the same labels."""
    labels = sorted((name, str(value)) for name, value in row.items() if name not in _NOT_HASHED)
    return int.from_bytes(blake2b(repr(labels).encode(), digest_size=8).digest()) >> 1


def _streams(metric: Metric, around: Labels) -> Iterator[MetricStream]:
    name = stream_name(metric.name)
    match metric.WhichOneof("data"):
        case "gauge":
            rows = [_number(name, point, around) for point in metric.gauge.data_points]
            yield MetricStream(name, Meta("Gauge", name, metric.description, metric.unit), rows)
        case "sum":
            labels = {
                **around,
                **_temporality(metric.sum.aggregation_temporality),
                "is_monotonic": str(metric.sum.is_monotonic).lower(),
            }
            rows = [_number(name, point, labels) for point in metric.sum.data_points]
            yield MetricStream(name, Meta("Counter", name, metric.description, metric.unit), rows)
        case "histogram" | "exponential_histogram" | "summary":
            yield from _distribution(metric, name, around)
        case _:
            return


def _distribution(metric: Metric, name: str, around: Labels) -> Iterator[MetricStream]:
    kind = metric.WhichOneof("data")
    parts: list[Row] = []
    if kind == "histogram":
        labels = {**around, **_temporality(metric.histogram.aggregation_temporality)}
        parts = [row for point in metric.histogram.data_points for row in _histogram(name, point, labels)]
    elif kind == "exponential_histogram":
        labels = {**around, **_temporality(metric.exponential_histogram.aggregation_temporality)}
        points = metric.exponential_histogram.data_points
        parts = [row for point in points for row in _exponential(name, point, labels)]
    else:
        parts = [row for point in metric.summary.data_points for row in _summary(name, point, around)]
    label = {"histogram": "Histogram", "exponential_histogram": "ExponentialHistogram"}.get(
        kind or "", "Summary"
    )
    own = [row for row in parts if row[NAME] == name]
    yield MetricStream(name, Meta(label, name, metric.description, metric.unit), own)
    for part in sorted({str(row[NAME]) for row in parts} - {name}):
        what = "" if part.endswith(("_min", "_max")) else "Counter"
        yield MetricStream(part, Meta(what, part, part), [row for row in parts if row[NAME] == part])


def _row(name: str, point: _Point, around: Labels, value: float, **labels: str) -> Row:
    return {
        **around,
        **texts_of(attributes_of(point.attributes)),
        **labels,
        NAME: name,
        "flag": _FLAGS[point.flags & 1],
        "start_time": str(point.start_time_unix_nano),
        TIMESTAMP: microseconds(point.time_unix_nano),
        VALUE: float(value),
    }


def _number(name: str, point: NumberDataPoint, around: Labels) -> Row:
    value = point.as_double if point.WhichOneof("value") == "as_double" else point.as_int
    return _row(name, point, around, value) | _exemplars(point.exemplars)


def _histogram(name: str, point: HistogramDataPoint, around: Labels) -> Iterator[Row]:
    yield from _totals(name, point, point, around)
    if point.HasField("min"):
        yield _row(f"{name}_min", point, around, point.min)
    if point.HasField("max"):
        yield _row(f"{name}_max", point, around, point.max)
    bounds = [*(_bound(bound) for bound in point.explicit_bounds), "inf"]
    for bound, count in zip(bounds, accumulate(point.bucket_counts), strict=False):
        yield _row(f"{name}_bucket", point, around, count, le=bound) | _exemplars(point.exemplars)


def _exponential(name: str, point: ExponentialHistogramDataPoint, around: Labels) -> Iterator[Row]:
    yield from _totals(name, point, point, around)
    below = sum(point.negative.bucket_counts) + point.zero_count
    yield _row(f"{name}_bucket", point, around, below, le=_bound(point.zero_threshold))
    for at, count in enumerate(accumulate(point.positive.bucket_counts), point.positive.offset + 1):
        yield _row(f"{name}_bucket", point, around, below + count, le=_bound(_edge(point.scale, at)))
    yield _row(f"{name}_bucket", point, around, point.count, le="inf")


def _edge(scale: int, index: int) -> float:
    """Where the bucket before `index` ends: 2 to the power of index / 2^scale, within what a float holds."""
    exponent = index * 2.0 ** -min(max(scale, -_MOST_SCALE), _MOST_SCALE)
    return float(2.0 ** min(max(exponent, -1074.0), 1023.0))


def _summary(name: str, point: SummaryDataPoint, around: Labels) -> Iterator[Row]:
    for at in point.quantile_values:
        yield _row(name, point, around, at.value, quantile=_bound(at.quantile))
    yield _row(f"{name}_sum", point, around, point.sum)
    yield _row(f"{name}_count", point, around, point.count)


def _totals(name: str, point: _Point, totals: _Distribution, around: Labels) -> Iterator[Row]:
    yield _row(f"{name}_count", point, around, totals.count)
    yield _row(f"{name}_sum", point, around, totals.sum)


def _bound(bound: float) -> str:
    return text_of(bound) if isfinite(bound) else str(bound)


def _temporality(temporality: AggregationTemporality.ValueType) -> Labels:
    return {"aggregation_temporality": AggregationTemporality.Name(temporality)}


def _exemplars(exemplars: Iterable[Exemplar]) -> dict[str, object]:
    listed = [
        {
            **attributes_of(exemplar.filtered_attributes),
            VALUE: exemplar.as_double
            if exemplar.WhichOneof("value") == "as_double"
            else float(exemplar.as_int),
            TIMESTAMP: microseconds(exemplar.time_unix_nano),
            "span_id": exemplar.span_id.hex(),
            "trace_id": exemplar.trace_id.hex(),
        }
        for exemplar in exemplars
    ]
    return {"exemplars": json_text(listed)} if listed else {}
