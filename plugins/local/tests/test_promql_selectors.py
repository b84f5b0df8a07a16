"""PromQL text to selectors, samples to answers."""

import pytest
from cqrs_local.column_types import ColumnType
from cqrs_local.promql_selectors import (
    LOOKBACK,
    Refusal,
    Selector,
    Series,
    matrix,
    parse,
    series_of,
    sql_of,
    vector,
)
from returns.result import Failure, Success

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("up", Selector("up")),
        ('up{a="b", c!="d"}', Selector("up", (("=", "a", "b"), ("!=", "c", "d")))),
        ('up{a=~"b.*",c!~"d"}', Selector("up", (("=~", "a", "b.*"), ("!~", "c", "d")))),
        ('{__name__="up"}', Selector("up")),
    ],
)
def test_plain_selectors(text: str, selector: Selector) -> None:
    """A name and any number of matchers."""
    assert parse(text) == Success(selector)


@pytest.mark.parametrize(
    "text",
    ["rate(up[5m])", "up[5m]", "sum(up)", "up + up", "1 + 1", "1", "up offset 5m", "up @ 10", '{a="b"}', "-up",
     'up{a="b" or c="d"}', "up[5m:1m]", '"text"', "(up)"],
)  # fmt: skip
def test_anything_else_is_not_evaluated(text: str) -> None:
    """422: never a number that may be wrong."""
    assert isinstance(refusal := parse(text).failure(), Refusal)
    assert (refusal.status, "local server" in refusal.text) == (422, True)


@pytest.mark.parametrize("text", ["sum by (", "nofn(up)", "", "up{", "(" * 3000, "a" * 100_000, "up\x00"])
def test_what_is_no_promql_is_refused(text: str) -> None:
    """400 with what the parser says."""
    assert parse(text).failure().status == 400


def test_a_label_that_no_column_has_is_an_empty_text() -> None:
    """As in Prometheus; quotes in values stay values."""
    selector = Selector('u"p', (("=", "a", "it's"), ("!=", "missing", "x"), ("=~", "a", "b|c")))
    sql = sql_of(selector, {"a": ColumnType.UTF8})

    assert """coalesce(CAST("a" AS VARCHAR), '') = 'it''s\'""" in sql
    assert "'' <> 'x'" in sql
    assert "~ '^(?:b|c)$'" in sql
    assert '"u""p"' in sql


def test_rows_become_series_by_their_labels() -> None:
    """Value, time and hash are no labels; a row without a number is left out."""
    rows = [
        {"__name__": "m", "a": "x", "value": 1.0, "_timestamp": 1, "__hash__": 5},
        {"__name__": "m", "a": "y", "value": 2.0, "_timestamp": 2},
        {"__name__": "m", "a": "x", "value": 3.0, "_timestamp": 3},
    ]

    assert series_of(rows) == [
        Series({"__name__": "m", "a": "x"}, [(1, 1.0), (3, 3.0)]),
        Series({"__name__": "m", "a": "y"}, [(2, 2.0)]),
    ]


def test_a_moment_sees_the_newest_sample_of_five_minutes() -> None:
    """Later ones and older ones do not count."""
    series = [Series({"a": "x"}, [(10 * SECOND, 1.0), (20 * SECOND, 2.5)])]

    assert vector(series, 15 * SECOND) == [{"metric": {"a": "x"}, "value": [15, "1"]}]
    assert vector(series, 20 * SECOND)[0]["value"] == [20, "2.5"]
    assert vector(series, 5 * SECOND) == []
    assert vector(series, 20 * SECOND + LOOKBACK) == []


def test_a_range_sees_the_same_at_each_step() -> None:
    """Steps without a sample are left out, series without any too."""
    series = [
        Series({"a": "x"}, [(10 * SECOND, 1.0), (20 * SECOND, 2.0)]),
        Series({"a": "y"}, [(900 * SECOND, 1.0)]),
    ]
    moments = range(0, 40 * SECOND, 10 * SECOND)

    assert matrix(series, moments) == [{"metric": {"a": "x"}, "values": [[10, "1"], [20, "2"], [30, "2"]]}]
    for moment in moments:
        assert [v["value"][1] for v in vector(series, moment)] == [  # type: ignore[index]  # a list
            value
            for at, value in matrix(series, moments)[0]["values"]
            if at * SECOND == moment  # type: ignore[attr-defined]  # a list
        ]


def test_no_text_raises() -> None:
    """Whatever it is."""
    for text in ("", "\x00", "{", "é", "up{a=~'('}", "9" * 400):
        assert isinstance(parse(text), Success | Failure)
