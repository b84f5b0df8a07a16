"""From an observation to a row: pure, on the worker's thread."""

from collections.abc import Mapping
from typing import Final, final

import attrs

from cqrs.middleware import Kind
from cqrs_openobserve.columns import ColumnType, columns_of
from cqrs_openobserve.observations import Observation, Outcome, Subject
from cqrs_openobserve.service import Service

LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40}
_BY_OUTCOME: Final[Mapping[Outcome, str]] = {
    "start": "DEBUG",
    "success": "INFO",
    "rejected": "INFO",
    "cancelled": "WARN",
    "error": "ERROR",
}
_VERB: Final[Mapping[Outcome, str]] = {
    "start": "started",
    "success": "succeeded",
    "rejected": "was rejected",
    "cancelled": "was cancelled",
    "error": "failed",
}
_SAMPLES: Final[Mapping[ColumnType, object]] = {"Utf8": "probe", "Int64": 0, "Float64": 0.0, "Boolean": False}


@final
@attrs.frozen
class Anchor:
    """One moment on both clocks, to turn monotonic times into wall-clock times.

    Attributes:
        wall_ns: ns since the Unix epoch.
        monotonic_ns: the same moment on the monotonic clock, in ns.
    """

    wall_ns: int
    monotonic_ns: int

    def micros(self, monotonic_ns: int) -> int:
        """Give the wall-clock time of a monotonic one, in µs."""
        return (self.wall_ns - self.monotonic_ns + monotonic_ns) // 1000


def level_of(outcome: Outcome, duration_ns: int, slow_ns: int) -> str:
    """Give a record's level.

    Args:
        outcome: how it ended, or ``start``.
        duration_ns: how long it took, in ns.
        slow_ns: from how long on it counts as slow, in ns.
    """
    level = _BY_OUTCOME[outcome]
    return "WARN" if level == "INFO" and duration_ns >= slow_ns else level


@final
class RowBuilder:
    """Makes rows of one process; numbers them.

    Args:
        service: the columns that are equal in all.
        instance: identity of this process's life, the first part of every ``record_id``.
    """

    def __init__(self, service: Service, instance: str) -> None:
        self._instance = instance
        self._sequence = 0
        self._constants: dict[str, object] = {
            "service_name": service.name,
            "service_version": service.version,
            "service_instance_id": service.instance or instance,
            "deployment_environment": service.environment,
            "host_name": service.host,
        }

    def row(self, observation: Observation, anchor: Anchor) -> dict[str, object]:
        """Make one row; columns that are not known are None or absent.

        Args:
            observation: what was seen.
            anchor: the clocks.
        """
        subject, outcome, ended, duration, message, correlation, causation = observation[:7]
        trace, span, parent, error_type, error_code, subscribers = observation[7:]
        started = outcome == "start"
        row: dict[str, object] = {
            "_timestamp": anchor.micros(ended),
            "level": level_of(outcome, duration, subject.slow_ns),
            "message": _sentence(subject, outcome, subscribers),
            "record": "start" if started else subject.record,
            "kind": subject.kind,
            "message_type": subject.message_type,
            "handler": subject.handler,
            "outcome": None if started else outcome,
            "duration_ms": None if started else duration / 1_000_000,
            "retry_count": 0,
            "error_type": error_type,
            "error_code": error_code,
            "subscriber": subject.subscriber,
            "subscribers": subscribers,
            "message_id": f"{message:032x}",
            "correlation_id": f"{correlation:032x}",
            "causation_id": None if causation is None else f"{causation:032x}",
            "trace_id": f"{trace:032x}",
            "span_id": f"{span:016x}" if span else None,
            "parent_span_id": f"{parent:016x}" if parent else None,
            "sampled": False,
            **self._constants,
            "record_id": self._next_id(),
        }
        return _filled(subject.kind, row) if subject.record == "probe" else row

    def probe_row(self, kind: Kind, micros: int, probe: str) -> dict[str, object]:
        """Make a row with a value in every column, so that the server gets to know them all.

        Args:
            kind: whose stream it is for.
            micros: its ``_timestamp``.
            probe: its ``correlation_id``.
        """
        known: dict[str, object] = {
            "_timestamp": micros,
            "level": "DEBUG",
            "message": "probe",
            "record": "probe",
            "kind": kind,
            "correlation_id": probe,
            "record_id": self._next_id(),
        }
        return _filled(kind, self._constants | known)

    def _next_id(self) -> str:
        self._sequence += 1
        return f"{self._instance}-{self._sequence}"


def _sentence(subject: Subject, outcome: Outcome, subscribers: int | None) -> str:
    if subject.record == "published":
        return f"event {subject.message_type} published to {subscribers}"
    to = f" to {subject.subscriber}" if subject.subscriber else ""
    return f"{subject.kind} {subject.message_type}{to} {_VERB[outcome]}"


def _filled(kind: Kind, row: Mapping[str, object]) -> dict[str, object]:
    known = {name: value for name, value in row.items() if value is not None}
    return {column.name: _SAMPLES[column.type] for column in columns_of(kind)} | known
