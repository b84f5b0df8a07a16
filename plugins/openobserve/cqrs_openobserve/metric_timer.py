"""At each interval: read what is read, and make of all series an OTLP request and rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, final

from cqrs_openobserve.metric_cells import MetricCells, Reading
from cqrs_openobserve.metric_rows import MetricRows
from cqrs_openobserve.notices import logger
from cqrs_openobserve.open_telemetry import METRICS
from cqrs_openobserve.payloads import OTLP, Payload, compressed, json_payloads
from cqrs_openobserve.records import Anchor

Source = Callable[[], Iterable[Reading]]


class MetricsEncoder(Protocol):
    """Makes OTLP requests; ``open_telemetry.OpenTelemetry``, which is loaded when the first is made."""

    def metric_requests(self, cells: MetricCells, now_ns: int, /) -> Iterator[tuple[bytes, int]]:
        """Encode our series and what the app measures itself; each request with its number of data points."""
        ...


@final
class MetricTimer:
    """Reads all metrics of one process.

    Args:
        cells: what was added up.
        sources: what is read at each interval.
        rows: makes rows of series.
        stream: the server's name of the stream of rows.
        encoder: makes OTLP requests.
    """

    def __init__(
        self,
        cells: MetricCells,
        sources: Sequence[Source],
        rows: MetricRows,
        stream: str,
        encoder: MetricsEncoder,
    ) -> None:
        self._cells = cells
        self._sources = sources
        self._rows = rows
        self._stream = stream
        self._encoder = encoder

    def produce(self, anchor: Anchor) -> Iterator[Payload]:
        """Read everything and make payloads of it.

        Args:
            anchor: now, on both clocks.
        """
        if not self._sources:
            return
        for source in self._sources:
            try:
                for metric, value, labels in source():
                    self._cells.read(metric, value, *labels)
            except Exception:  # noqa: BLE001  # what one source cannot read must not hide all others
                logger.exception("A source of metrics failed; the others are read.")
        now = anchor.monotonic_ns
        rows = [(row, now) for row in self._rows.rows(self._cells.series(), anchor.micros(now))]
        yield from json_payloads(self._stream, rows, "metrics")
        for request, points in self._encoder.metric_requests(self._cells, anchor.wall_ns):
            yield Payload("metrics", METRICS, OTLP, compressed(request), points, now)
