"""How a pipeline is: for ``app.health()``, and written down for ``cqrs doctor``; pure, and without secrets."""

from collections.abc import Mapping
from typing import final

import attrs
import orjson

from cqrs_openobserve.ledger import Books, SignalLedger

VERSION = 1


@final
@attrs.frozen
class Health:
    """One process's telemetry at one moment.

    Attributes:
        books: the books of every signal.
        outages: why a server takes nothing of a signal at the moment, by signal; nothing for signals that flow.
        trouble: the last thing that went wrong, or empty.
        spool_bytes: bytes kept in the spool.
        spool_problem: why nothing can be kept, or empty.
        restarts: threads that died and were replaced.
        clock_skew_s: how far the server's clock is ahead of this machine's, in seconds; None if it did not say.
    """

    books: Books
    outages: Mapping[str, str]
    trouble: str
    spool_bytes: int
    spool_problem: str
    restarts: int
    clock_skew_s: float | None

    @property
    def ok(self) -> bool:
        """Whether records flow and none was lost for a reason that somebody could mend."""
        return not self.outages and not any(map(_lost, self.books.values()))

    def __str__(self) -> str:
        """One line."""
        said = [f"{signal} {reason}" for signal, reason in self.outages.items()]
        said += [str(books) for books in self.books.values() if books.accepted]
        said += [f"spool: {self.spool_problem}"] if self.spool_problem else []
        return "; ".join(said) or "nothing observed yet"

    def as_json(self, about: Mapping[str, object]) -> bytes:
        """Write it down.

        Args:
            about: whose it is: process, instance, server, time.
        """
        signals = {
            signal: {
                "accepted": books.accepted,
                "adopted": books.adopted,
                "delivered": books.delivered,
                "waiting": books.waiting,
                "spooled": books.spooled,
                "ambiguous": books.ambiguous,
                "dropped": dict(books.dropped),
            }
            for signal, books in self.books.items()
        }
        rest = {
            "outages": dict(self.outages),
            "trouble": self.trouble,
            "spool": {"bytes": self.spool_bytes, "problem": self.spool_problem},
            "restarts": self.restarts,
            "clock_skew_s": self.clock_skew_s,
        }
        return orjson.dumps({"version": VERSION, **about, "signals": signals, **rest})


def _lost(books: SignalLedger) -> int:
    # What the parent of a fork sends itself, and what came after the end, is nobody's to mend.
    return books.lost - books.dropped.get("fork_discard", 0) - books.dropped.get("already_stopped", 0)
