"""What the demo prints: pure functions from figures to text."""

from collections import Counter
from collections.abc import Iterable, Iterator

from cqrs_openobserve import SignalLedger

from examples.orders.demo.readback import TypeFigures
from examples.orders.tally import Seen

_MOST_DIFFERENCES = 10
_RECORDS = {"published": " (published)", "dead_letter": " (dead letter)"}


def figures_table(figures: Iterable[TypeFigures]) -> Iterator[str]:
    """Lay out what the server tells of each message type.

    Args:
        figures: one per type.
    """
    yield f"{'':<34}{'messages':>9}{'success':>9}{'rejected':>9}{'error':>7}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"
    for f in figures:
        label = f"{f.kind} {f.message_type}" + (" (published)" if f.record == "published" else "")
        counts = f"{f.messages:>9}{f.success:>9}{f.rejected:>9}{f.error:>7}"
        yield f"{label:<34}{counts}{f.p50:>9.2f}{f.p95:>9.2f}{f.p99:>9.2f}"


def error_rate(figures: Iterable[TypeFigures], kind: str) -> float:
    """Give the share of dispatches that ended in an error, in percent; a rejection is none.

    Args:
        figures: one per type.
        kind: command, query or event.
    """
    handled = [f for f in figures if f.kind == kind and f.record == "handled"]
    messages = sum(f.messages for f in handled)
    return 100.0 * sum(f.error for f in handled) / messages if messages else 0.0


def comparison(happened: Counter[Seen], stored: Counter[Seen]) -> Iterator[str]:
    """Lay out what happened beside what is stored, per message type.

    Args:
        happened: what the tally saw.
        stored: what was read back.
    """
    yield f"{'':<34}{'dispatched':>11}{'read back':>11}{'equal':>8}"
    for label in sorted({_label(seen) for seen in happened | stored}):
        own = Counter({seen: n for seen, n in happened.items() if _label(seen) == label})
        read = Counter({seen: n for seen, n in stored.items() if _label(seen) == label})
        yield f"{label:<34}{own.total():>11}{read.total():>11}{'yes' if own == read else 'NO':>8}"


def differences(happened: Counter[Seen], stored: Counter[Seen]) -> Iterator[str]:
    """Name the records that are missing or that nobody dispatched, at most ten of each.

    Args:
        happened: what the tally saw.
        stored: what was read back.
    """
    for what, records in (("missing", happened - stored), ("not dispatched or twice", stored - happened)):
        for seen in sorted(records)[:_MOST_DIFFERENCES]:
            yield f"{what}: {_label(seen)} {seen.subscriber} {seen.outcome} message_id={seen.message_id}"


def repeats(what: str, copies: int, books: SignalLedger) -> str:
    """Say how many were sent again, and how many of those the server has twice.

    Args:
        what: records or spans.
        copies: how many the server has twice.
        books: of the signal.
    """
    word = "within what the books say" if copies <= books.ambiguous else "MORE THAN THE BOOKS SAY"
    return f"{books.ambiguous} {what} sent again without knowing, {copies} of them stored twice: {word}"


def _label(seen: Seen) -> str:
    return f"{seen.kind} {seen.message_type}" + _RECORDS.get(seen.record, "")
