"""Rules that measure something, with fixed limits and with what it was some time before."""

from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.provision.alert_rule import AlertRule, Window
from cqrs_openobserve.provision.measures import error_rate_rule, hit_rate_rule, latency_rule
from cqrs_openobserve.thresholds import Threshold

TWICE = Threshold.relative(to="1d", factor=2.0)
HALF = Threshold.relative(to="1d", factor=0.5)
WINDOW = Window(10)
DAY_US = 86_400_000_000
Records = list[dict[str, object]]

RULES: dict[str, AlertRule] = {
    "errors": error_rate_rule("errors", "s", TWICE, WINDOW),
    "latency": latency_rule("latency", "s", TWICE, WINDOW),
    "hits": hit_rate_rule("hits", "s", HALF, WINDOW),
}


def records(count: int, **columns: object) -> Records:
    return [{"record": "handled", "outcome": "success", "duration_ms": 10.0, **columns} for _ in range(count)]


def errors(percent: int) -> Records:
    return [*records(percent, outcome="error"), *records(100 - percent)]


def hits(percent: int) -> Records:
    return [*records(percent, cache_status="hit"), *records(100 - percent, cache_status="miss")]


# What was a day ago, and what is now: fires, and does not.
CASES: dict[str, tuple[tuple[Records, Records], tuple[Records, Records]]] = {
    "errors": ((errors(2), errors(5)), (errors(5), errors(9))),
    "latency": ((records(30, duration_ms=40.0), records(30, duration_ms=90.0)),
                (records(30, duration_ms=90.0), records(30, duration_ms=150.0))),
    "hits": ((hits(80), hits(30)), (hits(80), hits(50))),
}  # fmt: skip


def placed(rows: Records, at: int) -> Records:
    return [{**row, "_timestamp": at - 30_000_000 + number * 1000} for number, row in enumerate(rows)]


def rows_of(site: Any, rule: AlertRule) -> list[dict[str, Any]]:
    """The rule's rows over its own window, as the server asks for them."""
    now = site.bridge.now
    body = {
        "query": {"sql": rule.sql, "start_time": now - rule.period * 60_000_000, "end_time": now + 1_000_000}
    }
    answer = site.first("POST", "/_search?type=logs", json=body).json()
    assert not answer.get("is_partial"), answer
    found: list[dict[str, Any]] = answer["hits"]
    return found


@pytest.mark.parametrize("name", list(RULES))
@pytest.mark.parametrize("widened", [False, True], ids=["clean", "widened"])
def test_a_relative_threshold_compares_with_the_same_window_a_day_before(
    make_site: Callable[..., Any], name: str, widened: Any
) -> None:
    """Twice yesterday's errors fire, less than twice does not; also on a column that became text."""
    rule, (breach, quiet) = RULES[name], CASES[name]
    for fires, (before, today) in ((True, breach), (False, quiet)):
        site = make_site(limits={"too_old_hours": 48})
        now = site.bridge.now
        site.first("POST", "/s/_json", json=[*placed(before, now - DAY_US), *placed(today, now)])
        if widened:
            site.first("POST", "/s/_json", json=[{"record": "probe", "duration_ms": "abc"}])
        rows = rows_of(site, rule)
        assert bool(rows) is fires, rows
        if fires:
            assert {"value", "value_before", "total"} <= set(rows[0])


@pytest.mark.parametrize("name", list(RULES))
def test_without_yesterday_or_without_today_there_is_nothing_to_compare(
    make_site: Callable[..., Any], name: str
) -> None:
    """Silence does not fire, nor does the first day of an app."""
    breach = CASES[name][0]
    for before, today in (([], breach[1]), (breach[0], []), (breach[0][:10], breach[1])):
        site = make_site(limits={"too_old_hours": 48})
        now = site.bridge.now
        site.first(
            "POST",
            "/s/_json",
            json=[{"record": "probe", "cache_status": "x", "outcome": "x", "duration_ms": 1.0}],
        )
        site.first("POST", "/s/_json", json=[*placed(before, now - DAY_US), *placed(today, now)])
        assert rows_of(site, RULES[name]) == []


def test_a_rule_says_what_it_compares_with() -> None:
    """In its description and in the message."""
    assert (
        RULES["errors"].description
        == "More than 2 times what it was 1d before of commands failed, within 10 minutes"
    )
    assert "{value_before} 1d before" in RULES["errors"].row
    fixed = latency_rule("l", "s", Threshold(500.0), WINDOW, what="queries")
    assert fixed.description == "More than 500 ms is the p95 of queries, within 10 minutes"
    assert (fixed.period, RULES["errors"].period) == (10, 1451)


def test_a_condition_narrows_a_rule() -> None:
    """To one message type, say."""
    rule = error_rate_rule("e", "s", Threshold(1.0), WINDOW, where="message_type = 'PlaceOrder'")
    assert "record = 'handled' AND (message_type = 'PlaceOrder')" in rule.sql


def test_what_was_yesterday_cannot_be_shown_today() -> None:
    """Servers take no records that old: a relative rule has no example; a fixed one has."""
    assert RULES["errors"].example == ()
    assert len(latency_rule("l", "s", Threshold(500.0), WINDOW).example) == 20
