"""Metrics as rows of a logs-type stream, so that one SQL language serves dashboards and alerts."""

from collections.abc import Iterable, Iterator
from typing import Final, final

import orjson

from cqrs_openobserve.metric_cells import Series
from cqrs_openobserve.service import Service

_SAMPLE: Final = "probe"


@final
class MetricRows:
    """Makes snapshot rows of one process; numbers them.

    Args:
        service: who sends.
        instance: identity of this process's life, the first part of every ``record_id``.
    """

    def __init__(self, service: Service, instance: str) -> None:
        self._instance = instance
        self._sequence = 0
        self._constants = {"service_name": service.name, "service_instance_id": service.instance or instance}

    def rows(self, series: Iterable[Series], micros: int) -> Iterator[bytes]:
        """Make the rows of some series: one each, a histogram's as count, sum and maximum.

        Args:
            series: what to write down.
            micros: when they were read, µs since the Unix epoch.
        """
        for each in series:
            cell, metric = each.cell, each.metric
            if metric.type != "histogram":
                yield self._row(each, micros, metric.name, cell.total, kind=metric.type, unit=metric.unit)
            elif cell.count:
                yield self._row(each, micros, f"{metric.name}.count", cell.count, kind="counter", unit="1")
                yield self._row(
                    each, micros, f"{metric.name}.sum", cell.total, kind="counter", unit=metric.unit
                )
                yield self._row(each, micros, f"{metric.name}.max", cell.most, kind="gauge", unit=metric.unit)

    def probe_row(self, micros: int, probe: str) -> dict[str, object]:
        """Make a row with a value in every column, so that the server gets to know them all.

        Args:
            micros: its ``_timestamp``.
            probe: its ``correlation_id``.
        """
        return {
            "_timestamp": micros,
            "record": "probe",
            "metric_name": _SAMPLE,
            "metric_value": 0.0,
            "metric_type": "gauge",
            "metric_unit": "1",
            "labels": _SAMPLE,
            "message_type": _SAMPLE,
            "outcome": _SAMPLE,
            **self._constants,
            "correlation_id": probe,
            "record_id": self._next_id(),
        }

    def _row(self, series: Series, micros: int, name: str, value: float, *, kind: str, unit: str) -> bytes:
        attributes = series.attributes
        message, outcome = attributes.pop("cqrs.message", None), attributes.pop("cqrs.outcome", None)
        row: dict[str, object] = {
            "_timestamp": micros,
            "record": "snapshot",
            "metric_name": name,
            "metric_value": float(value),
            "metric_type": kind,
            "metric_unit": unit,
            **self._constants,
            "record_id": self._next_id(),
        }
        if message is not None:
            row["message_type"] = message
        if outcome is not None:
            row["outcome"] = outcome
        if attributes:
            row["labels"] = ",".join(f"{key}={label}" for key, label in attributes.items())
        return orjson.dumps(row)

    def _next_id(self) -> str:
        self._sequence += 1
        return f"{self._instance}-m{self._sequence}"
