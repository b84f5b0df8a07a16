"""What this plugin sends: every queue of a process, and the encoders of what lies in them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from cqrs_openobserve.bus_metrics import BusMetrics
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.feeds import AnyFeed, Feed, Plan, Timer
from cqrs_openobserve.log_lines import LogLine, LogRows
from cqrs_openobserve.metric_cells import MetricCells
from cqrs_openobserve.metric_rows import MetricRows
from cqrs_openobserve.metric_timer import MetricTimer, Source
from cqrs_openobserve.observation_encoder import NEVER, ObservationEncoder
from cqrs_openobserve.observations import ObservationQueue
from cqrs_openobserve.open_telemetry import OpenTelemetry, UserMetrics
from cqrs_openobserve.queues import BoundedQueue
from cqrs_openobserve.records import LEVELS, RowBuilder

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan

MOST_SPANS: Final = 4_096
MOST_LINES: Final = 8_192
MOST_MEASURED: Final = 64


@final
class Queues:
    """Where callers leave what they observe; the same objects for the life of the process, forks included.

    Args:
        wake: wakes the worker; called on a caller's thread.

    Attributes:
        observations: of every dispatch and publish.
        spans: spans that have ended.
        lines: lines of the app's log.
        measured: metrics that a reader of OpenTelemetry's has collected.
        sources: what is read at each metric interval; without any there are no metrics of our own.
        user: what the app measures itself, if that is read too.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.observations = ObservationQueue(wake)
        self.spans: BoundedQueue[ReadableSpan] = BoundedQueue(MOST_SPANS, wake)
        self.lines: BoundedQueue[LogLine] = BoundedQueue(MOST_LINES, wake)
        self.measured: BoundedQueue[MetricsData] = BoundedQueue(MOST_MEASURED, wake)
        self.sources: list[Source] = []
        self.user: UserMetrics | None = None


def plan_of(configuration: Configuration, queues: Queues, instance: str, now_ns: int) -> Plan:
    """Make the encoders of one process, which begin at nothing: a forked child makes its own.

    Args:
        configuration: what to send where.
        queues: where callers put it.
        instance: identity of this process's life, the first part of every ``record_id``.
        now_ns: ns since the Unix epoch.
    """
    settings, service = configuration.settings, configuration.service
    cells = MetricCells()
    open_telemetry = OpenTelemetry(
        service,
        instance,
        settings.resource_attributes,
        configuration.stream_traces,
        now_ns,
        lambda: queues.user,
    )
    encoder = ObservationEncoder(
        configuration.streams,
        RowBuilder(service, instance),
        LEVELS[settings.log_level] if settings.logs_enabled else NEVER,
        BusMetrics(cells) if settings.metrics_enabled else None,
        open_telemetry if settings.tracing_enabled else None,
    )
    feeds: list[AnyFeed] = [
        Feed("logs", queues.observations, encoder, encoder.filling.most),
        Feed("traces", queues.spans, open_telemetry.spans),
        Feed("metrics", queues.measured, open_telemetry.measured),
    ]
    if configuration.stream_logs:
        feeds.append(Feed("logs", queues.lines, LogRows(configuration.stream_logs, service, instance)))
    if not settings.metrics_enabled:
        return Plan(feeds)
    rows = MetricRows(service, instance)
    timer = MetricTimer(cells, queues.sources, rows, configuration.stream_metrics, open_telemetry)
    return Plan(feeds, (Timer(settings.metric_interval / 1000, timer.produce),))
