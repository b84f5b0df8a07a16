"""The process's OpenTelemetry providers: the user's if set, else ours; each asked to hand over what it has."""

from collections.abc import Callable
from typing import Final, final
from weakref import WeakKeyDictionary

import attrs
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Tracer

from cqrs_openobserve.late_spans import NAME
from cqrs_openobserve.resources import remember
from cqrs_openobserve.sampling import bound_of
from cqrs_openobserve.span_queue import SpanRelay, SpanSink
from cqrs_openobserve.spans import Wanted

_relays: Final[WeakKeyDictionary[TracerProvider, SpanRelay]] = WeakKeyDictionary()
_wanted: Final = Wanted()


@final
class _Ids(IdGenerator):
    # Gives a dispatch's span the ids that its records have already.

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._random = RandomIdGenerator()

    def generate_span_id(self) -> int:
        number, self._wanted.span = self._wanted.span, 0
        return number or self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        number, self._wanted.trace = self._wanted.trace, 0
        return number or self._random.generate_trace_id()

    def is_trace_id_random(self) -> bool:
        return True


@final
@attrs.frozen
class Tracing:
    """Where spans come from.

    Attributes:
        tracer: makes the spans of dispatches.
        bound: of the sampling rate; None if the user's own provider decides.
        wanted: tells our provider the ids of the next span.
        relays: where spans come out that have ended.
        own: makes a provider of ours.
    """

    tracer: Tracer
    bound: int | None
    wanted: Wanted
    relays: list[SpanRelay]
    own: Callable[[], TracerProvider]

    def start(self, sink: SpanSink) -> None:
        """Have ended spans handed over, and make the process's provider if nobody has set one.

        Args:
            sink: takes them.
        """
        if self.bound is not None:
            self.relays.append(_relay(_process_provider(self.own)))
        for relay in self.relays:
            relay.add(sink)

    def stop(self, sink: SpanSink) -> None:
        """Have them handed over no more.

        Args:
            sink: what ``start`` was given.
        """
        for relay in self.relays:
            relay.remove(sink)


def tracing(rate: float, resource: Resource) -> Tracing:
    """Take the user's tracer provider, or make one for the dispatches of this app.

    Args:
        rate: share of traces that get spans; counts only if no provider of the user's is set.
        resource: who sends; likewise.
    """

    def own() -> TracerProvider:
        return _provider(rate, resource)

    found = trace.get_tracer_provider()
    if isinstance(found, TracerProvider) and not isinstance(found.id_generator, _Ids):
        return Tracing(found.get_tracer(NAME), None, _wanted, [_relay(found)], own)
    made = own()
    return Tracing(made.get_tracer(NAME), bound_of(rate), _wanted, [_relay(made)], own)


def _process_provider(own: Callable[[], TracerProvider]) -> TracerProvider:
    # What else in the process makes spans, such as a web framework, makes real ones from now on.
    found = trace.get_tracer_provider()
    if not isinstance(found, TracerProvider):
        found = own()
        trace.set_tracer_provider(found)
    return found


def _provider(rate: float, resource: Resource) -> TracerProvider:
    remember(resource)
    return TracerProvider(
        ParentBasedTraceIdRatio(rate), resource, shutdown_on_exit=False, id_generator=_Ids(_wanted)
    )


def _relay(provider: TracerProvider) -> SpanRelay:
    relay = _relays.get(provider)
    if relay is None:
        relay = _relays[provider] = SpanRelay()
        provider.add_span_processor(relay)
    return relay


@final
class UserMetrics:
    """What the app measures through OpenTelemetry's metrics API.

    Args:
        resource: who sends; counts only if no provider of the user's is set.
    """

    def __init__(self, resource: Resource) -> None:
        provider = metrics.get_meter_provider()
        if not isinstance(provider, MeterProvider):
            remember(resource)
            provider = MeterProvider(resource=resource, shutdown_on_exit=False)
            metrics.set_meter_provider(provider)
        self._provider = provider
        self._reader = InMemoryMetricReader()
        provider.add_metric_reader(self._reader)

    def read(self) -> MetricsData | None:
        """Read all instruments, cumulative; None if there are none."""
        return self._reader.get_metrics_data()

    def close(self) -> None:
        """Read no more."""
        self._provider.remove_metric_reader(self._reader)
