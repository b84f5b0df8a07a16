"""Spans and metrics beside the records: what has to agree with what."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, final

import attrs
from cqrs_openobserve import SignalLedger

from examples.orders.demo.readback import Search, SearchError
from examples.orders.tally import Seen

Identity = tuple[str, str]

# From how long on a dispatch is slow, in ms: the plugin's defaults. What fails or is slow gets a span in any case.
_SLOW: Final = {"cqrs_commands": 500, "cqrs_queries": 300, "cqrs_events": 1000}
_RECORDS: Final = """
SELECT DISTINCT record_id, trace_id, span_id, sampled, outcome, TRY_CAST(duration_ms AS DOUBLE) >= {slow} AS slow
FROM "{stream}" WHERE record = 'handled' ORDER BY span_id
"""
_SPANS: Final = 'SELECT * FROM "traces" ORDER BY span_id'
_COUNTS: Final = """
SELECT metric_name, message_type, outcome, labels, max(TRY_CAST(metric_value AS DOUBLE)) AS dispatches
FROM "cqrs_metrics" WHERE metric_name IN
  ('cqrs.command.duration.count', 'cqrs.query.duration.count', 'cqrs.event.duration.count')
GROUP BY metric_name, message_type, outcome, labels
"""
_NOT_FOUND: Final = "20002"


@final
@attrs.frozen
class Spans:
    """Who has a span, by trace and span id.

    Attributes:
        sampled: records of sampled traces.
        late: records of others that failed or were slow.
        stored: spans that the server has, late ones apart.
        stored_late: those.
        repeated: spans that the server has again.
    """

    sampled: Counter[Identity]
    late: Counter[Identity]
    stored: Counter[Identity]
    stored_late: Counter[Identity]
    repeated: int = 0

    @property
    def agree(self) -> bool:
        """Whether every record that should has its span, and no span is without its record."""
        return self.sampled == self.stored and self.late == self.stored_late


def read_spans(search: Search) -> Spans:
    """Read records and spans.

    Args:
        search: the server's search.
    """
    sampled: Counter[Identity] = Counter()
    late: Counter[Identity] = Counter()
    for stream, slow in _SLOW.items():
        for row in search.rows(_RECORDS.format(stream=stream, slow=slow)):
            if row["sampled"]:
                sampled[_identity(row)] += 1
            elif row["outcome"] == "error" or row["slow"]:
                late[_identity(row)] += 1
    own = [row for row in _spans(search) if row.get("cqrs_message")]
    # A span that was sent again, because nobody said whether the server has it, is one span.
    stored = {(_identity(row), row.get("cqrs_sampling") == "late") for row in own}
    return Spans(
        sampled,
        late,
        Counter(identity for identity, is_late in stored if not is_late),
        Counter(identity for identity, is_late in stored if is_late),
        len(own) - len(stored),
    )


def measured(search: Search) -> Counter[str]:
    """Read from the metrics how many dispatches of each kind and type there were.

    Args:
        search: the server's search.
    """
    found: Counter[str] = Counter()
    for row in search.rows(_COUNTS):
        kind = str(row["metric_name"]).split(".")[1]
        found[f"{kind} {row['message_type']}"] += round(float(str(row["dispatches"])))
    return found


def dispatched(happened: Counter[Seen]) -> Counter[str]:
    """Give the same from what happened.

    Args:
        happened: what the tally saw.
    """
    found: Counter[str] = Counter()
    for seen, count in happened.items():
        if seen.record == "handled":
            found[f"{seen.kind} {seen.message_type}"] += count
    return found


def signals_report(
    spans: Spans, counted: Counter[str], happened: Counter[str], ledgers: Mapping[str, SignalLedger]
) -> Iterator[str]:
    """Lay out spans, metrics and books.

    Args:
        spans: who has a span.
        counted: dispatches by the metrics.
        happened: dispatches by the tally.
        ledgers: the books of each signal.
    """
    stored = spans.stored.total() + spans.stored_late.total()
    yield (
        f"spans       {stored} read back = {spans.sampled.total()} sampled + {spans.late.total()} late;"
        f" ids in records and spans {_agree(spans.agree)}"
    )
    yield f"metrics     {counted.total()} dispatches counted, {happened.total()} seen; {_agree(counted == happened)}"
    for books in ledgers.values():
        yield f"ledger      {books}"


def balanced(ledgers: Iterable[SignalLedger]) -> bool:
    """Tell whether all that was accepted was delivered.

    Args:
        ledgers: the books of each signal.
    """
    return all(books.accepted == books.delivered and books.balanced for books in ledgers)


def _agree(yes: bool) -> str:  # noqa: FBT001 - a word for it
    return "agree" if yes else "DO NOT AGREE"


def _identity(row: Mapping[str, object]) -> Identity:
    return str(row["trace_id"]), str(row["span_id"])


def _spans(search: Search) -> list[Mapping[str, object]]:
    try:
        return search.rows(_SPANS, "traces")
    except SearchError as error:
        if _NOT_FOUND in str(error):  # no span was sent yet
            return []
        raise
