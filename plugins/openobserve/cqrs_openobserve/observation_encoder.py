"""From observations to payloads: each is measured, logged if its level lets it, and given a late span if it needs one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol, final

import attrs

from cqrs.middleware import Kind
from cqrs_openobserve.bus_metrics import BusMetrics
from cqrs_openobserve.feeds import Batch
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.payloads import Filling, Payload, json_payloads
from cqrs_openobserve.records import LEVELS, Anchor, RowBuilder, level_of_observation

LARGEST_RECORD: Final = 64 * 1024
NEVER: Final = 100


class LateSpans(Protocol):
    """Makes spans of observations; ``open_telemetry.OpenTelemetry``, which is loaded when the first is made."""

    def late(self, observations: Sequence[Observation], anchor: Anchor, /) -> Iterator[Payload]:
        """Make the payload of the spans that some observations did not get."""
        ...


@final
@attrs.frozen
class ObservationEncoder:
    """The encoder of the feed of observations.

    Attributes:
        streams: the server's name of each kind's stream.
        rows: makes rows.
        least: the lowest level recorded; ``NEVER`` for none.
        metrics: what is measured; None for nothing.
        late: makes late spans; None for none.
        filling: learns how many rows fill a request.
    """

    streams: Mapping[Kind, str]
    rows: RowBuilder
    least: int
    metrics: BusMetrics | None = None
    late: LateSpans | None = None
    filling: Filling = attrs.field(factory=Filling)

    def __call__(self, batch: Batch[Observation]) -> Iterator[Payload]:
        """Encode a batch.

        Args:
            batch: what was taken from the queue.
        """
        by_kind: dict[Kind, list[tuple[bytes, int]]] = {}
        wanting: list[Observation] = []
        for observation in batch.items:
            if self.metrics is not None:
                self.metrics.add(observation)
            level = level_of_observation(observation)
            if level != "INFO" and needs_late_span(observation):
                wanting.append(observation)
            # A probe proves the way, whatever is recorded.
            if LEVELS[level] < self.least and observation[0].record != "probe":
                batch.account.skip()
                continue
            row = self.rows.encoded(observation, level, batch.anchor)
            if len(row) > LARGEST_RECORD:
                batch.account.drop("record_too_large")
            else:
                by_kind.setdefault(observation[0].kind, []).append((row, observation[2]))
        for kind, of_kind in by_kind.items():
            self.filling.learn(of_kind)
            yield from json_payloads(self.streams[kind], of_kind)
        if wanting and self.late is not None:
            yield from self.late.late(wanting, batch.anchor)


def needs_late_span(observation: Observation) -> bool:
    """Tell whether a dispatch without a span gets one afterwards: it failed or was slow.

    Args:
        observation: what was seen.
    """
    subject, outcome, _, duration = observation[:4]
    if observation[10] or subject.record != "handled" or outcome == "start":
        return False
    return outcome == "error" or duration >= subject.slow_ns
