"""OTLP export requests and their answers, taken apart and read: the only place here that parses protobuf."""

from collections.abc import Callable, Iterator, MutableSequence
from typing import Final, TypeVar, cast, final

import attrs
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

_Request = TypeVar("_Request", ExportTraceServiceRequest, ExportMetricsServiceRequest)
_POINTS: Final = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


@final
@attrs.frozen
class PartialSuccess:
    """What a server says of an OTLP request that it took.

    Attributes:
        rejected: spans, data points or log records that it refused.
        text: its reason, or empty.
    """

    rejected: int
    text: str


def partial_success(body: bytes) -> PartialSuccess | None:
    """Read the protobuf answer to an export request of any signal.

    Args:
        body: as it came; empty means that everything was taken.

    Returns:
        What was refused; None if the body is no such answer.
    """
    # The answers of the three signals are one message on the wire: its only field holds a count and a text.
    try:
        said = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:
        return None
    return PartialSuccess(said.rejected_spans, said.error_message) if said.rejected_spans >= 0 else None


def halves_of(signal: str, raw: bytes) -> list[tuple[bytes, int]]:
    """Take an export request apart into two.

    Args:
        signal: ``traces`` or ``metrics``.
        raw: the request.

    Returns:
        Two requests, each with the number of spans or data points in it.

    Raises:
        ValueError: if it cannot be parsed.
    """
    parse = _metrics if signal == "metrics" else _spans
    total = sum(len(records) for records in parse(raw)[1])
    middle = total // 2
    return [_part(parse, raw, range(middle)), _part(parse, raw, range(middle, total))]


_Records = MutableSequence[object]
_Parsed = tuple[Callable[[], bytes], list[_Records]]


def _part(parse: Callable[[bytes], _Parsed], raw: bytes, wanted: range) -> tuple[bytes, int]:
    write, lists = parse(raw)
    position = 0
    for records in lists:
        first, last = position, position + len(records)
        position = last
        del records[max(0, wanted.stop - first) :]
        del records[: max(0, min(wanted.start, last) - first)]
    return write(), len(wanted)


def _spans(raw: bytes) -> _Parsed:
    request = _parsed(ExportTraceServiceRequest.FromString, raw)
    lists = [
        cast("_Records", scope.spans) for resource in request.resource_spans for scope in resource.scope_spans
    ]
    return request.SerializeToString, lists


def _metrics(raw: bytes) -> _Parsed:
    request = _parsed(ExportMetricsServiceRequest.FromString, raw)
    scopes = [scope for resource in request.resource_metrics for scope in resource.scope_metrics]
    lists = [points for scope in scopes for metric in scope.metrics for points in _points(metric)]

    def write() -> bytes:
        for scope in scopes:
            kept = [metric for metric in scope.metrics if any(map(len, _points(metric)))]
            del scope.metrics[:]
            scope.metrics.extend(kept)
        return bytes(request.SerializeToString())

    return write, lists


def _points(metric: Metric) -> Iterator[_Records]:
    for kind in _POINTS:
        if metric.HasField(kind):
            yield cast("_Records", getattr(metric, kind).data_points)


def _parsed(parse: Callable[[bytes], _Request], raw: bytes) -> _Request:
    try:
        return parse(raw)
    except DecodeError as error:
        raise ValueError(str(error)) from None
