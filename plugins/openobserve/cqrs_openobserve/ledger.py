"""Where every record went: accepted == delivered + waiting + Σ dropped[reason], at every quiescent moment."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal, final

import attrs

Reason = Literal[
    "queue_full",
    "rejected_record",
    "unaccounted",
    "expired",
    "shutdown_timeout",
    "already_stopped",
    "fork_discard",
    "internal",
]


@final
@attrs.frozen
class SignalLedger:
    """The books of one signal at one moment.

    Attributes:
        signal: ``logs``.
        accepted: records that callers handed over.
        delivered: records that the server said it stored.
        waiting: records on their way.
        dropped: records that will not arrive, by reason.
    """

    signal: str
    accepted: int
    delivered: int
    waiting: int
    dropped: Mapping[Reason, int]

    @property
    def lost(self) -> int:
        """How many records will not arrive."""
        return sum(self.dropped.values())

    @property
    def balanced(self) -> bool:
        """Whether every accepted record is accounted for."""
        return self.accepted == self.delivered + self.waiting + self.lost

    def __str__(self) -> str:
        """One line."""
        reasons = "".join(f", {reason} {count}" for reason, count in sorted(self.dropped.items()))
        return (
            f"{self.signal}: accepted {self.accepted}, delivered {self.delivered},"
            f" waiting {self.waiting}, dropped {self.lost}{reasons}"
        )


@final
@attrs.frozen
class FlushReport:
    """What a flush came to.

    Attributes:
        complete: whether everything accepted before it is settled: delivered, or dropped for a reason.
        delivered: records delivered while it ran.
        waiting: records still on their way when it ended.
        dropped: records dropped while it ran, by reason.
        seconds: how long it took.
    """

    complete: bool
    delivered: int
    waiting: int
    dropped: Mapping[Reason, int]
    seconds: float


@final
class Settled:
    """Counts what left the pipeline; its owner holds a lock.

    Attributes:
        delivered: records that the server said it stored.
        dropped: the others, by reason.
    """

    __slots__ = ("delivered", "dropped")

    def __init__(self) -> None:
        self.delivered = 0
        self.dropped: Counter[Reason] = Counter()

    def deliver(self, records: int) -> None:
        """Count delivered records."""
        self.delivered += records

    def drop(self, reason: Reason, records: int) -> None:
        """Count records that will not arrive.

        Args:
            reason: why.
            records: how many.
        """
        if records:
            self.dropped[reason] += records


def difference(before: SignalLedger, after: SignalLedger) -> dict[Reason, int]:
    """Give what was dropped between two readings, by reason."""
    new: dict[Reason, int] = {}
    for reason, count in after.dropped.items():
        if count > before.dropped.get(reason, 0):
            new[reason] = count - before.dropped.get(reason, 0)
    return new
