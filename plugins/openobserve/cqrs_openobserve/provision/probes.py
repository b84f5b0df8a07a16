"""Records that hold a value in every column of a stream, so that the server gets to know them all."""

import orjson

from cqrs.middleware import Kind
from cqrs_openobserve.columns import LOG_COLUMNS
from cqrs_openobserve.configuration import KINDS
from cqrs_openobserve.encoding import encode
from cqrs_openobserve.metric_rows import MetricRows
from cqrs_openobserve.payloads import Payload, json_payloads
from cqrs_openobserve.provision.streams import Stream, StreamKind
from cqrs_openobserve.records import RowBuilder
from cqrs_openobserve.service import Service, new_instance


def probe(stream: Stream, service: Service, micros: int) -> Payload:
    """Make a request with one record that counts nowhere: its ``record`` is ``probe``.

    Args:
        stream: what it is for.
        service: who sends.
        micros: its ``_timestamp``.
    """
    return next(json_payloads(stream.name, [(_row(stream.kind, service, micros), 0)]))


def _row(kind: StreamKind, service: Service, micros: int) -> bytes:
    if kind == "metrics":
        return orjson.dumps(MetricRows(service, new_instance()).probe_row(micros, "init"))
    if kind == "logs":
        known = {
            "_timestamp": micros,
            "level": "DEBUG",
            "logger": "cqrs_openobserve.init",
            "correlation_id": "init",
        }
        samples = {column.name: 0 if column.type == "Int64" else "probe" for column in LOG_COLUMNS}
        return orjson.dumps(samples | known)
    message: Kind = next(each for each in KINDS if each == kind)
    return encode(RowBuilder(service, new_instance()).probe_row(message, micros, "init"))
