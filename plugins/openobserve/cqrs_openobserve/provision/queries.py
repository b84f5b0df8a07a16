"""The SQL that alerts and panels share, so that a panel and its alert cannot disagree; pure.

Portable between the engines of all supported servers: `100.0 *` (their division of integers is one of
integers), `WITHIN GROUP`, limits in HAVING. Every number is read through `TRY_CAST(… AS DOUBLE)`: one stray
value turns a column into text for good, and the queries still have to answer.
"""

from typing import Final, final

import attrs

HANDLED: Final = "record = 'handled'"
PUBLISHED: Final = "record = 'published'"
DEAD_LETTER: Final = "record = 'dead_letter'"
LOOKED_UP: Final = f"{HANDLED} AND cache_status IS NOT NULL AND cache_status <> 'bypass'"
# What the two variables of a dashboard leave in; `%` leaves everything in.
CHOSEN: Final = "message_type LIKE '$message_type' AND service_name LIKE '$service'"
SERVICE_CHOSEN: Final = "service_name LIKE '$service'"

FAILED: Final = "outcome = 'error'"
HIT: Final = "cache_status IN ('hit', 'fresh', 'stale', 'stale_error', 'negative')"
_QUERY: Final = "SELECT {named} FROM {table} WHERE {where}"
_TIME: Final = "histogram(_timestamp)"


@final
@attrs.frozen
class StreamNames:
    """The streams that queries read, by the names that the server uses.

    Attributes:
        commands, queries, events: records of messages.
        metrics: snapshot rows of metrics; empty if there is no such stream.
    """

    commands: str
    queries: str
    events: str
    metrics: str = ""


def number(column: str) -> str:
    """Read a column as a number, whatever became of its type.

    Args:
        column: name of the column.
    """
    return f"TRY_CAST({column} AS DOUBLE)"


def percentile(share: float, column: str = "duration_ms", when: str = "") -> str:
    """Give the value that a share of the rows does not exceed.

    Args:
        share: between 0 and 1.
        column: name of a column of numbers.
        when: which of the rows; all if empty.
    """
    value = f"CASE WHEN {when} THEN {number(column)} END" if when else number(column)
    return f"approx_percentile_cont({share}) WITHIN GROUP (ORDER BY {value})"


def count(when: str = "") -> str:
    """Count rows.

    Args:
        when: which of them; all if empty.
    """
    return f"sum(CASE WHEN {when} THEN 1 ELSE 0 END)" if when else "count(*)"


def percentage(of: str, when: str = "") -> str:
    """Give how many rows in a hundred are so.

    Args:
        of: condition on a row.
        when: which of the rows; all if empty.
    """
    # A part of the rows may be empty, and a share of nothing is no number instead of a division by zero.
    total = f"nullif({count(when)}, 0)" if when else count()
    return f"{count(f'{when} AND {of}' if when else of)} * 100.0 / {total}"


COUNT: Final = count()
ERRORS: Final = count(FAILED)
ERROR_RATE: Final = percentage(FAILED)
HIT_RATE: Final = percentage(HIT)
STALE: Final = count("cache_status IN ('stale', 'stale_error')")


def newest(column: str) -> str:
    """Give the value of the row with the latest time.

    Args:
        column: name of a column of numbers.
    """
    return f"last_value({number(column)} ORDER BY _timestamp)"


def select(stream: str, columns: dict[str, str], where: str, *rest: str) -> str:
    """Write a query.

    Args:
        stream: name of the stream.
        columns: expressions by the names of their columns.
        where: condition on the rows.
        rest: clauses that follow, such as `GROUP BY`.
    """
    named = ", ".join(f'{expression} AS "{alias}"' for alias, expression in columns.items())
    table = '"' + stream.replace('"', '""') + '"'
    return " ".join((_QUERY.format(named=named, table=table, where=where), *rest))


def over_time(stream: str, columns: dict[str, str], where: str, by: str = "") -> str:
    """Write a query for a curve.

    Args:
        stream: name of the stream.
        columns: expressions by the names of their columns; time comes before them as `x_axis_1`.
        where: condition on the rows.
        by: column that each value of has a curve of its own, as `breakdown_1`; none if empty.
    """
    apart = {"breakdown_1": by} if by else {}
    grouped = 'GROUP BY "x_axis_1"' + (', "breakdown_1"' if by else "")
    return select(stream, {"x_axis_1": _TIME, **apart, **columns}, where, f'{grouped} ORDER BY "x_axis_1"')


def ranked(stream: str, column: str, columns: dict[str, str], where: str, limit: int = 20) -> str:
    """Write a query for a table of the largest groups.

    Args:
        stream: name of the stream.
        column: what rows are grouped by, as `x_axis_1`.
        columns: expressions by the names of their columns; the first one ranks.
        where: condition on the rows.
        limit: most groups.
    """
    first = next(iter(columns))
    order = f'GROUP BY "x_axis_1" ORDER BY "{first}" DESC LIMIT {limit}'
    return select(stream, {"x_axis_1": column, **columns}, where, order)


def metric(stream: str, name: str, columns: dict[str, str], where: str = "") -> str:
    """Write a query for the curve of a metric from its snapshot rows.

    Args:
        stream: the stream of snapshots.
        name: of the metric.
        columns: expressions over `metric_value` by the names of their columns.
        where: a further condition.
    """
    condition = f"metric_name = '{name}' AND record = 'snapshot'"
    return over_time(stream, columns, f"{condition} AND {where}" if where else condition)
