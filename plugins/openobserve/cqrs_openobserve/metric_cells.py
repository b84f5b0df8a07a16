"""Metrics in cells of our own: cumulative, bounded, one thread adds to them.

The SDK's ``record()`` costs more than the whole rest of an observation; these cells are read once per interval.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import TypeAlias, final

import attrs

from cqrs_openobserve.metric_catalogue import MOST_SERIES, OTHER, Metric

Labels: TypeAlias = tuple[str, ...]
Reading: TypeAlias = tuple[Metric, float, Labels]

# What a series is told apart by once there are too many: only what code alone bounds.
_BOUNDED = frozenset({"cqrs.outcome", "cqrs.kind", "cqrs.signal", "cqrs.reason", "cqrs.cache.status"})


@final
@attrs.define(eq=False)
class Cell:
    """One series, since the process began.

    Attributes:
        bounds: upper bounds of the buckets; empty for a counter or gauge.
        count: how many values were added.
        total: their sum, or the gauge's value.
        least: the smallest.
        most: the largest.
        buckets: how many fell into each, one more than there are bounds.
    """

    bounds: tuple[float, ...]
    buckets: list[int]
    count: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = float("-inf")

    def add(self, value: float) -> None:
        """Add a value to a histogram.

        Args:
            value: in the metric's unit.
        """
        self.count += 1
        self.total += value
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.least = min(self.least, value)
        self.most = max(self.most, value)


@final
@attrs.frozen
class Series:
    """One series at one moment.

    Attributes:
        metric: which metric.
        labels: the values of the metric's attributes, in their order; empty ones are left out.
        cell: its numbers.
    """

    metric: Metric
    labels: Labels
    cell: Cell

    @property
    def attributes(self) -> dict[str, str]:
        """The labels by the names of the metric's attributes."""
        pairs = zip(self.metric.attributes, self.labels, strict=True)
        return {name: label for name, label in pairs if label}


@final
class MetricCells:
    """All series of a process."""

    def __init__(self) -> None:
        self._cells: dict[Metric, dict[Labels, Cell]] = {}

    def cell(self, metric: Metric, *labels: str) -> Cell:
        """Find or make a series; at 2 000 of a metric new ones share one whose names are ``_OTHER``.

        Args:
            metric: the metric.
            labels: one value per attribute of the metric, empty for none.
        """
        cells = self._cells.setdefault(metric, {})
        found = cells.get(labels)
        if found is None and len(cells) >= MOST_SERIES:
            labels = _other(metric, labels)
            found = cells.get(labels)
        if found is None:
            found = cells[labels] = Cell(
                metric.bounds, [0] * (len(metric.bounds) + 1) if metric.bounds else []
            )
        return found

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter.

        Args:
            metric: the counter.
            labels: one value per attribute.
            by: how much.
        """
        cell = self.cell(metric, *labels)
        cell.count += 1
        cell.total += by

    def read(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge, or a counter that somebody else keeps.

        Args:
            metric: which.
            value: its value now.
            labels: one value per attribute.
        """
        self.cell(metric, *labels).total = value

    def series(self) -> Iterator[Series]:
        """Give every series, by metric; the thread that adds calls it."""
        for metric, cells in self._cells.items():
            for labels, cell in cells.items():
                yield Series(metric, labels, cell)


def _other(metric: Metric, labels: Labels) -> Labels:
    pairs = zip(metric.attributes, labels, strict=True)
    return tuple(label if not label or name in _BOUNDED else OTHER for name, label in pairs)
