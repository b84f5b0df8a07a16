"""The span of a dispatch."""

import pytest
from cqrs_openobserve.late_spans import NAME
from cqrs_openobserve.providers import _Ids
from cqrs_openobserve.sampling import bound_of, is_sampled
from cqrs_openobserve.spans import CURRENT, KEY, DispatchSpans, LightSpan, Wanted
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBasedTraceIdRatio, Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags, TraceState

from cqrs import MessageContext


class Traced:
    """Spans of ours over a provider whose ended spans are kept."""

    def __init__(self, rate: float = 1.0, sampler: Sampler | None = None) -> None:
        self.exported = InMemorySpanExporter()
        wanted = Wanted()
        ids = None if sampler else _Ids(wanted)
        provider = TracerProvider(
            sampler or ParentBasedTraceIdRatio(rate), shutdown_on_exit=False, id_generator=ids
        )
        provider.add_span_processor(SimpleSpanProcessor(self.exported))
        self.tracer = provider.get_tracer(NAME)
        self.spans = DispatchSpans(self.tracer, None if sampler else bound_of(rate), wanted)
        self.running = [0]
        self._enter = self.spans.entering("command Place", {"cqrs.kind": "command"}, self.running)

    def enter(self, context: MessageContext) -> Context:
        """Begin a dispatch."""
        return self._enter(context, None)


def inside(around: Context, spans: Traced, context: MessageContext) -> Context:
    token = CURRENT.set(around)
    try:
        return spans.enter(context)
    finally:
        CURRENT.reset(token)


