"""From two states to what is to be done."""

from typing import Any

import attrs
import pytest
from cqrs_openobserve.provision.actual import Actual, ActualStream, Found
from cqrs_openobserve.provision.desired import Desired, Skipped, Wanted
from cqrs_openobserve.provision.difference import FieldChange, field_changes, plan
from cqrs_openobserve.provision.ownership import MARK, stamped
from cqrs_openobserve.provision.streams import Stream


def body(of: str, **more: object) -> dict[str, object]:
    """The body of what is named as `alert/name`."""
    subject, _, name = of.partition("/")
    return stamped({"description": f"d ({MARK})", **more}, subject, name)


BOARD = Wanted(
    "dashboard", "A", body("dashboard/A", title="A", panels=[{"title": "x", "w": 24}]), "dashboards/CQRS"
)


def kinds(desired: Desired, *found: Found, **options: Any) -> list[tuple[str, str]]:
    return [(change.kind, change.name) for change in plan(desired, Actual(found=found), **options).changes]


@pytest.mark.parametrize(
    ("wanted", "found", "changes"),
    [
        ({"a": 1}, {"a": 1, "added_by_the_server": 2}, []),
        ({"a": None, "b": "", "c": [], "d": {}}, {}, []),
        ({"a": 0}, {}, [("a", 0, None)]),
        ({"a": False}, {}, [("a", False, None)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [("a.b[1]", 2, 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [("a[1]", None, 2)]),
        ({"a": [1, {"b": 2}]}, {"a": [1]}, [("a[1].b", 2, None)]),
        ({"a": "x"}, {"a": ["x"]}, [("a", "x", ["x"])]),
        ({"a": [{"b": 1}]}, {"a": "no"}, [("a", [{"b": 1}], "no")]),
        ({"a": f"t ({MARK} as alert n, 01234567)"}, {"a": f"t ({MARK} as alert n, 89abcdef)"}, []),
        ({"a": f"t ({MARK})"}, {"a": f"other ({MARK})"}, [("a", f"t ({MARK})", f"other ({MARK})")]),
    ],
)  # fmt: skip
def test_fields_that_differ_are_named(wanted: object, found: object, changes: list[Any]) -> None:
    """What a server adds does not count, nor does empty against absent; what is too much in a list does."""
    assert [(c.path, c.wanted, c.found) for c in field_changes(wanted, found)] == changes


def test_drift_is_what_a_hand_changed_and_an_update_what_is_wanted_anew() -> None:
    """Told apart by the fingerprint of what was made last."""
    desired = Desired(dashboards=(BOARD,))
    by_hand = {**BOARD.body, "panels": [{"title": "mine", "w": 24}]}
    (drift,) = plan(desired, Actual(found=(Found("dashboard", "1", "A", by_hand),))).changes
    assert (drift.kind, drift.key) == ("drift", "1")
    assert drift.fields == (FieldChange("panels[0].title", "x", "mine"),)
    assert "changed by hand: panels[0].title" in drift.text

    older = body("dashboard/A", title="A", panels=[])
    (update,) = plan(desired, Actual(found=(Found("dashboard", "1", "A", older),))).changes
    assert (update.kind, [field.path for field in update.fields]) == (
        "update",
        ["panels[0].title", "panels[0].w"],
    )


def test_somebody_elses_of_the_same_name_stands_beside_ours() -> None:
    """Ours is made, theirs is named and left alone; folders are shared, the rest of unique names is in the way."""
    theirs = Found("dashboard", "9", "A", {"title": "A", "description": "mine"})
    assert kinds(Desired(dashboards=(BOARD,)), theirs) == [("create", "A"), ("foreign", "A")]
    folder = Wanted("folder", "dashboards/CQRS", body("folder/dashboards/CQRS", name="CQRS"))
    assert kinds(Desired(folders=(folder,)), Found("folder", "1", "dashboards/CQRS", {"name": "CQRS"})) == [
        ("foreign", "dashboards/CQRS")
    ]


def test_a_template_that_is_in_the_way_skips_what_needs_it() -> None:
    """Alerts are not sent with somebody else's text, and what there is of them is no leftover."""
    desired = Desired(
        template=Wanted("template", "t", body("template/t")),
        destination=Wanted("destination", "d", body("destination/d")),
        alerts=(Wanted("alert", "a", body("alert/a", stream_name="s")),),
    )
    found = (
        Found("template", "t", "t", {"body": "mine"}),
        Found("alert", "1", "a", body("alert/a", stream_name="s")),
    )
    assert kinds(desired, *found, prune=True) == [("foreign", "t"), ("skipped", "d"), ("skipped", "a")]
    made = plan(desired, Actual(found=found), prune=True)
    assert not made.pending
    assert [change.name for change in made.stuck] == ["t"]


def test_a_rule_over_another_stream_is_another_rule() -> None:
    """Since the stream of a rule cannot be changed; the old one is a leftover."""
    desired = Desired(alerts=(Wanted("alert", "a", body("alert/a", stream_name="new")),))
    old = Found("alert", "1", "a", body("alert/a", stream_name="old"))
    assert kinds(desired, old) == [("create", "a"), ("skipped", "a")]
    assert kinds(desired, old, prune=True) == [("create", "a"), ("remove", "a")]


def test_leftovers_are_removed_in_an_order_in_which_they_can_be() -> None:
    """An alert before its destination, that before its template; never without --prune, never somebody else's or a copy."""
    desired = Desired(alerts=(Wanted("alert", "a", body("alert/a", stream_name="s")),))
    left = [
        Found(subject, "1", f"old {subject}", body(f"{subject}/old {subject}"))
        for subject in ("template", "destination", "alert", "dashboard")
    ]
    theirs = Found("alert", "2", "old alert", {"description": "mine"})
    copies = [attrs.evolve(each, key="3", name=f"copy of {each.name}") for each in left]
    theirs_too = Found("destination", "oncall", "oncall", {"type": "email", "template": "cqrs_openobserve"})
    removed = [
        name
        for kind, name in kinds(desired, *left, theirs, theirs_too, *copies, prune=True)
        if kind == "remove"
    ]
    assert removed == ["old alert", "old dashboard", "old destination", "old template"]
    assert [kind for kind, _ in kinds(desired, *left, theirs, theirs_too, *copies)] == [
        "create",
        *["skipped"] * 4,
    ]


def test_without_alerts_those_that_are_there_are_left_alone() -> None:
    """To set no channel is not to say that they should go."""
    skipped = Skipped("alert", "a", "no channel", "set it")
    found = Found("alert", "1", "a", body("alert/a"))
    assert kinds(Desired(skipped=(skipped,)), found, prune=True) == [("skipped", "a")]


def test_the_address_of_a_destination_is_masked() -> None:
    """In both fields."""
    wanted = Wanted("destination", "d", body("destination/d", url="https://h/canary-1"))
    found = Found("destination", "d", "d", body("destination/d", url="https://h/canary-2"))
    (change,) = plan(Desired(destination=wanted), Actual(found=(found,))).changes
    assert change.kind == "update"
    assert "canary" not in repr(change)
    assert change.fields[0].path == "url"


def test_streams_lack_columns_and_settings_or_are_stuck() -> None:
    """What is missing is pending; a widened column is told with the way out, and no plan mends it."""
    from cqrs_openobserve.columns import columns_of

    stream = Stream("s", "command", columns_of("command"), retention=7)
    schema: dict[str, str] = {column.name: column.type for column in stream.columns}
    whole = {"index_fields": list(stream.indexed), "data_retention": 7}
    desired = Desired(streams=(stream,))
    assert plan(desired, Actual()).changes[0].kind == "create"
    assert plan(desired, Actual((ActualStream("s", schema, whole),))).changes[0].kind == "unchanged"

    lacking = {name: kind for name, kind in schema.items() if name != "outcome"}
    (change,) = plan(desired, Actual((ActualStream("s", lacking, {}),))).changes
    assert [field.path for field in change.fields] == [
        "columns.outcome", "settings.index_fields", "settings.data_retention",
    ]  # fmt: skip

    widened = ActualStream(
        "s", schema | {"duration_ms": "Utf8"}, whole, {"duration_ms": 1_700_000_000_000_000}
    )
    found = plan(desired, Actual((widened,)))
    assert not found.pending
    assert found.stuck[0].text.startswith("duration_ms is Utf8, not Float64 since 2023-11-14T22:13:20Z")
