"""The process's OpenTelemetry providers."""

import subprocess
import sys
import textwrap

from cqrs_openobserve.providers import UserMetrics, tracing
from cqrs_openobserve.resources import is_ours
from opentelemetry import metrics, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

RESOURCE = Resource({"service.name": "s"})


def program(text: str) -> str:
    """Run a program of its own: providers are set once per process."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=18, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_without_a_provider_of_the_users_ours_makes_spans_for_all() -> None:
    """For the dispatches of each app, and for whatever else in the process makes some."""
    found: list[ReadableSpan] = []
    made = tracing(1.0, RESOURCE)
    made.tracer.start_span("before").end()
    made.start(found.append)
    try:
        made.tracer.start_span("dispatch").end()
        trace.get_tracer("web").start_span("request").end()
    finally:
        made.stop(found.append)
    made.tracer.start_span("after").end()
    trace.get_tracer("web").start_span("after").end()

    assert isinstance(trace.get_tracer_provider(), TracerProvider)
    assert found[0].name == "dispatch"
    assert is_ours(found[0].resource)
    assert [span.name for span in found] in (
        ["dispatch", "request"],
        ["dispatch"],
    )  # sampled as the first app wanted


def test_two_apps_have_their_dispatches_apart() -> None:
    """Each at its own rate, to its own pipeline."""
    first: list[ReadableSpan] = []
    second: list[ReadableSpan] = []
    one, two = tracing(1.0, RESOURCE), tracing(0.0, RESOURCE)
    one.start(first.append)
    two.start(second.append)
    one.tracer.start_span("one").end()
    two.tracer.start_span("two").end()
    one.stop(first.append)
    two.stop(second.append)

    assert ([span.name for span in first], second) == (["one"], [])


def test_the_users_provider_is_used_if_there_is_one() -> None:
    """Its sampler decides, its resource is kept, and its own exporters go on."""
    said = program(
        """
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from cqrs_openobserve.providers import tracing
        from cqrs_openobserve.resources import is_ours

        theirs = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({"service.name": "theirs"}))
        provider.add_span_processor(SimpleSpanProcessor(theirs))
        trace.set_tracer_provider(provider)
        found = []
        made = tracing(0.0, Resource({"service.name": "ours"}))
        made.start(found.append)
        made.tracer.start_span("dispatch").end()
        trace.get_tracer("web").start_span("request").end()
        made.stop(found.append)
        print(made.bound, [span.name for span in found], len(theirs.get_finished_spans()))
        print(found[0].resource.attributes["service.name"], is_ours(found[0].resource))
        print(trace.get_tracer_provider() is provider)
        """
    )
    assert said.splitlines() == ["None ['dispatch', 'request'] 2", "theirs False", "True"]


def test_the_users_meter_provider_is_read_beside_its_own_readers() -> None:
    """Both see everything; what is closed is read no more."""
    said = program(
        """
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.resources import Resource
        from cqrs_openobserve.providers import UserMetrics

        theirs = InMemoryMetricReader()
        metrics.set_meter_provider(MeterProvider([theirs]))
        ours = UserMetrics(Resource({}))
        metrics.get_meter("shop").create_counter("sold").add(3)
        name = lambda data: data.resource_metrics[0].scope_metrics[0].metrics[0].name
        print(name(ours.read()), name(theirs.get_metrics_data()))
        ours.close()
        metrics.get_meter("shop").create_counter("sold").add(1)
        print(name(theirs.get_metrics_data()))
        """
    )
    assert said.splitlines() == ["sold sold", "sold"]


def test_what_the_app_measures_is_read_cumulative() -> None:
    """A second reading tells the sum of both."""
    user = UserMetrics(RESOURCE)
    counter = metrics.get_meter("test_providers").create_counter("test_providers.sold")
    try:
        values = []
        for _ in range(2):
            counter.add(2)
            data = user.read()
            assert data is not None
            values += [
                point.value  # type: ignore[union-attr]  # a counter's
                for of_resource in data.resource_metrics
                for scope in of_resource.scope_metrics
                for metric in scope.metrics
                if metric.name == "test_providers.sold"
                for point in metric.data.data_points
            ]
    finally:
        user.close()
    assert values == [2, 4]
