"""What travels in one request, of whatever signal: made by an encoder, sent, spooled and taken apart as one value."""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, final

import attrs
import orjson

Signal = Literal["logs", "metrics", "traces"]
SIGNALS: Final[tuple[Signal, ...]] = ("logs", "metrics", "traces")

MOST_RECORDS: Final = 1_000
MOST_BYTES: Final = 512 * 1024
LONGEST_SPAN_NS: Final = 5 * 60 * 10**9
_FILL: Final = 0.97

JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json"}
OTLP: Final[Mapping[str, str]] = {"Content-Type": "application/x-protobuf"}


@final
@attrs.frozen(eq=False)
class Payload:
    """Records of one signal that travel in one request.

    Attributes:
        signal: whose books it stands in.
        path: below ``/api/{organisation}``, its parts already quoted: ``/cqrs_commands/_json``, ``/v1/traces``.
        headers: besides those of every request: ``Content-Type``, and ``stream-name`` for OTLP traces.
        body: gzip of a JSON array of objects, or of an OTLP export request in protobuf.
        records: rows, spans or data points in it: what the ledger counts.
        oldest_ns: when the oldest became complete, monotonic ns. A payload expires as a whole, so the youngest
            should be at most five minutes younger.
    """

    signal: Signal
    path: str
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)
    records: int
    oldest_ns: int

    @property
    def is_otlp(self) -> bool:
        """Whether the body is an OTLP request, which is answered with ``partial_success`` instead of counts."""
        return self.headers["Content-Type"] != "application/json"


def compressed(raw: bytes) -> bytes:
    """Give a body as it travels.

    Args:
        raw: JSON or protobuf.
    """
    return gzip.compress(raw, compresslevel=1, mtime=0)


def json_payloads(
    stream: str, rows: Sequence[tuple[bytes, int]], signal: Signal = "logs"
) -> Iterator[Payload]:
    """Make the requests for some rows of one stream: at most 1 000 rows, 512 KiB and five minutes each.

    Args:
        stream: the server's name of the stream.
        rows: each one JSON object, and when it became complete, monotonic ns.
        signal: whose books they stand in.
    """
    for part in _parts(rows):
        body = compressed(_array([row for row, _ in part]))
        oldest = min(age for _, age in part)
        yield Payload(signal, f"/{stream}/_json", JSON, body, len(part), oldest)


@final
class Filling:
    """How many rows fill one request, learnt from those that were made: one more would make two requests of it."""

    def __init__(self) -> None:
        self._bytes = 0.0

    def learn(self, rows: Sequence[tuple[bytes, int]]) -> None:
        """Look at rows.

        Args:
            rows: as ``json_payloads`` takes them.
        """
        size = sum([len(row) for row, _ in rows]) / len(rows)
        self._bytes = size if size > self._bytes else self._bytes + (size - self._bytes) / 8

    def most(self) -> int:
        """Give how many rows fit into a request."""
        return min(MOST_RECORDS, round(_FILL * MOST_BYTES / (self._bytes + 1)))


def halves(payload: Payload) -> tuple[Payload, ...]:
    """Take a payload of several records apart, to find the one that the server refuses.

    Args:
        payload: of any signal.

    Returns:
        Two payloads; none if the body cannot be read, which only a damaged file can cause.
    """
    try:
        raw = gzip.decompress(payload.body)
        parts = _otlp_halves(payload, raw) if payload.is_otlp else _json_halves(raw)
    except (OSError, EOFError, zlib.error, ValueError):
        return ()
    if sum(records for _, records in parts) != payload.records or not all(records for _, records in parts):
        return ()
    return tuple(attrs.evolve(payload, body=compressed(body), records=records) for body, records in parts)


def _json_halves(raw: bytes) -> Sequence[tuple[bytes, int]]:
    rows = orjson.loads(raw)
    middle = len(rows) // 2
    return [(orjson.dumps(part), len(part)) for part in (rows[:middle], rows[middle:])]


def _otlp_halves(payload: Payload, raw: bytes) -> Sequence[tuple[bytes, int]]:
    # Here and not above: protobuf is loaded only by programs that send OTLP.
    from cqrs_openobserve.otlp_bodies import halves_of

    return halves_of(payload.signal, raw)


def _array(rows: Sequence[bytes]) -> bytes:
    # Joined once: half a MiB copied twice more, only for the brackets, costs a quarter of what compressing it does.
    texts = list(rows)
    texts[0] = b"[" + texts[0]
    texts[-1] += b"]"
    return b",".join(texts)


def _parts(rows: Sequence[tuple[bytes, int]]) -> Iterator[Sequence[tuple[bytes, int]]]:
    if len(rows) <= MOST_RECORDS and sum([len(row) + 1 for row, _ in rows]) < MOST_BYTES:
        ages = [age for _, age in rows]
        if max(ages, default=0) - min(ages, default=0) <= LONGEST_SPAN_NS:
            yield from [rows] if rows else []
            return
    part: list[tuple[bytes, int]] = []
    size = 2
    first = last = 0
    for row, age in rows:
        first, last = (min(first, age), max(last, age)) if part else (age, age)
        full = len(part) == MOST_RECORDS or size + len(row) + 1 > MOST_BYTES
        if part and (full or last - first > LONGEST_SPAN_NS):
            yield part
            part, size, first, last = [], 2, age, age
        part.append((row, age))
        size += len(row) + 1
    if part:
        yield part
