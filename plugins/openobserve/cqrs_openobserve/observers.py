"""Everything that sees what happens in one app, made at once and started and stopped with it."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, final

from cqrs.middleware import Kind
from cqrs_openobserve import log_handler
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.dead_letter_watch import DeadLetterWatch
from cqrs_openobserve.dispatch_facts import Thresholds
from cqrs_openobserve.instrument import DispatchInstrument
from cqrs_openobserve.metric_catalogue import ACCEPTED, DELIVERED, DROPPED, INFLIGHT, RETRIES, WAITING
from cqrs_openobserve.metric_cells import Reading
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.runtime_metrics import LoopLag, process_readings
from cqrs_openobserve.service import new_instance
from cqrs_openobserve.settings import Settings

if TYPE_CHECKING:
    from cqrs_openobserve.log_handler import OpenObserveHandler
    from cqrs_openobserve.providers import Tracing, UserMetrics
    from cqrs_openobserve.spans import DispatchSpans


@final
class Observers:
    """The instrument, the spans, the metrics and the log handler of one app.

    Args:
        configuration: which of them there are.
        pipeline: what carries what they see.

    Attributes:
        instrument: sees dispatches.
        lag: sees how late the event loop wakes.
        letters: sees how many dead letters wait.
    """

    def __init__(self, configuration: Configuration, pipeline: Pipeline) -> None:
        self._configuration = configuration
        self._pipeline = pipeline
        self._tracing: Tracing | None = None
        self._user: UserMetrics | None = None
        self._handler: OpenObserveHandler | None = None
        settings = configuration.settings
        spans = self._spans() if settings.tracing_enabled else None
        self.instrument = DispatchInstrument(pipeline.queue, thresholds_of(settings), spans)
        self.lag = LoopLag()
        self.letters = DeadLetterWatch(settings.metric_interval / 1000)

    def start(self) -> None:
        """Begin to see what the dispatches themselves do not tell."""
        queues, settings = self._pipeline.queues, self._configuration.settings
        if self._tracing is not None:
            self._tracing.start(queues.spans.offer)
        if self._configuration.stream_logs:
            self._handler = log_handler.start(queues.lines.offer)
        if settings.metrics_enabled:
            # Here and not above: a program in which the plugin is off loads nothing of OpenTelemetry.
            from cqrs_openobserve.providers import UserMetrics
            from cqrs_openobserve.resources import resource_of

            service = self._configuration.service
            self._user = UserMetrics(resource_of(service, new_instance(), settings.resource_attributes))
            queues.user = self._user
            queues.sources += [process_readings, self.lag.readings, self.letters.readings]
            queues.sources += [self._dispatches, self._books]

    def stop(self) -> None:
        """See nothing more; what was seen is still carried."""
        queues = self._pipeline.queues
        if self._tracing is not None:
            self._tracing.stop(queues.spans.offer)
        if self._configuration.stream_logs:
            log_handler.stop(queues.lines.offer, self._handler)

    def close(self) -> None:
        """Let go of what had to be read for the last time when the pipeline stopped."""
        if self._user is not None:
            self._pipeline.queues.user = None
            self._user.close()
            self._user = None

    def _spans(self) -> "DispatchSpans":
        from cqrs_openobserve.providers import tracing
        from cqrs_openobserve.resources import resource_of
        from cqrs_openobserve.spans import DispatchSpans

        settings, service = self._configuration.settings, self._configuration.service
        resource = resource_of(service, new_instance(), settings.resource_attributes)
        self._tracing = tracing(settings.tracing_sampling_rate, resource)
        return DispatchSpans(self._tracing.tracer, self._tracing.bound, self._tracing.wanted)

    def _dispatches(self) -> Iterator[Reading]:
        running: Counter[tuple[str, str]] = Counter()
        for subject in list(self.instrument.subjects.values()):
            running[subject.kind, subject.message_type] += subject.running[0]
        for labels, count in running.items():
            yield INFLIGHT, float(count), labels
        for event, count in self.instrument.retries.copy().items():
            yield RETRIES["event"], float(count), (event,)

    def _books(self) -> Iterator[Reading]:
        for signal, books in self._pipeline.ledgers().items():
            yield ACCEPTED, float(books.accepted), (signal,)
            yield DELIVERED, float(books.delivered), (signal,)
            yield WAITING, float(books.waiting + books.spooled), (signal,)
            for reason, count in books.dropped.items():
                yield DROPPED, float(count), (signal, reason)


def thresholds_of(settings: Settings) -> Thresholds:
    """Give what is recorded and what counts as slow."""
    slow: dict[Kind, int] = {
        "command": settings.slow_command,
        "query": settings.slow_query,
        "event": settings.slow_event,
    }
    measured = settings.metrics_enabled or settings.tracing_enabled
    return Thresholds(settings.log_level, slow, measured, settings.log_error_messages)
