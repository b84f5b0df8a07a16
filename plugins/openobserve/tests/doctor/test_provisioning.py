"""What is not as the plan wants it: from changes to lines."""

from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.configuration import read
from cqrs_openobserve.doctor.provisioning import judge, look
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.provision.difference import Change, FieldChange, Plan
from cqrs_openobserve.provision.server import Refusal


def said(*changes: Change) -> list[tuple[str, str, str]]:
    return [(line.name, line.status, line.text) for line in judge(Plan(changes))]


def test_what_is_as_it_should_be_is_counted() -> None:
    """One line for all streams, alerts and dashboards."""
    same = [Change("unchanged", subject, f"{n}") for subject in ("alert", "dashboard") for n in range(2)]
    assert said(*same, Change("unchanged", "folder", "dashboards/CQRS")) == [
        ("alerts", "ok", "2 of 2 alerts equal the plan and are enabled"),
        ("dashboards", "ok", "2 of 2 dashboards equal the plan"),
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change("create", "alert", "late"), ("late", "fail", "the alert late does not exist")),
        (Change("create", "dashboard", "Board"), ("Board", "warn", "the dashboard Board does not exist")),
        (
            Change(
                "drift",
                "alert",
                "late",
                (FieldChange("enabled", wanted=True, found=False),),
                "changed by hand: enabled",
            ),
            ("late", "fail", "the alert late is disabled, so it never fires"),
        ),
        (
            Change("update", "dashboard", "Board", (FieldChange("title", 1, 2),), "differs: title"),
            ("Board", "warn", "the dashboard Board differs: title"),
        ),
        (
            Change("drift", "stream", "s", text="d is Utf8, not Float64", hint="delete it.", mended=False),
            ("s", "fail", "column types of s conflict: d is Utf8, not Float64"),
        ),
        (
            Change("foreign", "template", "t", text="somebody else's", mended=False),
            ("t", "fail", "the template t: somebody else's, so there are no alerts"),
        ),
        (Change("create", "alert", "a\x1b[2J"), ("a [2J", "fail", "the alert a [2J does not exist")),
    ],
    ids=["no alert", "no dashboard", "disabled", "differs", "conflict", "foreign", "escape"],
)
def test_what_is_not_is_told(change: Change, told: tuple[str, str, str]) -> None:
    """An alert that cannot fire is a failure, what only looks different a warning; each with what mends it."""
    assert said(change) == [told]
    assert all(line.fix for line in judge(Plan((change,))))


@pytest.mark.parametrize(
    "change",
    [
        Change("create", "stream", "s"),
        Change("foreign", "dashboard", "Board", text="somebody else's"),
        Change("unchanged", "template", "t"),
    ],
    ids=["stream", "foreign", "same"],
)
def test_what_is_told_elsewhere_or_is_nobodys_trouble_is_not_told(change: Change) -> None:
    """A missing stream stands in its own section; somebody else's dashboard of the same title is theirs."""
    assert said(change) == []


def test_what_is_skipped_for_one_reason_is_one_line() -> None:
    """With how to get it."""
    skipped = [Change("skipped", "alert", name, text="no channel", hint="set one.") for name in ("a", "b")]
    (line,) = judge(Plan(tuple(skipped)))
    assert (line.name, line.status) == ("skipped alerts", "warn")
    assert (line.text, line.fix) == ("a, b: no channel", "set one.")


def test_a_state_that_cannot_be_told_is_a_warning() -> None:
    """Not taken for the right one."""
    (line,) = judge(Refusal("the server answered 500", "look."))
    assert (line.status, line.fix) == ("warn", "look.")


def test_a_plan_is_made_and_nothing_else(
    start: Callable[[str], Any], env_of: Callable[[Any], dict[str, str]], live_version: str
) -> None:
    """Before init everything is to be created, and still is afterwards."""
    live = start(live_version)
    configuration = read(env_of(live)).unwrap()
    client = client_of(configuration, configuration.admin)
    first, second = look(configuration, client), look(configuration, client)
    client.close()
    assert isinstance(first, Plan)
    assert first.pending
    assert first == second
