"""From the SDK to our queue."""

from cqrs_openobserve.span_queue import SpanRelay
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON


def test_sampled_spans_go_to_the_app_that_was_first() -> None:
    """To the next when that has stopped, and to nobody when all have."""
    relay, provider = SpanRelay(), TracerProvider(ALWAYS_ON, shutdown_on_exit=False)
    provider.add_span_processor(relay)
    tracer = provider.get_tracer("x")
    first: list[ReadableSpan] = []
    second: list[ReadableSpan] = []
    tracer.start_span("nobody").end()
    relay.add(first.append)
    relay.add(second.append)
    tracer.start_span("one").end()
    relay.remove(first.append)
    tracer.start_span("two").end()
    relay.shutdown()
    tracer.start_span("three").end()

    assert ([span.name for span in first], [span.name for span in second]) == (["one"], ["two"])
    assert relay.force_flush()


def test_what_is_not_sampled_is_not_handed_over() -> None:
    """Though a processor hears of spans that are only recorded."""
    relay, provider = SpanRelay(), TracerProvider(ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(relay)
    found: list[ReadableSpan] = []
    relay.add(found.append)
    provider.get_tracer("x").start_span("one").end()
    relay.on_end(ReadableSpan("no identity"))

    assert found == []
