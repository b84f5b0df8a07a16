"""What is sent to prove the way, and how each probe is recognised when it comes back."""

import secrets
from collections.abc import Callable, Container, Iterator, Mapping
from typing import TYPE_CHECKING, Final, cast, final

import attrs

from cqrs.clock import Clock
from cqrs.middleware import Kind
from cqrs_openobserve.columns import Column, ColumnType
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.log_lines import LogLine
from cqrs_openobserve.metric_catalogue import Metric
from cqrs_openobserve.metric_cells import Reading
from cqrs_openobserve.names import stream_name
from cqrs_openobserve.observations import Observation, Subject
from cqrs_openobserve.open_telemetry import METRICS, TRACES
from cqrs_openobserve.payloads import Signal
from cqrs_openobserve.plan import Queues
from cqrs_openobserve.provision.streams import Stream, streams_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

Row = Mapping[str, object]

_PYTHON: Final[dict[ColumnType, tuple[type, ...]]] = {
    "Utf8": (str,),
    "Int64": (int,),
    "Float64": (float, int),
    "Boolean": (bool,),
}
# Counts nowhere: its name and its record are the probe's own.
PROBE: Final = Metric("cqrs.verify", "gauge", "1", "A probe of verify.", ("record", "correlation_id"))
_VALUE: Final = 1.0
_DURATION_NS: Final = 1_500_000
_SPAN: Final = "verify probe"


@final
@attrs.frozen
class Identity:
    """What the probes of one run have in common.

    Attributes:
        number: id of the messages, of their cause and of the trace.
        span: id of the span.
    """

    number: int
    span: int

    @property
    def text(self) -> str:
        """The id as it stands in records."""
        return f"{self.number:032x}"

    @property
    def span_text(self) -> str:
        """The span's id as it stands in records."""
        return f"{self.span:016x}"


@final
@attrs.frozen
class Probe:
    """One probe.

    Attributes:
        signal: the signal that it proves.
        stream: the server's name of its stream.
        path: of the request that it travels in.
        type: the stream's type.
        sql: finds it.
        flaw: says what is wrong with the row that was found; empty if nothing is.
        said: what was proven, in a few words.
        variable: what names the stream; empty if nothing does.
    """

    signal: Signal
    stream: str
    path: str
    type: str
    sql: str
    flaw: Callable[[Row], str]
    said: str
    variable: str = ""


def new_identity() -> Identity:
    """Make the identity of a run."""
    return Identity(secrets.randbits(128) | 1, secrets.randbits(64) | 1)


def probes_of(configuration: Configuration, identity: Identity) -> tuple[Probe, ...]:
    """Give the probes of every signal, also of those that are switched off.

    Args:
        configuration: which streams.
        identity: of the run.
    """
    return (
        *(_record(stream, identity) for stream in streams_of(configuration)),
        *_line(configuration, identity),
        *_metric(configuration, identity),
        _span(configuration, identity),
    )


def offer(
    configuration: Configuration, queues: Queues, identity: Identity, clock: Clock, streams: Container[str]
) -> None:
    """Hand the probes over, where an app's own records, metrics and spans are.

    Args:
        configuration: who sends.
        queues: of the pipeline.
        identity: of the run.
        clock: tells the time.
        streams: where to; what goes elsewhere is left out.
    """
    now = clock.monotonic_ns()
    for stream in streams_of(configuration):
        if stream.name in streams:
            queues.observations.offer(_observation(stream, identity, now))
    if configuration.stream_logs in streams:
        queues.lines.offer(
            LogLine(now, "INFO", __name__, _SPAN, correlation_id=identity.text, trace_number=identity.number)
        )
    if configuration.stream_metrics in streams:
        queues.sources.append(lambda: _reading(identity))
    if configuration.stream_traces in streams:
        queues.spans.offer(_made_span(configuration, identity, clock.time_ns()))


def _reading(identity: Identity) -> Iterator[Reading]:
    yield PROBE, _VALUE, ("probe", identity.text)


