"""Where every record went: accepted == delivered + waiting + spooled + Σ dropped[reason], at every quiescent moment."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal, final

import attrs

from cqrs_openobserve.payloads import Signal

Reason = Literal[
    "queue_full",
    "record_too_large",
    "unserialisable",
    "rejected_record",
    "unaccounted",
    "expired",
    "spool_full",
    "spool_error",
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
        signal: ``logs``, ``metrics`` or ``traces``.
        accepted: records that callers handed over, or that were adopted from a process that has ended.
        delivered: records that the server said it stored.
        waiting: records on their way, in memory.
        spooled: records in the spool, which survive this process.
        dropped: records that will not arrive, by reason.
        adopted: how many of the accepted were adopted.
        ambiguous: records sent again although the server may have stored them the first time; their
            ``record_id`` makes a duplicate removable.
    """

    signal: Signal
    accepted: int
    delivered: int
    waiting: int
    dropped: Mapping[Reason, int]
    spooled: int = 0
    adopted: int = attrs.field(default=0, eq=False)
    ambiguous: int = attrs.field(default=0, eq=False)

    @property
    def lost(self) -> int:
        """How many records will not arrive."""
        return sum(self.dropped.values())

    @property
    def balanced(self) -> bool:
        """Whether every accepted record is accounted for."""
        return self.accepted == self.delivered + self.waiting + self.spooled + self.lost

    def __str__(self) -> str:
        """One line."""
        reasons = "".join(f", {reason} {count}" for reason, count in sorted(self.dropped.items()))
        spooled = f" spooled {self.spooled}," if self.spooled else ""
        return (
            f"{self.signal}: accepted {self.accepted}, delivered {self.delivered},"
            f" waiting {self.waiting},{spooled} dropped {self.lost}{reasons}"
        )


@final
@attrs.frozen
class FlushReport:
    """What a flush came to, all signals together.

    Attributes:
        complete: whether everything accepted before it is settled: delivered, or dropped for a reason.
        delivered: records delivered while it ran.
        waiting: records still on their way when it ended.
        dropped: records dropped while it ran, by reason.
        seconds: how long it took.
        spooled: records that lay in the spool when it ended.
    """

    complete: bool
    delivered: int
    waiting: int
    dropped: Mapping[Reason, int]
    seconds: float
    spooled: int = 0


@final
class Settled:
    """Counts what enters and leaves the pipeline; its owner holds a lock.

    Attributes:
        accepted: records that came.
        adopted: how many of these came from processes that have ended.
        delivered: records that the server said it stored.
        ambiguous: records sent again although they may have been stored.
        dropped: the others, by reason.
    """

    __slots__ = ("accepted", "adopted", "ambiguous", "delivered", "dropped")

    def __init__(self) -> None:
        self.accepted = self.adopted = self.delivered = self.ambiguous = 0
        self.dropped: Counter[Reason] = Counter()

    def accept(self, records: int, *, adopted: bool = False) -> None:
        """Count records that came.

        Args:
            records: how many.
            adopted: whether they come from a process that has ended.
        """
        self.accepted += records
        self.adopted += records if adopted else 0

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


Books = Mapping[Signal, SignalLedger]


def lost_by_reason(books: Books) -> Counter[Reason]:
    """Add up what all signals lost.

    Args:
        books: the books of every signal.
    """
    dropped: Counter[Reason] = Counter()
    for one in books.values():
        dropped.update(one.dropped)
    return dropped


def flush_report(before: Books, after: Books, seconds: float, *, complete: bool) -> FlushReport:
    """Give what happened between two readings of all signals.

    Args:
        before: the books at the beginning.
        after: the books at the end.
        seconds: the time between them.
        complete: whether everything accepted before is settled.
    """
    dropped = lost_by_reason(after)
    dropped.subtract(lost_by_reason(before))
    return FlushReport(
        complete,
        sum(books.delivered - before[signal].delivered for signal, books in after.items()),
        sum(books.waiting for books in after.values()),
        {reason: count for reason, count in dropped.items() if count},
        seconds,
        sum(books.spooled for books in after.values()),
    )
