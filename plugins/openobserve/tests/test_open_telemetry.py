"""What the worker makes of spans and metrics."""

import gzip

from cqrs_openobserve.feeds import Account, Batch
from cqrs_openobserve.metric_catalogue import UPTIME
from cqrs_openobserve.metric_cells import MetricCells
from cqrs_openobserve.observations import Subject
from cqrs_openobserve.open_telemetry import OpenTelemetry
from cqrs_openobserve.records import Anchor
from cqrs_openobserve.resources import remember, resource_of
from cqrs_openobserve.service import Service
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

SERVICE = Service("orders", None, None, "h")
ANCHOR = Anchor(10**18, 10**12)


def made(user: InMemoryMetricReader | None = None) -> OpenTelemetry:
    class User:
        def read(self) -> MetricsData | None:
            """Read it."""
            return user.get_metrics_data() if user else None

    return OpenTelemetry(SERVICE, "inst", {"team": "shop"}, "traces", 5, lambda: User() if user else None)


def ended(resource: Resource, start: int = 10**18 - 1_000) -> ReadableSpan:
    span = (
        TracerProvider(resource=resource, shutdown_on_exit=False)
        .get_tracer("x")
        .start_span("s", start_time=start)
    )
    span.end()
    assert isinstance(span, ReadableSpan)
    return span


def instance_of(body: bytes) -> set[str]:
    request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
    return {
        attribute.value.string_value
        for spans in request.resource_spans
        for attribute in spans.resource.attributes
        if attribute.key == "service.instance.id"
    }


def test_spans_travel_to_their_stream_as_old_as_the_oldest() -> None:
    """In one request, each a record of the books."""
    ours = resource_of(SERVICE, "parent", {})
    remember(ours)
    account = Account()
    spans = [ended(ours), ended(ours, 10**18 - 7_000)]
    (payload,) = made().spans(Batch(spans, ANCHOR, account))

    assert (payload.signal, payload.path, payload.records) == ("traces", "/v1/traces", 2)
    assert payload.headers["stream-name"] == "traces"
    assert payload.oldest_ns == 10**12 - 7_000
    assert instance_of(payload.body) == {"inst"}
    assert not account.dropped


def test_a_resource_of_the_users_stays() -> None:
    """Only what we made ourselves is said anew after a fork."""
    theirs = resource_of(SERVICE, "theirs", {})
    (payload,) = made().spans(Batch([ended(theirs)], ANCHOR, Account()))

    assert instance_of(payload.body) == {"theirs"}


def test_a_span_that_cannot_be_encoded_is_counted() -> None:
    """And alone."""
    good, bad = ended(Resource({})), ended(Resource({}))
    bad._end_time = "later"  # type: ignore[assignment]  # what no provider makes
    account = Account()
    (payload,) = made().spans(Batch([good, bad], ANCHOR, account))
    assert (payload.records, account.dropped) == (1, {"unserialisable": 1})

    assert list(made().spans(Batch([bad], ANCHOR, account))) == []


def test_late_spans_travel_as_others() -> None:
    """With the resource of this process."""
    subject = Subject("command", "handled", "Place", "h")
    seen = (subject, "error", 10**12 - 500, 100, 1, 1, None, 0xA, 0xB, 0, False, None)
    (payload,) = made().late([seen], ANCHOR)  # type: ignore[list-item]  # an observation

    assert (payload.signal, payload.records, payload.oldest_ns) == ("traces", 1, 10**12 - 600)
    assert instance_of(payload.body) == {"inst"}


def test_our_metrics_and_the_apps_are_requests_of_their_own() -> None:
    """The app's only if there are any."""
    cells = MetricCells()
    cells.read(UPTIME, 5)
    assert [points for _, points in made().metric_requests(cells, 10**18)] == [1]

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    meter = provider.get_meter("user")
    for name in ("one", "two"):
        meter.create_counter(name).add(1)
    assert [points for _, points in made(reader).metric_requests(cells, 10**18)] == [1, 2]
    provider.shutdown()


def test_what_a_reader_collected_is_encoded_or_no_record() -> None:
    """Nothing measured is nothing lost."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("user").create_counter("one").add(1)
    data = reader.get_metrics_data()
    assert data is not None
    account = Account()
    payloads = list(made().measured(Batch([data, MetricsData([])], ANCHOR, account)))
    provider.shutdown()

    assert [(payload.signal, payload.path, payload.records) for payload in payloads] == [
        ("metrics", "/v1/metrics", 1)
    ]
    assert account.skipped == 1
