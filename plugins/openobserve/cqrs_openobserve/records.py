"""From an observation to a row: pure, on the worker's thread."""

from collections.abc import Mapping
from typing import Final, final

import attrs

from cqrs import HandlerCrashed
from cqrs.middleware import Kind
from cqrs_openobserve.columns import ColumnType, columns_of
from cqrs_openobserve.encoding import LONGEST_TEXT, encode
from cqrs_openobserve.field_columns import values
from cqrs_openobserve.observations import More, Observation, Outcome, Subject
from cqrs_openobserve.redaction import redact
from cqrs_openobserve.service import Service
from cqrs_openobserve.wire_forms import text_of

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
        shift_ns: what the first is ahead of the second, in ns.
    """

    wall_ns: int
    monotonic_ns: int
    shift_ns: int = attrs.field(
        default=attrs.Factory(lambda anchor: anchor.wall_ns - anchor.monotonic_ns, takes_self=True),
        init=False,
        repr=False,
        eq=False,
    )

    def nanos(self, monotonic_ns: int) -> int:
        """Give the wall-clock time of a monotonic one, in ns."""
        return self.shift_ns + monotonic_ns

    def micros(self, monotonic_ns: int) -> int:
        """Give the wall-clock time of a monotonic one, in µs."""
        return (self.shift_ns + monotonic_ns) // 1000


def level_of(outcome: Outcome, duration_ns: int, slow_ns: int, retries: int = 0) -> str:
    """Give a record's level.

    Args:
        outcome: how it ended, or ``start``.
        duration_ns: how long it took, in ns.
        slow_ns: from how long on it counts as slow, in ns.
        retries: attempts after the first.
    """
    level = _BY_OUTCOME[outcome]
    return "WARN" if level == "INFO" and (duration_ns >= slow_ns or retries) else level


def level_of_observation(observation: Observation) -> str:
    """Give the level of an observation's record.

    Args:
        observation: what was seen.
    """
    subject, more = observation[0], observation[11]
    if subject.record == "dead_letter":
        return "ERROR"
    return level_of(observation[1], observation[3], subject.slow_ns, more.retries if more else 0)


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
        self._heads: dict[tuple[Subject, Outcome, str], str] = {}
        self._constants: dict[str, object] = {
            "service_name": service.name,
            "service_version": service.version,
            "service_instance_id": service.instance or instance,
            "deployment_environment": service.environment,
            "host_name": service.host,
        }

    def encoded(self, observation: Observation, level: str, anchor: Anchor) -> bytes:
        """Make one row, as JSON; columns that are not known are left out.

        Args:
            observation: what was seen.
            level: its level.
            anchor: the clocks.
        """
        subject, outcome, ended, duration, message, group, cause, journey, span, parent, sampled, more = (
            observation
        )
        # What is equal in all rows of a subject is encoded once; numbers and hexadecimal digits need no encoder.
        head = self._heads.get((subject, outcome, level)) or self._head(subject, outcome, level)
        self._sequence = number = self._sequence + 1
        # A message without a cause has one number for all three.
        identity = message.to_bytes(16).hex()
        trace = identity if journey == message else journey.to_bytes(16).hex()
        correlation = identity if group == message else group.to_bytes(16).hex()
        took = "" if outcome == "start" else f',"duration_ms":{duration / 1_000_000}'
        causation = "" if cause is None else f',"causation_id":"{cause.to_bytes(16).hex()}"'
        own = f',"span_id":"{span.to_bytes(8).hex()}"' if span else ""
        above = f',"parent_span_id":"{parent.to_bytes(8).hex()}"' if parent else ""
        row = (
            f'{head},"_timestamp":{(anchor.shift_ns + ended) // 1000},"message_id":"{identity}","trace_id":"{trace}"'
            f'{own}{above},"sampled":{"true" if sampled else "false"},"record_id":"{self._instance}-{number}"'
            f"{took}{causation}"
        )
        if more is None:
            return f'{row},"correlation_id":"{correlation}","retry_count":0}}'.encode()
        known = _further(subject, more)
        known.setdefault("correlation_id", correlation)
        return f"{row},".encode() + encode(known, values(more.message, subject.fields))[1:]

    def probe_row(self, kind: Kind, micros: int, probe: str) -> dict[str, object]:
        """Make a row with a value in every column, so that the server gets to know them all.

        Args:
            kind: whose stream it is for.
            micros: its ``_timestamp``.
            probe: its ``correlation_id``.
        """
        self._sequence += 1
        known: dict[str, object] = {
            "_timestamp": micros,
            "level": "DEBUG",
            "message": "probe",
            "record": "probe",
            "kind": kind,
            "correlation_id": probe,
            "record_id": f"{self._instance}-{self._sequence}",
        }
        return _filled(kind, self._constants | known)

    def _head(self, subject: Subject, outcome: Outcome, level: str) -> str:
        started = outcome == "start"
        constant: dict[str, object] = {
            "level": level,
            "message": _sentence(subject, outcome),
            "record": "start" if started else subject.record,
            "kind": subject.kind,
            "message_type": subject.message_type,
            "handler": subject.handler,
            "outcome": None if started else outcome,
            "subscriber": subject.subscriber,
            **self._constants,
        }
        if subject.record == "dead_letter":
            del constant["message"]  # names the letter
        if subject.record == "probe":
            constant = _filled(subject.kind, constant)
            for name in _PER_ROW:
                constant.pop(name, None)
        head = encode(constant)[:-1].decode()
        self._heads[subject, outcome, level] = head
        return head


_PER_ROW: Final = (
    "_timestamp",
    "message_id",
    "trace_id",
    "sampled",
    "record_id",
    "duration_ms",
    "span_id",
    "correlation_id",
    "retry_count",
)


_OF_CACHE: Final = ("cache_status", "cache_hit", "cache_age_ms")


def _further(subject: Subject, more: More) -> dict[str, object]:
    known: dict[str, object] = {
        "retry_count": more.retries,
        "error_type": more.error_type,
        "error_code": None if more.error_code is None else redact(more.error_code, LONGEST_TEXT),
        "error_message": error_text(more.error),
        "subscribers": more.subscribers,
        "correlation_id": text_of(more.correlation, LONGEST_TEXT),
        "tenant": text_of(more.tenant, LONGEST_TEXT),
        "principal": text_of(more.principal, LONGEST_TEXT),
    }
    if subject.kind == "query" and more.notes:
        known |= cache_columns(more.notes)
    if more.letter is not None:
        known["message"] = (
            f"event {subject.message_type} to {subject.subscriber} parked as dead letter {more.letter}"
        )
    return {name: value for name, value in known.items() if value is not None}


def cache_columns(notes: Mapping[str, object]) -> dict[str, object]:
    """Give what a cache plugin noted of a query, as columns.

    Args:
        notes: of the dispatch; those that are columns are called as they are.
    """
    return {name: notes[name] for name in _OF_CACHE if name in notes}


def error_text(error: object) -> str | None:
    """Give an error's text, redacted, without running its code; None for no error.

    Args:
        error: what a ``Failure`` holds, or what ended the dispatch instead.
    """
    if error is None:
        return None
    if type(error) is HandlerCrashed:
        return redact(error.text)
    if issubclass(type(error), BaseException):  # isinstance() would ask the error for its class
        parts = BaseException.__dict__["args"].__get__(error)
        return text_of(parts[0] if len(parts) == 1 else list(parts))
    return text_of(error)


def _sentence(subject: Subject, outcome: Outcome) -> str:
    if subject.record == "published":
        return f"event {subject.message_type} published"
    to = f" to {subject.subscriber}" if subject.subscriber else ""
    return f"{subject.kind} {subject.message_type}{to} {_VERB[outcome]}"


def _filled(kind: Kind, row: Mapping[str, object]) -> dict[str, object]:
    known = {name: value for name, value in row.items() if value is not None}
    return {column.name: _SAMPLES[column.type] for column in columns_of(kind)} | known
