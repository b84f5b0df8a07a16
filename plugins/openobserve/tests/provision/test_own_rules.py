"""Rules of the user's own."""

from typing import Any

import pytest
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.own_rules import own_rules
from returns.result import Failure, Success

GOOD = AlertRule("place_order_errors", "d", "cqrs_commands", "SELECT 1 AS a", "{a}", 5)


def rule(**changed: Any) -> AlertRule:
    known = {name: getattr(GOOD, name) for name in ("name", "description", "stream", "sql", "row", "period")}
    return AlertRule(**(known | changed))


def test_a_tuple_or_list_of_rules_is_taken() -> None:
    """In its order."""
    assert own_rules((GOOD, rule(name="b")), ["ours"]) == Success((GOOD, rule(name="b")))
    assert own_rules([], []) == Success(())


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("text", "is a str, not a tuple of AlertRule"),
        (GOOD, "is a AlertRule, not a tuple"),
        ((GOOD, "text"), "openobserve_alerts[1] is a str, not an AlertRule"),
        ((rule(name="a b"),), "other characters"),
        ((rule(name="x\n"),), "'x\\n' has a name"),
        ((GOOD, GOOD), "the name of another rule"),
        ((rule(name="ours"),), "the name of another rule"),
        ((rule(stream="cqrs-commands"),), "'cqrs_commands'"),
        ((rule(sql="SELECT * FROM x"),), "selects *"),
        ((rule(period=0),), "below one minute"),
        ((rule(period="5"),), "the period '5', which is no whole number of minutes"),
        ((rule(every=1.5),), "the every 1.5"),
        ((rule(silence=None),), "the silence None"),
        ((rule(name=7),), "the name 7, which is no text"),
        ((rule(sql=None),), "the sql None"),
        ((rule(stream=b"x"),), "the stream b'x'"),
        ((rule(example=7),), "an example that is no tuple"),
        ((rule(example=(7,)),), "an example that is no tuple"),
    ],
)
def test_what_a_server_would_refuse_is_told_before_anything_is_sent(value: object, says: str) -> None:
    """By the rule's name."""
    found = own_rules(value, ["ours"])
    assert isinstance(found, Failure)
    assert says in "\n".join(found.failure())


def test_everything_is_told_at_once() -> None:
    """Not one problem at a time."""
    found = own_rules((rule(name="a b", period=0), 7), [])
    assert isinstance(found, Failure)
    assert len(found.failure()) == 3
