"""``plan`` as a person runs it."""

import json
from collections.abc import Callable
from typing import Any

from click.testing import Result

Run = Callable[..., Result]


def test_a_plan_changes_nothing_and_its_exit_code_says_whether_there_is_work(
    run: Run, env: dict[str, str], local: Any
) -> None:
    """2 before init, 0 after it."""
    before = run("plan", **env)
    assert before.exit_code == 2
    assert "create     stream       cqrs_commands" in before.stdout
    assert {method for method, _ in local.asked} == {"GET"}
    assert run("init", **env).exit_code == 0
    after = run("plan", **env)
    assert (after.exit_code, "8 unchanged, 6 skipped" in after.stdout) == (0, True)


def test_json_has_the_same(run: Run, env: dict[str, str], local: Any) -> None:
    """For programs."""
    del local
    found = json.loads(run("plan", "--json", **env).stdout)
    assert found["pending"] is True
    assert {change["subject"] for change in found["changes"]} == {"stream", "folder", "alert", "dashboard"}


def test_a_field_that_somebody_changed_is_shown(run: Run, env: dict[str, str], local: Any) -> None:
    """With both values, and exit 2."""
    run("init", **env)
    key = local.request("GET", "/api/v2/default/folders/dashboards").json()["list"][0]["folderId"]
    entry = local.request("GET", f"/api/default/dashboards?folder={key}").json()["dashboards"][0]
    entry["v5"]["tabs"][0]["panels"][0]["title"] = "Mine"
    path = f"/api/default/dashboards/{entry['dashboard_id']}?folder={key}&hash={entry['hash']}"
    assert local.request("PUT", path, json=entry["v5"]).status_code == 200
    result = run("plan", **env)
    assert result.exit_code == 2
    assert 'tabs[0].panels[0].title: "Mine" -> ' in result.stdout
    assert "changed by hand" in result.stdout


def test_a_widened_column_is_named_with_types_and_way_out(run: Run, env: dict[str, str], local: Any) -> None:
    """Exit 2, though init could not mend it."""
    run("init", **env)
    local.request(
        "POST", "/api/default/cqrs_queries/_json", json=[{"record": "handled", "duration_ms": "abc"}]
    )
    result = run("plan", **env)
    assert result.exit_code == 2
    assert "duration_ms is Utf8, not Float64 since" in result.stdout
    assert "CQRS_STREAM_QUERIES" in result.stdout
