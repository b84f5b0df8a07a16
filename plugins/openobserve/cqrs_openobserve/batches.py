"""From observations to payloads: a row each, in the stream of its kind; pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from cqrs.middleware import Kind
from cqrs_openobserve.encoding import encode
from cqrs_openobserve.feeds import Batch
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.payloads import Payload, json_payloads
from cqrs_openobserve.records import RowBuilder

LARGEST_RECORD: Final = 64 * 1024


def record_encoder(
    streams: Mapping[Kind, str], rows: RowBuilder
) -> Callable[[Batch[Observation]], Iterator[Payload]]:
    """Make the encoder of observations.

    Args:
        streams: the server's name of each kind's stream.
        rows: makes rows.
    """

    def encoded(batch: Batch[Observation]) -> Iterator[Payload]:
        by_kind: dict[Kind, list[tuple[bytes, int]]] = {}
        for observation in batch.items:
            row = encode(rows.row(observation, batch.anchor))
            if len(row) > LARGEST_RECORD:
                batch.account.drop("record_too_large")
            else:
                by_kind.setdefault(observation[0].kind, []).append((row, observation[2]))
        for kind, of_kind in by_kind.items():
            yield from json_payloads(streams[kind], of_kind)

    return encoded
