"""A rule as a value and as JSON."""

from typing import Any

import pytest
from cqrs_openobserve.provision.alert_rule import AlertRule, Window
from cqrs_openobserve.provision.ownership import MARK, fingerprint

RULE = AlertRule("mine", "Mine", "cqrs_commands", "SELECT count(*) AS n FROM s HAVING count(*) > 1", "{n}", 5)


def test_the_body_has_every_key_that_a_server_requires() -> None:
    """Whole numbers where it wants them, texts in the context, the mark in the description."""
    body: Any = RULE.body(["hook"])
    trigger = body["trigger_condition"]
    assert (trigger["operator"], trigger["threshold"], trigger["frequency_type"]) == (">=", 1, "minutes")
    assert all(isinstance(trigger[name], int) for name in ("period", "threshold", "frequency", "silence"))
    assert body["query_condition"] == {"type": "sql", "sql": RULE.sql}
    assert (body["destinations"], body["enabled"]) == (["hook"], True)
    assert f"Mine ({MARK} as alert mine, {fingerprint(body)})" == body["description"]


def test_a_rule_can_be_written_switched_off() -> None:
    """Which is another content."""
    assert RULE.body(["hook"], enabled=False)["enabled"] is False
    assert fingerprint(RULE.body(["hook"], enabled=False)) != fingerprint(RULE.body(["hook"]))


@pytest.mark.parametrize(("minutes", "text"), [(1, "1 minute"), (5, "5 minutes")])
def test_a_window_in_words(minutes: int, text: str) -> None:
    """As descriptions have it."""
    assert Window(minutes).text == text