def test_a_sampled_dispatch_has_a_real_span_with_the_ids_of_its_record() -> None:
    """Named, with its attributes and its end."""
    traced, context = Traced(), MessageContext().begin()
    number = context.trace_number
    entered = traced.enter(context)
    assert traced.running == [1]
    assert traced.spans.leave(context, "success", None) is True

    (span,) = traced.exported.get_finished_spans()
    assert span.context is not None
    assert entered[KEY].get_span_context() == span.context
    assert (span.context.trace_id, span.context.span_id) == (number, context.span_number)
    assert (span.name, span.parent, span.status.status_code) == ("command Place", None, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {"cqrs.kind": "command", "cqrs.outcome": "success"}
    assert traced.spans.open == {}


def test_an_error_is_the_status_of_its_span() -> None:
    """And a class, not a text."""
    traced, context = Traced(), MessageContext().begin()
    traced.enter(context)
    traced.spans.event(context, "cqrs.retry", {"cqrs.attempt": 1})
    traced.spans.leave(context, "error", "OutOfStock")

    (span,) = traced.exported.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert (span.attributes or {})["error.type"] == "OutOfStock"
    assert [event.name for event in span.events] == ["cqrs.retry"]


def test_a_dispatch_that_is_not_sampled_gives_its_identity_all_the_same() -> None:
    """What runs inside joins its trace, and is not sampled either."""
    traced, context = Traced(0.0), MessageContext().begin()
    entered = traced.enter(context)

    span = entered[KEY]
    assert type(span) is LightSpan
    assert not span.is_recording()
    identity = span.get_span_context()
    assert (identity.trace_id, identity.span_id) == (context.trace_number, context.span_number)
    assert (identity.is_valid, identity.is_remote, identity.trace_flags.sampled) == (True, False, False)
    child = traced.tracer.start_span("http", entered)
    assert child.get_span_context().trace_id == context.trace_number
    assert not child.is_recording()
    assert traced.spans.leave(context, "success", None) is False
    traced.spans.event(context, "x", {})


def test_a_light_span_takes_everything_and_keeps_nothing() -> None:
    """As a span that does not record."""
    span = LightSpan()
    span.of = MessageContext().begin()
    for act in (
        lambda: span.set_attribute("a", 1),
        lambda: span.set_attributes({"a": 1}),
        lambda: span.add_event("a"),
        lambda: span.update_name("a"),
        lambda: span.set_status(StatusCode.ERROR),
        lambda: span.record_exception(ValueError()),
        span.end,
    ):
        act()
    with span as entered:
        assert entered is span


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_dispatch_in_a_dispatch_is_its_child(rate: float) -> None:
    """In the same trace, sampled or not as that one."""
    traced = Traced(rate)
    outer = MessageContext().begin()
    entered = traced.enter(outer)
    inner = MessageContext().follow(outer)
    inside(entered, traced, inner)

    assert (inner.trace_number, inner.parent_span_number) == (outer.trace_number, outer.span_number)
    assert bool(traced.spans.leave(inner, "success", None)) is bool(rate)
    if rate:
        (span,) = traced.exported.get_finished_spans()
        assert span.parent is not None
        assert span.parent.span_id == outer.span_number


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_the_span_around_decides(sampled: bool, rate: float) -> None:  # noqa: FBT001 - a table
    """A request that came with a trace keeps it and its decision, and the state that travels with it."""
    state = TraceState([("vendor", "x")])
    remote = SpanContext(0xABC, 0xDEF, True, TraceFlags(int(sampled)), state)  # noqa: FBT003 - its signature
    traced, context = Traced(rate), MessageContext().begin()
    entered = inside(Context({KEY: NonRecordingSpan(remote), "baggage": "kept"}), traced, context)

    identity = entered[KEY].get_span_context()
    assert (context.trace_number, context.parent_span_number) == (0xABC, 0xDEF)
    assert (identity.trace_id, identity.trace_flags.sampled, identity.trace_state) == (0xABC, sampled, state)
    assert entered["baggage"] == "kept"
    assert traced.spans.leave(context, "success", None) is sampled


def test_an_invalid_span_around_is_none() -> None:
    """A dispatch in it begins a trace."""
    traced, context = Traced(), MessageContext().begin()
    number = context.trace_number
    inside(Context({KEY: trace.INVALID_SPAN}), traced, context)

    assert context.trace_number == number
    assert traced.spans.leave(context, "success", None) is True
    dark, context = Traced(0.0), MessageContext().begin()
    inside(Context({KEY: trace.INVALID_SPAN}), dark, context)
    assert dark.spans.leave(context, "success", None) is False


def test_a_cause_whose_span_is_current_no_more_is_the_parent_still() -> None:
    """As for an event that is published later."""
    traced, cause = Traced(), MessageContext().begin()
    traced.enter(cause)
    later = MessageContext().follow(cause)
    traced.enter(later)
    traced.spans.leave(later, "success", None)

    (span,) = traced.exported.get_finished_spans()
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == (cause.trace_number, cause.span_number)


def test_the_users_provider_decides_and_gives_the_ids() -> None:
    """Whatever our rate is."""
    dark, context = Traced(sampler=ALWAYS_OFF), MessageContext().begin()
    entered = dark.enter(context)
    identity = entered[KEY].get_span_context()
    assert (identity.trace_id, identity.span_id) == (context.trace_number, context.span_number)
    assert dark.spans.leave(context, "success", None) is False

    light, context = Traced(sampler=ParentBasedTraceIdRatio(1.0)), MessageContext().begin()
    number = context.trace_number
    light.enter(context)
    assert light.spans.leave(context, "success", None) is True
    (span,) = light.exported.get_finished_spans()
    assert span.context is not None
    assert span.context.trace_id == context.trace_number != number


def test_the_share_of_sampled_dispatches_is_decided_by_their_trace() -> None:
    """As every other service decides."""
    traced = Traced(0.3)
    contexts = [MessageContext().begin() for _ in range(200)]
    for context in contexts:
        traced.enter(context)
    decided = [traced.spans.leave(context, "success", None) for context in contexts]

    assert decided == [is_sampled(context.trace_number, bound_of(0.3)) for context in contexts]
    assert 20 < sum(decided) < 110
