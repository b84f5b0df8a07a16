"""OTLP export requests: spans and metrics by OpenTelemetry's own encoder, the user's texts redacted before."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Final, cast

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status

from cqrs_openobserve.metric_cells import Series
from cqrs_openobserve.redaction import HIDDEN, is_denied, redact
from cqrs_openobserve.wire_forms import text_of

LONGEST_ATTRIBUTE: Final = 8 * 1024
LONGEST_NAME: Final = 512
MOST_ATTRIBUTES: Final = 128
_OURS: Final = ("cqrs.", "error.type")
_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE


def encoded_spans(spans: Sequence[ReadableSpan]) -> tuple[bytes, Sequence[ReadableSpan]]:
    """Encode spans; one that cannot be encoded does not cost the others.

    Args:
        spans: redacted ones.

    Returns:
        The request, and the spans that are in it.
    """
    try:
        return _serialised(spans), spans
    except Exception:  # noqa: BLE001  # the encoder raises whatever a value makes it raise
        good = [span for span in spans if _is_encodable(span)]
        return _serialised(good), good


def _serialised(spans: Sequence[ReadableSpan]) -> bytes:
    return bytes(encode_spans(spans).SerializeToString())


def _is_encodable(span: ReadableSpan) -> bool:
    try:
        encode_spans([span])
    except Exception:  # noqa: BLE001  # as above; the caller counts it
        return False
    return True


def redacted(span: ReadableSpan, scope: str, resource: Resource) -> ReadableSpan:
    """Give a span whose name, status, attributes and events hold nothing that must not leave.

    Args:
        span: as it ended.
        scope: the name of our own instrumentation scope; names and ``cqrs.*`` attributes of it need no scan.
        resource: who sends it.
    """
    made_by = span.instrumentation_scope
    ours = made_by is not None and made_by.name == scope
    status = span.status
    if status.description:
        status = Status(status.status_code, redact(status.description))
    return ReadableSpan(
        span.name if ours else redact(span.name, LONGEST_NAME),
        span.context,
        span.parent,
        resource,
        _attributes(span.attributes, ours=ours),
        [
            Event(redact(event.name, LONGEST_NAME), _attributes(event.attributes, ours=ours), event.timestamp)
            for event in span.events
        ],
        [Link(link.context, _attributes(link.attributes, ours=False)) for link in span.links],
        span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=made_by,
    )


def _attributes(
    attributes: Mapping[str, object] | None, *, ours: bool
) -> dict[str, str | bool | int | float]:
    found: dict[str, str | bool | int | float] = {}
    for name, value in list((attributes or {}).items())[:MOST_ATTRIBUTES]:
        if ours and name.startswith(_OURS):
            found[name] = cast("str", value)
        elif is_denied(name):
            found[redact(name, 100)] = HIDDEN
        elif type(value) in {bool, float} or (type(value) is int and -(2**63) <= value < 2**63):
            found[redact(name, 100)] = cast("float", value)
        else:
            found[redact(name, 100)] = text_of(value, LONGEST_ATTRIBUTE) or ""
    return found


def metrics_of(
    series: Iterable[Series], resource: Resource, scope: InstrumentationScope, started_ns: int, now_ns: int
) -> MetricsData:
    """Give our cells as the SDK's values, cumulative.

    Args:
        series: of all metrics, grouped by metric.
        resource: who sends.
        scope: who measured.
        started_ns: since when the cells count, ns since the Unix epoch.
        now_ns: when they were read, ns since the Unix epoch.
    """
    by_metric: dict[str, list[Series]] = {}
    for each in series:
        by_metric.setdefault(each.metric.name, []).append(each)
    metrics = [_metric(group, started_ns, now_ns) for group in by_metric.values()]
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(scope, metrics, "")], "")])


def _metric(group: Sequence[Series], started_ns: int, now_ns: int) -> Metric:
    metric = group[0].metric
    data: Histogram | Sum | Gauge
    if metric.type == "histogram":
        data = Histogram([_histogram(each, started_ns, now_ns) for each in group], _CUMULATIVE)
    else:
        points = [
            NumberDataPoint(each.attributes, started_ns, now_ns, float(each.cell.total)) for each in group
        ]
        data = Gauge(points) if metric.type == "gauge" else Sum(points, _CUMULATIVE, is_monotonic=True)
    return Metric(metric.name, metric.doc, metric.unit, data)


def _histogram(series: Series, started_ns: int, now_ns: int) -> HistogramDataPoint:
    cell = series.cell
    return HistogramDataPoint(
        series.attributes,
        started_ns,
        now_ns,
        cell.count,
        cell.total,
        list(cell.buckets),
        cell.bounds,
        cell.least,
        cell.most,
    )


def encoded_metrics(data: MetricsData) -> Iterator[tuple[bytes, int]]:
    """Encode metrics, one request per resource and scope so that none is too large.

    Args:
        data: our own or the app's.

    Yields:
        A request and the number of data points in it.
    """
    for of_resource in data.resource_metrics:
        for of_scope in of_resource.scope_metrics:
            part = ResourceMetrics(of_resource.resource, [of_scope], of_resource.schema_url)
            points = sum(len(metric.data.data_points) for metric in of_scope.metrics)
            if points:
                yield encode_metrics(MetricsData([part])).SerializeToString(), points


def redacted_metrics(data: MetricsData, resource_for: Callable[[Resource], Resource]) -> MetricsData:
    """Give what the app measured, its attributes redacted; samples that are no numbers are left out.

    Args:
        data: as the SDK gives it.
        resource_for: gives who sends it.
    """
    return MetricsData(
        [
            ResourceMetrics(
                resource_for(of_resource.resource),
                [
                    replace(of_scope, metrics=[_redacted(metric) for metric in of_scope.metrics])
                    for of_scope in of_resource.scope_metrics
                ],
                of_resource.schema_url,
            )
            for of_resource in data.resource_metrics
        ]
    )


def _redacted(metric: Metric) -> Metric:
    kept = [
        replace(point, attributes=_attributes(point.attributes, ours=False), exemplars=[])
        for point in metric.data.data_points
        if math.isfinite(point.value if isinstance(point, NumberDataPoint) else point.sum)
    ]
    data = copy(metric.data)
    object.__setattr__(data, "data_points", kept)  # frozen, and generic over its points
    return replace(metric, data=data)
