"""The text that an alert sends."""

import json

from cqrs_local.alert_messages import Occasion, row_texts, text_for

RULE = {
    "name": "errors", "stream_type": "logs", "stream_name": "cqrs_commands", "row_template": "{type}: {n}",
    "context_attributes": {"component": "cqrs"},
    "trigger_condition": {"period": 5, "operator": ">=", "threshold": 1},
}  # fmt: skip
ROWS = [{"type": 'say "hi"', "n": 3, "zo_sql_min_time": 1_000_000}, {"type": "b", "n": 4.5}]


def occasion(**changed: object) -> Occasion:
    rule = {**RULE, **changed}
    return Occasion("default", rule, ROWS, 0, 60_000_000, 90_000_000, "http://server/#alerts/1")


def test_a_json_template_stays_json_whatever_the_rows_hold() -> None:
    """Quotes and line ends of values are escaped."""
    template = '{"alert": "{alert_name}", "rows": "{rows}", "count": {alert_count}, "on": "{component} {stream_name}"}'

    assert json.loads(text_for(template, occasion())) == {
        "alert": "errors", "rows": 'say "hi": 3\nb: 4.5', "count": 2, "on": "cqrs cqrs_commands",
    }  # fmt: skip


def test_a_plain_template_takes_values_as_they_are() -> None:
    """Columns of the rows, times, what is compared, and a bounded number of rows."""
    template = "{type}|{n}|{rows:1}|{alert_period}{alert_operator}{alert_threshold}|{alert_url}|{alert_trigger_time_seconds}"

    assert text_for(template, occasion()) == 'say "hi", b|3, 4.5|say "hi": 3|5>=1|http://server/#alerts/1|90'


def test_unknown_variables_stay_and_rows_need_a_template() -> None:
    """As on the server: `{rows}` is empty without a row template."""
    assert text_for("{nosuch} {rows}.", occasion(row_template="")) == "{nosuch} ."
    assert row_texts(occasion(row_template="{nosuch}")) == ["{nosuch}", "{nosuch}"]


def test_times_come_from_the_rows_if_they_name_them() -> None:
    """Else from the time range of the query."""
    assert (
        text_for("{alert_start_time} {alert_end_time}", occasion())
        == "1970-01-01T00:00:01 1970-01-01T00:01:00"
    )