def _observation(stream: Stream, identity: Identity, now_ns: int) -> Observation:
    subject = Subject(cast("Kind", stream.kind), "probe", "Probe", __name__)
    number, span = identity.number, identity.span if stream.kind == "command" else 1
    return (subject, "success", now_ns, _DURATION_NS, number, number, None, number, span, 0, True, None)


def _made_span(configuration: Configuration, identity: Identity, now_ns: int) -> "ReadableSpan":
    # Here and not above: only what makes spans loads OpenTelemetry's SDK.
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, TraceFlags

    from cqrs_openobserve.late_spans import SCOPE
    from cqrs_openobserve.resources import resource_of
    from cqrs_openobserve.service import new_instance

    flags = TraceFlags(TraceFlags.SAMPLED)
    return ReadableSpan(
        _SPAN,
        SpanContext(identity.number, identity.span, is_remote=False, trace_flags=flags),
        resource=resource_of(
            configuration.service, new_instance(), configuration.settings.resource_attributes
        ),
        attributes={"cqrs.kind": "probe", "cqrs.outcome": "success"},
        start_time=now_ns - _DURATION_NS,
        end_time=now_ns,
        instrumentation_scope=SCOPE,
    )


# The names in these queries are normalised and the ids hexadecimal: nothing in them is foreign text.


def _record(stream: Stream, identity: Identity) -> Probe:
    columns = stream.columns
    return Probe(
        "logs",
        stream.name,
        f"/{stream.name}/_json",
        "logs",
        f"SELECT * FROM \"{stream.name}\" WHERE correlation_id = '{identity.text}'",  # noqa: S608  # as above
        lambda row: _differs(columns, row),
        f"with {len(columns)} fields",
        stream.variable,
    )


def _line(configuration: Configuration, identity: Identity) -> Iterator[Probe]:
    name = configuration.stream_logs
    if name:
        sql = f"SELECT * FROM \"{name}\" WHERE correlation_id = '{identity.text}'"  # noqa: S608  # as above
        flaw = _lacks("level", "message", "logger", "trace_id")
        yield Probe("logs", name, f"/{name}/_json", "logs", sql, flaw, "as a log line", "CQRS_STREAM_LOGS")


def _metric(configuration: Configuration, identity: Identity) -> Iterator[Probe]:
    name, rows = stream_name(PROBE.name), configuration.stream_metrics
    sql = f"SELECT * FROM \"{name}\" WHERE correlation_id = '{identity.text}'"  # noqa: S608  # as above
    yield Probe("metrics", name, METRICS, "metrics", sql, _lacks("value", "service_name"), "as a metric")
    labels = f"record=probe,correlation_id={identity.text}"
    sql = f"SELECT * FROM \"{rows}\" WHERE labels = '{labels}'"  # noqa: S608  # as above
    flaw = _lacks("metric_name", "metric_value", "service_name")
    yield Probe(
        "metrics", rows, f"/{rows}/_json", "logs", sql, flaw, "as a row for SQL", "CQRS_STREAM_METRICS"
    )


def _span(configuration: Configuration, identity: Identity) -> Probe:
    name = configuration.stream_traces
    sql = f"SELECT * FROM \"{name}\" WHERE trace_id = '{identity.text}'"  # noqa: S608  # as above
    flaw = _lacks("span_id", "operation_name", "service_name", "duration")
    return Probe("traces", name, TRACES, "traces", sql, flaw, "as a span", "CQRS_STREAM_TRACES")


def _lacks(*names: str) -> Callable[[Row], str]:
    def flaw(row: Row) -> str:
        missing = [name for name in names if row.get(name) is None]
        return f"missing {', '.join(missing)}" if missing else ""

    return flaw


def _differs(columns: tuple[Column, ...], row: Row) -> str:
    missing = [column.name for column in columns if row.get(column.name) is None]
    wrong = [
        f"{column.name} is a {type(row[column.name]).__name__}, not {column.type}"
        for column in columns
        if row.get(column.name) is not None and type(row[column.name]) not in _PYTHON[column.type]
    ]
    return "; ".join([*wrong, *([f"missing {', '.join(missing)}"] if missing else [])])
