"""From observations to metric cells, on the worker's thread: one look-up per observation."""

from typing import Final, final

from cqrs_openobserve.metric_catalogue import (
    CACHE_AGE,
    CACHE_LOOKUPS,
    DEAD_LETTERS,
    DURATIONS,
    PUBLISHES,
    RETRIES,
)
from cqrs_openobserve.metric_cells import Cell, MetricCells
from cqrs_openobserve.observations import More, Observation, Outcome, Subject
from cqrs_openobserve.records import cache_columns
from cqrs_openobserve.wire_forms import text_of

_LONGEST_LABEL: Final = 100


@final
class BusMetrics:
    """What the buses did, since the process began.

    Args:
        cells: where it is added up.
    """

    def __init__(self, cells: MetricCells) -> None:
        self._cells = cells
        self._usual: dict[tuple[Subject, Outcome], Cell] = {}

    def add(self, observation: Observation) -> None:
        """Add one observation; starts are none.

        Args:
            observation: what was seen.
        """
        subject, outcome, _, duration = observation[:4]
        more = observation[11]
        if more is None and subject.record == "handled" and outcome != "start":
            cell = self._usual.get((subject, outcome))
            if cell is None:
                cell = self._usual[subject, outcome] = self._duration(subject, outcome, "", "")
            cell.add(duration / 1e9)
        elif outcome != "start":
            self._add(subject, outcome, duration, more or More())

    def _add(self, subject: Subject, outcome: Outcome, duration: int, more: More) -> None:
        count = self._cells.count
        if subject.record == "published":
            count(PUBLISHES, subject.message_type, outcome)
        elif subject.record == "dead_letter":
            count(DEAD_LETTERS, subject.message_type)
        elif subject.record == "handled":
            status = self._cached(subject, more) if subject.kind == "query" and more.notes else ""
            self._duration(subject, outcome, more.error_type or "", status).add(duration / 1e9)
            if more.retries:
                count(RETRIES[subject.kind], subject.message_type, by=more.retries)

    def _duration(self, subject: Subject, outcome: Outcome, error_type: str, status: str) -> Cell:
        labels: tuple[str, ...] = (subject.message_type, outcome, error_type[:_LONGEST_LABEL])
        if subject.kind == "query":
            labels += (status,)
        if subject.kind == "event":
            labels += (subject.subscriber or "",)
        return self._cells.cell(DURATIONS[subject.kind], *labels)

    def _cached(self, subject: Subject, more: More) -> str:
        noted = cache_columns(more.notes)
        status = text_of(noted.get("cache_status"), _LONGEST_LABEL) or ""
        if status:
            self._cells.count(CACHE_LOOKUPS, subject.message_type, status)
        age = noted.get("cache_age_ms")
        if type(age) is float or type(age) is int:
            self._cells.cell(CACHE_AGE, subject.message_type).add(age / 1000)
        return status
