"""Columns that are missing or of another type: from facts to lines."""

from collections.abc import Callable

from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.columns import ColumnFacts, judge
from cqrs_openobserve.provision.streams import Difference, streams_of

Configure = Callable[..., Configuration]


def test_right_columns_are_told(configure: Configure) -> None:
    """One line a stream."""
    (stream, *_) = streams_of(configure())
    (line,) = judge((ColumnFacts(stream, Difference()),))
    assert (line.section, line.name, line.status) == ("provisioning", "cqrs_commands", "ok")


def test_other_types_fail_and_missing_columns_warn(configure: Configure) -> None:
    """Both of one stream, each with its way out."""
    (stream, *_) = streams_of(configure())
    first, second = stream.columns[1], stream.columns[2]
    conflict, lack = judge((ColumnFacts(stream, Difference((first,), ((second, "Int64"),))),))
    assert (conflict.status, lack.status) == ("fail", "warn")
    assert f"{second.name} is Int64, not Utf8" in conflict.text
    assert "CQRS_STREAM_COMMANDS" in conflict.fix
    assert f"lacks the columns {first.name}" in lack.text
    assert lack.fix == "cqrs openobserve init"


def test_columns_that_could_not_be_read_are_a_warning(configure: Configure) -> None:
    """Not taken for right."""
    (stream, *_) = streams_of(configure())
    (line,) = judge((ColumnFacts(stream, None),))
    assert line.status == "warn"
