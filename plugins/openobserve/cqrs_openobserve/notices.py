"""What the pipeline says on the logger ``cqrs.openobserve``: one line per reason a minute."""

import logging
from collections.abc import Mapping
from typing import Final, final

from cqrs_openobserve.ledger import Reason, SignalLedger

logger: Final = logging.getLogger("cqrs.openobserve")
PAUSE_NS: Final = 60 * 10**9

_MEANS: Final[Mapping[Reason, str]] = {
    "queue_full": "records came faster than the server took them",
    "rejected_record": "the server refused them",
    "unaccounted": "the server said 200 but did not count them",
    "expired": "they became older than the server accepts",
    "shutdown_timeout": "the program ended first",
    "already_stopped": "they came after the app had stopped",
    "fork_discard": "they belong to the parent process, which sends them",
    "internal": "the pipeline itself failed",
}


def farewell(books: SignalLedger, trouble: str) -> str:
    """Give the one line at exit when not everything was delivered.

    Args:
        books: the books after everything is settled.
        trouble: the last thing that went wrong, or empty.
    """
    reasons = ", ".join(
        f"{count} {reason} ({_MEANS[reason]})" for reason, count in sorted(books.dropped.items())
    )
    last = f" Last trouble: {trouble}" if trouble else ""
    return f"cqrs-openobserve: {books.lost} of {books.accepted} records were not delivered: {reasons}.{last}"


@final
class Notices:
    """Says what was dropped, and that a server is away, without repeating itself; one thread uses it."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}
        self._told: dict[Reason, int] = {}

    def dropped(self, counts: Mapping[Reason, int], trouble: str, now_ns: int) -> None:
        """Say which losses are new.

        Args:
            counts: all losses so far, by reason.
            trouble: the last thing that went wrong, or empty.
            now_ns: monotonic time, in ns.
        """
        for reason, count in counts.items():
            new = count - self._told.get(reason, 0)
            if new > 0 and self._may_say(reason, now_ns):
                self._told[reason] = count
                cause = f": {trouble}" if trouble else "."
                logger.warning("%d records lost (%s): %s%s", new, reason, _MEANS[reason], cause)

    def outage(self, trouble: str, waiting: int, now_ns: int) -> None:
        """Say that the server takes nothing at the moment.

        Args:
            trouble: why; empty if it takes records.
            waiting: how many records wait.
            now_ns: monotonic time, in ns.
        """
        if trouble and self._may_say("outage", now_ns):
            logger.warning("%d records wait, none is lost yet: %s", waiting, trouble)

    def _may_say(self, what: str, now_ns: int) -> bool:
        last = self._said.get(what)
        if last is not None and now_ns - last < PAUSE_NS:
            return False
        self._said[what] = now_ns
        return True
