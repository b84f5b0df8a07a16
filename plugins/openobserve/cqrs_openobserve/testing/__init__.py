"""Doubles for tests of telemetry: a server on a real socket that misbehaves as told."""

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

__all__ = ["Behaviour", "Drip", "FaultServer", "Hang", "Received", "Reply", "Reset", "stored"]
