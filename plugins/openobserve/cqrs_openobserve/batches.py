"""From observations to payloads: rows by stream, at most 1 000 records or 512 KiB each; pure."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cqrs.middleware import Kind
from cqrs_openobserve.delivery import Payload
from cqrs_openobserve.encoding import encode
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.records import Anchor, RowBuilder

MOST_RECORDS: Final = 1_000
MOST_BYTES: Final = 512 * 1024


def payloads(
    observations: Sequence[Observation], streams: Mapping[Kind, str], rows: RowBuilder, anchor: Anchor
) -> Iterator[Payload]:
    """Make the payloads of some observations, compressed and in order.

    Args:
        observations: at most as many as may be held in memory twice.
        streams: the server's name of each kind's stream.
        rows: makes rows.
        anchor: the clocks.
    """
    by_kind: dict[Kind, list[Observation]] = {}
    for observation in observations:
        by_kind.setdefault(observation[0].kind, []).append(observation)
    for kind, of_kind in by_kind.items():
        encoded = [(encode(rows.row(observation, anchor)), observation[2]) for observation in of_kind]
        for part in _parts(encoded):
            texts, ages = (tuple(column) for column in zip(*part, strict=True))
            yield Payload(streams[kind], texts, ages, body=compressed(texts))


def compressed(rows: Sequence[bytes]) -> bytes:
    """Give a request's body: a JSON array, gzip."""
    return gzip.compress(b"[" + b",".join(rows) + b"]", compresslevel=1, mtime=0)


def _parts(encoded: Sequence[tuple[bytes, int]]) -> Iterator[list[tuple[bytes, int]]]:
    part: list[tuple[bytes, int]] = []
    size = 2
    for row in encoded:
        if part and (len(part) == MOST_RECORDS or size + len(row[0]) + 1 > MOST_BYTES):
            yield part
            part, size = [], 2
        part.append(row)
        size += len(row[0]) + 1
    if part:
        yield part
