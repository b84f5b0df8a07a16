"""Servers that misbehave for a while, and what arrived at them: the other side of ``bench/outage.py``."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Final

import attrs
import orjson
from cqrs_openobserve.testing import Behaviour, FaultServer, Hang, Received, Reply, Reset, stored
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PROTOBUF: Final = MappingProxyType({"Content-Type": "application/x-protobuf"})
SLOW_S: Final = 1.0


class Sink:
    """The server of one program.

    Args:
        kind: whose requests are counted: ``ours``, ``spans`` or ``logs``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.kept: list[Received] = []
        self.fault: Fault | None = None
        self._server = FaultServer(self._behave).__enter__()
        self.port = self._server.port

    @property
    def url(self) -> str:
        """Where it is, or was."""
        return f"http://127.0.0.1:{self.port}"

    def begin(self, fault: "Fault") -> None:
        """Misbehave from now on."""
        self.fault = fault
        if fault.behave is None:
            self._server.close()

    def end(self) -> None:
        """Behave from now on."""
        if self.fault is not None and self.fault.behave is None:
            self._server = FaultServer(self._behave, port=self.port).__enter__()
        self.fault = None

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def arrived(self) -> Counter[object]:
        """What was kept, by identity, with how often it came."""
        return Counter(
            identity for received in self.kept for identity in IDENTITIES[self.kind](received.body)
        )

    def is_counted(self, received: Received) -> bool:
        """Whether a request carries what is counted: our metrics and spans come beside the records."""
        return received.path.endswith(
            "/cqrs_commands/_json" if self.kind == "ours" else f"/v1/{PATHS[self.kind]}"
        )

    def keep(self, received: Received) -> Behaviour:
        """Store a request."""
        if self.is_counted(received):
            self.kept.append(received)
        return accepting(received)

    def _behave(self, received: Received) -> Behaviour:
        behave = self.fault.behave if self.fault else None
        return behave(self, received) if behave else self.keep(received)


def accepting(received: Received) -> Behaviour:
    """The answer of a server that took everything."""
    if received.path.endswith("/_json"):
        return stored(len(received.rows))
    return Reply(headers=PROTOBUF)


def refusing(sink: Sink, received: Received) -> Behaviour:
    """The answer 200 of a server that took nothing, and says so in the body."""
    if not sink.is_counted(received):
        return accepting(received)
    count = len(list(IDENTITIES[sink.kind](received.body)))
    if sink.kind == "ours":
        return stored(0, count, "refused by the bench")
    if sink.kind == "spans":
        traces = ExportTraceServiceResponse()
        traces.partial_success.rejected_spans = count
        return Reply(body=traces.SerializeToString(), headers=PROTOBUF)
    records = ExportLogsServiceResponse()
    records.partial_success.rejected_log_records = count
    return Reply(body=records.SerializeToString(), headers=PROTOBUF)


def slow(sink: Sink, received: Received) -> Behaviour:
    """Take a second for each request."""
    time.sleep(SLOW_S)
    return sink.keep(received)


def answer_lost(sink: Sink, received: Received) -> Behaviour:
    """Store, and lose the connection before the answer."""
    sink.keep(received)
    return Reset()


def always(behaviour: Behaviour) -> "Behave":
    """Answer every request alike, and keep nothing."""
    return lambda _, __: behaviour


Behave = Callable[[Sink, Received], Behaviour]


@attrs.frozen
class Fault:
    """One row.

    Attributes:
        name: what it is called.
        seconds: how long it lasts.
        behave: how the server answers meanwhile; None if there is none.
    """

    name: str
    seconds: float
    behave: Behave | None


FAULTS: Final = (
    Fault("connection refused", 10, None),
    Fault("503", 10, always(Reply(503))),
    Fault("429, Retry-After: 3", 10, always(Reply(429, headers={"Retry-After": "3"}))),
    Fault("hangs: never answers", 10, always(Hang())),
    Fault("slow: 1 s a request", 12, slow),
    Fault("401", 5, always(Reply(401, b"Unauthorized Access"))),
    Fault("500", 5, always(Reply(500))),
    Fault("stores, loses the answer", 5, answer_lost),
    Fault("200, every record refused", 2, refusing),
)


def _rows(body: bytes) -> Iterable[object]:
    return [row["record_id"] for row in orjson.loads(body)]


def _spans(body: bytes) -> Iterable[object]:
    request = ExportTraceServiceRequest.FromString(body)
    return [span.span_id for r in request.resource_spans for s in r.scope_spans for span in s.spans]


def _log_records(body: bytes) -> Iterable[object]:
    request = ExportLogsServiceRequest.FromString(body)
    return [
        record.attributes[0].value.int_value
        for r in request.resource_logs
        for s in r.scope_logs
        for record in s.log_records
    ]


IDENTITIES: Final[dict[str, Callable[[bytes], Iterable[object]]]] = {
    "ours": _rows,
    "spans": _spans,
    "logs": _log_records,
}
PATHS: Final = {"spans": "traces", "logs": "logs"}
