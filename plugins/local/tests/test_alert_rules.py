"""What an alert must hold."""

from typing import Any

import pytest
from cqrs_local.alert_rules import check_query, rule_of
from cqrs_local.answers import RefusedError
from cqrs_local.emulation import Emulation

TRIGGER = {
    "period": 5,
    "operator": ">=",
    "threshold": 1,
    "frequency": 1,
    "frequency_type": "minutes",
    "silence": 10,
}
QUERY = {"type": "sql", "sql": "SELECT count(*) AS n FROM s"}
GOOD = {
    "name": "a",
    "stream_name": "s",
    "query_condition": QUERY,
    "trigger_condition": TRIGGER,
    "destinations": ["d"],
}


def test_what_is_left_out_has_the_values_of_the_server() -> None:
    """Off unless it says on; a trigger that says little fires on no rows."""
    rule: Any = rule_of({**GOOD, "trigger_condition": {"period": 5}}, Emulation.NEWEST)

    assert (rule["enabled"], rule["stream_type"], rule["is_real_time"], rule["workflows"]) == (
        False,
        "logs",
        False,
        [],
    )
    assert (rule["trigger_condition"]["operator"], rule["trigger_condition"]["threshold"]) == ("=", 0)
    assert "workflows" not in rule_of(GOOD, Emulation.V0_16)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "a b"}, 400),
        ({"name": "a/b"}, 400),
        ({"destinations": None}, 422),
        ({"destinations": [1]}, 422),
        ({"trigger_condition": None}, 422),
        ({"trigger_condition": {}}, 422),
        ({"trigger_condition": {**TRIGGER, "threshold": 1.0}}, 422),
        ({"trigger_condition": {**TRIGGER, "threshold": True}}, 422),
        ({"trigger_condition": {**TRIGGER, "operator": "=="}}, 422),
        ({"trigger_condition": {**TRIGGER, "operator": "Contains"}}, 400),
        ({"trigger_condition": {**TRIGGER, "frequency_type": "cron", "cron": "* * * * * *"}}, 400),
        ({"trigger_condition": {**TRIGGER, "frequency_type": "hours"}}, 422),
        ({"trigger_condition": {**TRIGGER, "period": 0}}, 400),
        ({"context_attributes": {"a": 1}}, 422),
        ({"is_real_time": True}, 400),
        ({"query_condition": {"type": "promql", "promql": "up"}}, 400),
        ({"query_condition": {"type": "custom"}}, 400),
        ({"query_condition": {**QUERY, "vrl_function": "x"}}, 400),
        ({"query_condition": {**QUERY, "sql": " "}}, 400),
    ],
)
def test_what_would_never_fire_is_refused(wrong: dict[str, object], status: int) -> None:
    """What the server refuses, with its status; what is not evaluated here, with the reason."""
    with pytest.raises(RefusedError) as refused:
        rule_of({**GOOD, **wrong}, Emulation.NEWEST)

    assert refused.value.answer.status == status, refused.value.answer.body


@pytest.mark.parametrize("sql", ["SELECT * FROM s", "select\n* from s", "SELECT n FROM (SELECT  * FROM s)"])
def test_a_star_is_refused_wherever_it_is(sql: str) -> None:
    """As on the server, by the text alone."""
    with pytest.raises(RefusedError):
        check_query(rule_of({**GOOD, "query_condition": {**QUERY, "sql": sql}}, Emulation.NEWEST))
