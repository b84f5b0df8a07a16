"""Reference §8: dashboards."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

FILTER = {"filterType": "group", "logicalOperator": "AND", "conditions": []}
FIELDS = {"stream": "s", "stream_type": "logs", "x": [], "y": [], "z": [], "breakdown": [], "filter": FILTER}
PANEL = {
    "id": "p", "type": "metric", "title": "t", "description": "", "config": {"show_legends": False},
    "queryType": "sql", "layout": {"x": 0, "y": 0, "w": 12, "h": 6, "i": 1},
    "queries": [{"query": "SELECT 1", "customQuery": True, "fields": FIELDS, "config": {"promql_legend": ""}}],
}  # fmt: skip


@pytest.fixture
def board(name: Callable[[], str]) -> dict[str, Any]:
    """A dashboard with a panel."""
    tab = {"tabId": "d", "name": "D", "panels": [PANEL]}
    return {
        "version": 5,
        "title": name(),
        "description": "",
        "tabs": [tab],
        "variables": {"list": [], "showDynamicFilters": True},
    }


def with_panel(board: dict[str, Any], panel: dict[str, object]) -> dict[str, Any]:
    return {**board, "tabs": [{**board["tabs"][0], "panels": [panel]}]}


def test_a_change_needs_the_hash(server: Any, board: dict[str, Any]) -> None:
    """Stale: 409; none or letters: 500."""
    made = server.api("POST", "dashboards", json=board).json()
    path = f"dashboards/{made['v5']['dashboardId']}?folder=default"
    assert server.api("GET", path).json()["hash"] == made["hash"]
    changed = {**board, "description": "changed"}
    assert server.api("PUT", f"{path}&hash={made['hash']}", json=changed).status_code == 200
    assert server.api("PUT", f"{path}&hash={made['hash']}", json=board).status_code == 409
    assert server.api("PUT", path, json=board).status_code == 500
    assert server.api("PUT", f"{path}&hash=abc", json=board).status_code == 500


def test_titles_repeat(server: Any, board: dict[str, Any]) -> None:
    """So a client has to look before it posts."""
    ids = {server.api("POST", "dashboards", json=board).json()["v5"]["dashboardId"] for _ in range(2)}
    listed = server.api("GET", f"dashboards?folder=default&title={board['title']}").json()["dashboards"]
    assert {entry["dashboard_id"] for entry in listed} == ids


@pytest.mark.parametrize("missing", ["id", "type", "title", "description", "config", "queries", "layout"])
def test_required_keys_of_a_panel(server: Any, board: dict[str, Any], missing: str) -> None:
    """400, newer 422."""
    panel = {key: value for key, value in PANEL.items() if key != missing}
    answer = server.api("POST", "dashboards", json=with_panel(board, panel))
    assert answer.status_code == (400 if server.old else 422), answer.text


@pytest.mark.parametrize(
    "path",
    [
        "tabs.0.tabId", "tabs.0.name",
        "panel.config.show_legends",
        "panel.queries.0.customQuery", "panel.queries.0.fields", "panel.queries.0.config",
        "panel.queries.0.config.promql_legend",
        *(f"panel.queries.0.fields.{key}" for key in ("stream", "stream_type", "x", "y", "filter")),
        *(f"panel.queries.0.fields.x.0.{key}" for key in ("label", "alias", "column")),
        *(f"panel.queries.0.fields.filter.{key}" for key in ("filterType", "logicalOperator", "conditions")),
    ],
)  # fmt: skip
def test_required_keys_further_in(server: Any, board: dict[str, Any], path: str) -> None:
    """Of a tab, a query, an axis, a filter: each one alone is missed."""
    body = copy.deepcopy(board)
    body["tabs"][0]["panels"][0]["queries"][0]["fields"]["x"] = [{"label": "l", "alias": "a", "column": "c"}]
    assert server.api("POST", "dashboards", json=body).status_code == 200
    *parents, last = path.replace("panel", "tabs.0.panels.0").split(".")
    place: Any = body
    for part in parents:
        place = place[int(part) if part.isdecimal() else part]
    del place[last]
    answer = server.api("POST", "dashboards", json=body)
    assert answer.status_code == (400 if server.old else 422), answer.text


def test_what_is_not_known_is_ignored(server: Any, board: dict[str, Any]) -> None:
    """A key of a later version does no harm; a title that is null or a list as a variable's value does."""
    wrong = 400 if server.old else 422
    panel = {**PANEL, "later": 1}
    variable = {"type": "custom", "name": "v", "label": "v", "value": ["a"], "options": []}
    assert server.api("POST", "dashboards", json=with_panel({**board, "later": 1}, panel)).status_code == 200
    assert server.api("POST", "dashboards", json={**board, "title": None}).status_code == wrong
    listed = {**board, "variables": {"list": [variable], "showDynamicFilters": True}}
    assert server.api("POST", "dashboards", json=listed).status_code == wrong


def test_an_axis_of_version_8_needs_no_column(server: Any, board: dict[str, Any]) -> None:
    """Where that version is known."""
    axis = {**FIELDS, "x": [{"label": "l", "alias": "a"}]}
    queries = [{**PANEL["queries"][0], "fields": axis}]  # type: ignore[index]  # a list of one query
    body = with_panel({**board, "version": 8}, {**PANEL, "queries": queries})
    assert server.api("POST", "dashboards", json=body).status_code == (400 if server.old else 200)


def test_a_dashboard_stays_in_its_folder(server: Any, board: dict[str, Any]) -> None:
    """A change that names another one is a 500 on old versions, a 404 on new ones."""
    made = server.api("POST", "dashboards", json=board).json()
    path = f"dashboards/{made['v5']['dashboardId']}?folder=nosuch&hash={made['hash']}"
    assert server.api("PUT", path, json=board).status_code == (500 if server.old else 404)


def test_other_refusals(server: Any, board: dict[str, Any]) -> None:
    """No title, an unknown folder, a layout with fractions, a version that is not known."""
    wrong = 400 if server.old else 422
    fraction = with_panel(board, {**PANEL, "layout": {"x": 1.5}})
    assert server.api("POST", "dashboards", json={**board, "title": ""}).status_code == 500
    assert server.api("POST", "dashboards?folder=nosuch", json=board).status_code == 404
    assert server.api("POST", "dashboards", json=fraction).status_code == wrong
    assert server.api("POST", "dashboards", json={**board, "version": 8}).status_code == (
        400 if server.old else 200
    )


def test_a_dashboard_goes(server: Any, board: dict[str, Any]) -> None:
    """And is 404 then."""
    path = f"dashboards/{server.api('POST', 'dashboards', json=board).json()['v5']['dashboardId']}"
    assert [server.api("DELETE", path).status_code for _ in range(2)] == [200, 404]
    assert server.api("GET", path).status_code == 404


def test_folders(server: Any, name: Callable[[], str]) -> None:
    """Found by name; a second one of the name is a 400; one that is not empty stays."""
    base, folder = f"/api/v2/{server.org}/folders/dashboards", {"name": name(), "description": ""}
    key = server.http.post(base, json=folder).json()["folderId"]
    assert server.http.post(base, json=folder).status_code == 400
    assert server.http.get(f"{base}/name/{folder['name']}").json()["folderId"] == key
    body = {"version": 5, "title": name(), "description": "", "tabs": []}
    made = server.api("POST", f"dashboards?folder={key}", json=body).json()["v5"]["dashboardId"]
    assert server.http.delete(f"{base}/{key}").status_code == 400
    server.api("DELETE", f"dashboards/{made}")
    assert server.http.delete(f"{base}/{key}").status_code == 200
