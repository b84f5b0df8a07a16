"""For programs that do not use the buses: ``OTEL_TRACES_EXPORTER=openobserve``, ``OTEL_METRICS_EXPORTER=openobserve``.

OpenTelemetry makes these without arguments and hands them what it has; it goes through the pipeline, with its spool,
its books and its bounded end.
"""

import os
from collections.abc import Sequence
from threading import Lock
from typing import Final, final

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from returns.result import Failure

from cqrs_openobserve.configuration import read
from cqrs_openobserve.lifecycle import leave_the_end_to_others
from cqrs_openobserve.notices import logger
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plugin import pipeline_of


@final
class _Shared:
    # One pipeline for all exporters of the process; it stops with the last of them.

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._pipeline: Pipeline | None = None

    def take(self) -> Pipeline | None:
        with self._lock:
            if self._pipeline is None:
                self._pipeline = _pipeline()
                if self._pipeline is not None:
                    leave_the_end_to_others(
                        self._pipeline
                    )  # OpenTelemetry shuts exporters down when it is ready
                    self._pipeline.start()
            self._users += 1
            return self._pipeline

    def give_back(self) -> None:
        with self._lock:
            self._users -= 1
            pipeline = None if self._users else self._pipeline
            if pipeline is not None:
                self._pipeline = None
        if pipeline is not None:
            pipeline.stop()


_shared: Final = _Shared()


def _pipeline() -> Pipeline | None:
    found = read(os.environ)
    if isinstance(found, Failure):
        problems = "\n".join(f"- {problem.text} {problem.fix}" for problem in found.failure())
        raise ValueError(  # noqa: TRY004  # what is wrong is a value of the environment
            f"the exporter openobserve is not configured:\n{problems}"
        )
    configuration = found.unwrap()
    if not configuration.settings.enabled:
        return None
    for warning in configuration.warnings:
        logger.warning("%s", warning)
    return pipeline_of(configuration)


@final
class OpenObserveSpanExporter(SpanExporter):
    """Sends spans to ``CQRS_STREAM_TRACES``.

    Raises:
        ValueError: if a setting is missing or wrong; it names all of them.
    """

    def __init__(self) -> None:
        self._pipeline = _shared.take()
        self._stopped = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take spans; what becomes of them is in the books of the pipeline, not in the answer.

        Args:
            spans: spans that have ended.
        """
        if self._pipeline is not None:
            for span in spans:
                self._pipeline.queues.spans.offer(span)
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits, and say whether all of it was settled in time.

        Args:
            timeout_millis: how long at most, in ms.
        """
        return self._pipeline is None or self._pipeline.flush(timeout_millis / 1000).complete

    def shutdown(self) -> None:
        """Send what can be sent within ``OPENOBSERVE_EXIT_TIMEOUT``; idempotent."""
        if not self._stopped:
            self._stopped = True
            _shared.give_back()


@final
class OpenObserveMetricExporter(MetricExporter):
    """Sends metrics, each to the stream of its name.

    Raises:
        ValueError: if a setting is missing or wrong; it names all of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pipeline = _shared.take()
        self._stopped = False

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: object
    ) -> MetricExportResult:
        """Take metrics; what becomes of them is in the books of the pipeline, not in the answer.

        Args:
            metrics_data: what a reader has collected.
            timeout_millis: not needed: nothing waits here.
        """
        del timeout_millis
        if self._pipeline is not None:
            self._pipeline.queues.measured.offer(metrics_data)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Send what waits, and say whether all of it was settled in time.

        Args:
            timeout_millis: how long at most, in ms.
        """
        return self._pipeline is None or self._pipeline.flush(timeout_millis / 1000).complete

    def shutdown(self, timeout_millis: float = 30_000, **_: object) -> None:
        """Send what can be sent within ``OPENOBSERVE_EXIT_TIMEOUT``; idempotent.

        Args:
            timeout_millis: not needed: the variable decides.
        """
        del timeout_millis
        if not self._stopped:
            self._stopped = True
            _shared.give_back()
