"""How a plan and its steps are printed."""

import json

import orjson
from cqrs_openobserve.cli.changes import change_lines, counted, plan_document, step_lines
from cqrs_openobserve.provision.apply import Step
from cqrs_openobserve.provision.difference import Change, FieldChange, Plan

DRIFT = Change(
    "drift",
    "dashboard",
    "CQRS commands",
    (FieldChange("tabs[0].name", "Default", "Mine"),),
    "changed by hand",
)


def test_a_change_is_a_line_and_a_line_for_each_field() -> None:
    """What is there, and what is wanted."""
    assert list(change_lines(DRIFT)) == [
        "  drift      dashboard    CQRS commands  changed by hand",
        '               tabs[0].name: "Mine" -> "Default"',
    ]


def test_long_and_odd_values_are_cut_and_shown_on_one_line() -> None:
    """What somebody wrote into a dashboard does not drive the terminal."""
    change = Change(
        "update", "alert", "a", tuple(FieldChange(f"f{n}", "x" * 200, "a\x1b[31m\nb") for n in range(25))
    )
    lines = list(change_lines(change))
    assert all(line.isprintable() and len(line) < 200 for line in lines)
    assert len(lines) == 22
    assert "and 5 more fields" in lines[-1]


def test_a_step_that_failed_says_what_to_do() -> None:
    """Others need no advice."""
    assert list(step_lines(Step("alert", "a", "failed", "no", "do it"))) == [
        "  failed     alert        a  no",
        "             Fix: do it",
    ]
    assert len(list(step_lines(Step("alert", "a", "skipped", "no", "do it")))) == 1


def test_a_plan_as_json_has_everything() -> None:
    """Kind, subject, name, fields, text and hint."""
    found = json.loads(orjson.dumps(plan_document(Plan((DRIFT,)))))
    assert found["pending"] is True
    (change,) = found["changes"]
    assert {"kind", "subject", "name", "fields", "text", "hint"} <= set(change)
    assert change["fields"] == [{"path": "tabs[0].name", "wanted": "Default", "found": "Mine"}]


def test_the_last_line_counts() -> None:
    """Only what there was."""
    assert counted({"created": 2, "failed": 0, "unchanged": 1}) == "2 created, 1 unchanged"


def test_names_and_texts_of_a_server_only_show_on_a_terminal() -> None:
    """Types of columns and names of what others made, bounded, on one line, without a control character."""
    odd = "a\x1b]0;owned\x07\r\n\u202e" + "x" * 5000
    change = Change("drift", "stream", odd, text=odd, hint=odd, mended=False)
    lines = [*change_lines(change), *step_lines(Step("alert", odd, "failed", odd, odd))]
    assert len(lines) == 4
    assert all(line.isprintable() and len(line) < 800 for line in lines), lines
