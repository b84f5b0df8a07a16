"""Doubles for tests of telemetry: a server on a real socket and a transport without one, both misbehave as told."""

from cqrs_openobserve.testing.fault_server import (
    Behaviour,
    Drip,
    FaultServer,
    Hang,
    Received,
    Reply,
    Reset,
    stored,
)
from cqrs_openobserve.testing.recording_transport import RecordingTransport, counted, rows_of, taken

__all__ = [
    "Behaviour",
    "Drip",
    "FaultServer",
    "Hang",
    "Received",
    "RecordingTransport",
    "Reply",
    "Reset",
    "counted",
    "rows_of",
    "stored",
    "taken",
]
