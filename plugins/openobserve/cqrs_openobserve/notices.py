"""What the pipeline says on the logger ``cqrs.openobserve``: one line per reason a minute."""

import logging
from collections.abc import Mapping
from typing import Final, final

from cqrs_openobserve.ledger import Books, Reason, lost_by_reason

logger: Final = logging.getLogger("cqrs.openobserve")
PAUSE_NS: Final = 60 * 10**9

_MEANS: Final[Mapping[Reason, str]] = {
    "queue_full": "records came faster than the server took them",
    "record_too_large": "they are larger than 64 KiB",
    "unserialisable": "they could not be written down",
    "rejected_record": "the server refused them",
    "unaccounted": "the server said 200 but did not count them",
    "expired": "they became older than the server accepts",
    "spool_full": "the spool has reached OPENOBSERVE_SPOOL_SIZE",
    "spool_error": "their file in the spool is damaged or gone",
    "shutdown_timeout": "the program ended first",
    "already_stopped": "they came after the app had stopped",
    "fork_discard": "they belong to the parent process, which sends them",
    "internal": "the pipeline itself failed",
}


def farewell(books: Books, trouble: str) -> str:
    """Give the one line at exit, empty if everything was delivered.

    Args:
        books: the books of every signal after everything is settled.
        trouble: the last thing that went wrong, or empty.
    """
    accepted = sum(one.accepted for one in books.values())
    dropped = lost_by_reason(books)
    accepted -= dropped.pop("fork_discard", 0)  # the parent's: it says itself what became of them
    spooled = sum(one.spooled for one in books.values())
    said = [f"{count} {reason} ({_MEANS[reason]})" for reason, count in sorted(dropped.items())]
    said += [f"{spooled} wait in the spool for the next process"] if spooled else []
    if not said:
        return ""
    last = f" Last trouble: {trouble}" if trouble else ""
    undelivered = dropped.total() + spooled
    return (
        f"cqrs-openobserve: {undelivered} of {accepted} records were not delivered: {', '.join(said)}.{last}"
    )


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

    def spool(self, problem: str, now_ns: int) -> None:
        """Say that nothing can be kept for the next process.

        Args:
            problem: why; empty if all is well.
            now_ns: monotonic time, in ns.
        """
        if problem and self._may_say("spool", now_ns):
            logger.warning("Records wait in memory only: %s (OPENOBSERVE_SPOOL_DIR).", problem)

    def _may_say(self, what: str, now_ns: int) -> bool:
        last = self._said.get(what)
        if last is not None and now_ns - last < PAUSE_NS:
            return False
        self._said[what] = now_ns
        return True
