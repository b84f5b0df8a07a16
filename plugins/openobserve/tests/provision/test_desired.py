"""The desired state as a value."""

from typing import Any

from cqrs_openobserve.configuration import read
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.desired import desired
from cqrs_openobserve.provision.ownership import is_ours

GIVEN: dict[str, Any] = {"url": "http://localhost:5080", "token": "a:b"}
CHANNEL = {"alert_channel": "webhook:https://hooks.example.com/a"}


def wanted(*rules: AlertRule, **given: Any) -> Any:
    return desired(read({}, GIVEN | given).unwrap(), rules)


def test_with_a_channel_everything_is_wanted() -> None:
    """In an order in which it can be made, each with the mark."""
    found = wanted(**CHANNEL)
    assert [stream.name for stream in found.streams] == [
        "cqrs_commands",
        "cqrs_queries",
        "cqrs_events",
        "cqrs_metrics",
    ]
    assert [each.subject for each in found.marked()] == [
        "folder", "folder", "template", "destination", *["alert"] * 6, *["dashboard"] * 3,
    ]  # fmt: skip
    assert all(is_ours(dict(each.body), each.subject, each.name) for each in found.marked())
    assert found.skipped == ()


def test_without_a_channel_each_rule_is_skipped_with_the_reason() -> None:
    """And nothing that only alerts need is wanted."""
    found = wanted()
    assert (found.template, found.destination, found.alerts) == (None, None, ())
    assert [each.name for each in found.folders] == ["dashboards/CQRS"]
    assert [each.name for each in found.skipped] == [rule.name for rule in found.rules]
    assert all("CQRS_ALERT_CHANNEL" in each.hint for each in found.skipped)


def test_without_metrics_nothing_reads_their_stream() -> None:
    """The rule about waiting dead letters says why it is not there."""
    found = wanted(metrics_enabled=False, **CHANNEL)
    assert "cqrs_metrics" not in {stream.name for stream in found.streams}
    assert "cqrs_dead_letter_backlog" not in {each.name for each in found.alerts}
    (skipped,) = found.skipped
    assert "OPENOBSERVE_METRICS_ENABLED" in skipped.text


def test_own_rules_stand_beside_ours() -> None:
    """With the same destination."""
    rule = AlertRule("mine", "Mine", "cqrs_commands", "SELECT 1 AS a", "{a}", 5)
    found = wanted(rule, **CHANNEL)
    assert found.alerts[-1].name == "mine"
    assert found.alerts[-1].body["destinations"] == ["cqrs_openobserve"]


def test_settings_decide_streams_thresholds_and_retention() -> None:
    """As they are named there."""
    found = wanted(
        stream_commands="My--Commands", stream_logs="app-logs", stream_retention="14", alert_command_error_rate="7",
        **CHANNEL,
    )  # fmt: skip
    assert (found.streams[0].name, found.streams[-1].name) == ("my_commands", "app_logs")
    assert {stream.retention for stream in found.streams} == {14}
    rate = found.alerts[0].body
    assert (rate["stream_name"], "> 7.0" in rate["query_condition"]["sql"]) == ("my_commands", True)
