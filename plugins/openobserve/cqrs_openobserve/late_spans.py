"""Spans that are made afterwards, of dispatches that were not sampled but failed or were slow."""

from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from cqrs_openobserve.observations import Observation
from cqrs_openobserve.records import Anchor

NAME: Final = "cqrs_openobserve"
SCOPE: Final = InstrumentationScope(NAME)
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


def late_span(observation: Observation, anchor: Anchor, resource: Resource) -> ReadableSpan:
    """Make the span of a dispatch that has ended, with the ids that its record and its children have.

    Args:
        observation: the dispatch.
        anchor: the clocks.
        resource: who sends.
    """
    subject, outcome, ended, duration = observation[:4]
    trace, number, parent = observation[7:10]
    more = observation[11]
    attributes = dict(subject.attributes) | {"cqrs.outcome": outcome, "cqrs.sampling": "late"}
    if more is not None and more.error_type:
        attributes["error.type"] = more.error_type
    return ReadableSpan(
        subject.span_name,
        SpanContext(trace, number, is_remote=False, trace_flags=_SAMPLED),
        SpanContext(trace, parent, is_remote=False, trace_flags=_SAMPLED) if parent else None,
        resource,
        attributes,
        status=Status(StatusCode.ERROR if outcome == "error" else StatusCode.UNSET),
        start_time=anchor.nanos(ended - duration),
        end_time=anchor.nanos(ended),
        instrumentation_scope=SCOPE,
    )
