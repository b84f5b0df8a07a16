"""The table of columns."""

from collections import Counter

from cqrs_openobserve.columns import COLUMNS, columns_of


def test_every_column_is_there_once_with_a_sentence() -> None:
    """Names are unique and each says what it holds."""
    assert [name for name, count in Counter(column.name for column in COLUMNS).items() if count > 1] == []
    assert all(column.doc.endswith(".") for column in COLUMNS)


def test_queries_and_events_have_columns_of_their_own() -> None:
    """And everything else is common."""
    names = {kind: {column.name for column in columns_of(kind)} for kind in ("command", "query", "event")}
    assert names["query"] - names["command"] == {"cache_status", "cache_hit", "cache_age_ms"}
    assert names["event"] - names["command"] == {"subscriber", "subscribers"}
    assert names["command"] <= names["query"] & names["event"]


def test_durations_are_floats_and_counts_integers() -> None:
    """Percentiles and sums depend on it."""
    types = {column.name: column.type for column in COLUMNS}
    assert types["duration_ms"] == types["cache_age_ms"] == "Float64"
    assert types["_timestamp"] == types["retry_count"] == types["subscribers"] == "Int64"
    assert types["cache_hit"] == types["sampled"] == "Boolean"
