"""Spans that are made afterwards."""

from cqrs_openobserve.late_spans import NAME, late_span
from cqrs_openobserve.observations import More, Subject
from cqrs_openobserve.records import Anchor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import StatusCode

ANCHOR = Anchor(wall_ns=10**18, monotonic_ns=5_000)
SUBJECT = Subject("event", "handled", "Placed", "shop.mail", "mail")


def test_a_late_span_is_the_one_that_was_not_made() -> None:
    """With the ids of the record, the times of the dispatch, and a mark."""
    seen = (SUBJECT, "error", 4_000, 1_000, 1, 2, 3, 0xA, 0xB, 0xC, False, More("MailError"))
    span = late_span(seen, ANCHOR, Resource({"service.name": "s"}))  # type: ignore[arg-type]  # an observation

    assert (span.name, span.start_time, span.end_time) == ("event Placed", 10**18 - 2_000, 10**18 - 1_000)
    assert span.context is not None
    assert (span.context.trace_id, span.context.span_id, span.context.trace_flags.sampled) == (0xA, 0xB, True)
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == (0xA, 0xC)
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes or {}) == {
        "cqrs.kind": "event",
        "cqrs.message": "Placed",
        "cqrs.handler": "shop.mail",
        "cqrs.subscriber": "mail",
        "cqrs.outcome": "error",
        "cqrs.sampling": "late",
        "error.type": "MailError",
    }
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == NAME


def test_a_slow_success_is_no_error() -> None:
    """And the first of its trace has no parent."""
    seen = (SUBJECT, "success", 4_000, 1_000, 1, 2, None, 0xA, 0xB, 0, False, None)
    span = late_span(seen, ANCHOR, Resource({}))  # type: ignore[arg-type]  # an observation

    assert (span.status.status_code, span.parent) == (StatusCode.UNSET, None)
    assert "error.type" not in (span.attributes or {})
