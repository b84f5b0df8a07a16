"""What is sent at each interval."""

import gzip
import json
from collections.abc import Iterator

import pytest
from cqrs_openobserve.metric_catalogue import INFLIGHT, UPTIME
from cqrs_openobserve.metric_cells import MetricCells, Reading
from cqrs_openobserve.metric_rows import MetricRows
from cqrs_openobserve.metric_timer import MetricTimer
from cqrs_openobserve.records import Anchor
from cqrs_openobserve.service import Service


class Encoder:
    """Makes one request of two points."""

    def metric_requests(self, cells: MetricCells, now_ns: int, /) -> Iterator[tuple[bytes, int]]:
        """Say when and of how many series."""
        yield b"%d %d" % (now_ns, len(list(cells.series()))), 2


def readings() -> Iterator[Reading]:
    yield INFLIGHT, 3.0, ("command", "Place")


def breaks() -> Iterator[Reading]:
    yield UPTIME, 1.0, ()
    raise OSError("gone")


def timer(*sources: object) -> MetricTimer:
    rows = MetricRows(Service("s", None, None, "h"), "i")
    return MetricTimer(MetricCells(), sources, rows, "cqrs_metrics", Encoder())  # type: ignore[arg-type]  # sources


def test_all_series_travel_as_rows_and_as_one_request() -> None:
    """Both are metrics in the books."""
    rows, request = timer(readings).produce(Anchor(10**18, 5_000))

    assert (rows.signal, rows.path, rows.records, rows.oldest_ns) == (
        "metrics",
        "/cqrs_metrics/_json",
        1,
        5_000,
    )
    (row,) = json.loads(gzip.decompress(rows.body))
    assert (row["metric_value"], row["_timestamp"]) == (3.0, 10**15)
    assert (request.signal, request.path, request.records) == ("metrics", "/v1/metrics", 2)
    assert gzip.decompress(request.body) == b"1000000000000000000 1"
    assert request.is_otlp


def test_a_source_that_fails_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """What it could read before counts, and it is said."""
    rows, _ = timer(breaks, readings).produce(Anchor(10**18, 5_000))

    assert rows.records == 2
    assert "A source of metrics failed" in caplog.text


def test_without_sources_there_are_no_metrics_of_our_own() -> None:
    """As for a program that only exports its own spans."""
    assert list(timer().produce(Anchor(0, 0))) == []
