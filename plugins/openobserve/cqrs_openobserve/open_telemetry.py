"""What the worker needs of OpenTelemetry's SDK, loaded when the first span or metric is encoded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, final

import attrs

from cqrs_openobserve.feeds import Batch
from cqrs_openobserve.metric_cells import MetricCells
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.payloads import OTLP, Payload, compressed
from cqrs_openobserve.records import Anchor
from cqrs_openobserve.service import Service

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan


class UserMetrics(Protocol):
    """What the app measures itself; ``providers.UserMetrics``."""

    def read(self) -> "MetricsData | None":
        """Read all instruments; None if there are none."""
        ...


TRACES: Final = "/v1/traces"
METRICS: Final = "/v1/metrics"


@final
@attrs.define(eq=False, slots=False)
class OpenTelemetry:
    """Encodes spans and metrics of one process.

    Attributes:
        service: who sends.
        instance: identity of this process's life.
        attributes: further attributes, from ``OTEL_RESOURCE_ATTRIBUTES``.
        stream: the server's name of the stream of spans.
        started_ns: since when metrics count, ns since the Unix epoch.
        user: gives what the app measures itself.
    """

    service: Service
    instance: str
    attributes: Mapping[str, str]
    stream: str
    started_ns: int
    user: Callable[[], UserMetrics | None]

    @cached_property
    def resource(self) -> "Resource":
        """Who sends, as OpenTelemetry says it."""
        from cqrs_openobserve.resources import resource_of

        return resource_of(self.service, self.instance, self.attributes)

    def spans(self, batch: "Batch[ReadableSpan]") -> Iterator[Payload]:
        """Encode spans that have ended, redacted.

        Args:
            batch: what was taken from the queue.
        """
        from cqrs_openobserve.late_spans import NAME
        from cqrs_openobserve.otlp import encoded_spans, redacted

        made = [redacted(span, NAME, self._resource_for(span.resource)) for span in batch.items]
        body, encoded = encoded_spans(made)
        if len(encoded) < len(made):
            batch.account.drop("unserialisable", len(made) - len(encoded))
        yield from self._payload(body, encoded, batch.anchor)

    def measured(self, batch: "Batch[MetricsData]") -> Iterator[Payload]:
        """Encode what a reader of OpenTelemetry's has collected, redacted.

        Args:
            batch: what was taken from the queue.
        """
        for data in batch.items:
            points = 0
            for request, count in self._requests(data):
                points += count
                yield Payload("metrics", METRICS, OTLP, compressed(request), count, batch.anchor.monotonic_ns)
            if not points:
                batch.account.skip()

    def late(self, observations: Sequence[Observation], anchor: Anchor) -> Iterator[Payload]:
        """Make the spans that some dispatches did not get.

        Args:
            observations: the dispatches.
            anchor: the clocks.
        """
        from cqrs_openobserve.late_spans import late_span
        from cqrs_openobserve.otlp import encoded_spans

        spans = [late_span(observation, anchor, self.resource) for observation in observations]
        yield from self._payload(*encoded_spans(spans), anchor)

    def metric_requests(self, cells: MetricCells, now_ns: int) -> Iterator[tuple[bytes, int]]:
        """Encode our series and what the app measures itself.

        Args:
            cells: our series.
            now_ns: when they were read, ns since the Unix epoch.

        Yields:
            A request and the number of data points in it.
        """
        from cqrs_openobserve.late_spans import SCOPE
        from cqrs_openobserve.otlp import encoded_metrics, metrics_of

        own = metrics_of(cells.series(), self.resource, SCOPE, self.started_ns, now_ns)
        yield from encoded_metrics(own)
        user = self.user()
        data = None if user is None else user.read()
        if data is not None:
            yield from self._requests(data)

    def _requests(self, data: "MetricsData") -> Iterator[tuple[bytes, int]]:
        from cqrs_openobserve.otlp import encoded_metrics, redacted_metrics

        yield from encoded_metrics(redacted_metrics(data, self._resource_for))

    def _payload(self, body: bytes, spans: "Sequence[ReadableSpan]", anchor: Anchor) -> Iterator[Payload]:
        if spans:
            began = min(span.start_time or anchor.wall_ns for span in spans)
            oldest = anchor.monotonic_ns - max(0, anchor.wall_ns - began)
            yield Payload(
                "traces", TRACES, {**OTLP, "stream-name": self.stream}, compressed(body), len(spans), oldest
            )

    def _resource_for(self, resource: "Resource") -> "Resource":
        # A provider that we made before a fork still names the parent's instance.
        from cqrs_openobserve.resources import is_ours

        return self.resource if is_ours(resource) else resource
