"""Folders of alerts and dashboards."""

from typing import Any

BASE = "/api/v2/default/folders"


async def test_a_folder_is_made_found_changed_and_removed(api: Any) -> None:
    """By id and by name; a kind has its own."""
    made = (await api.http.post(f"{BASE}/alerts", json={"name": "CQRS", "description": "d"})).json()
    path = f"{BASE}/alerts/{made['folderId']}"

    assert (
        (await api.http.get(path)).json() == made == (await api.http.get(f"{BASE}/alerts/name/CQRS")).json()
    )
    assert (await api.http.get(f"{BASE}/dashboards")).json() == {"list": []}
    assert (await api.http.put(path, json={"name": "New"})).status_code == 200
    assert [folder["name"] for folder in (await api.http.get(f"{BASE}/alerts")).json()["list"]] == ["New"]
    assert (await api.http.delete(path)).status_code == 200
    assert [(await api.http.request(verb, path, json={"name": "x"})).status_code for verb in ("GET", "PUT", "DELETE")] == [
        404, 404, 404,
    ]  # fmt: skip
    assert (await api.http.get(f"{BASE}/alerts/name/CQRS")).status_code == 404


async def test_a_name_is_taken_once(api: Any) -> None:
    """400 the second time."""
    await api.http.post(f"{BASE}/alerts", json={"name": "CQRS"})

    assert (await api.http.post(f"{BASE}/alerts", json={"name": "CQRS"})).status_code == 400
    assert (await api.http.post(f"{BASE}/alerts", json={})).status_code == 422


async def test_another_kind_is_refused(api: Any) -> None:
    """Folders hold alerts or dashboards."""
    assert (await api.http.get(f"{BASE}/reports")).status_code == 400


async def test_a_folder_in_use_stays(api: Any) -> None:
    """Until what is in it is gone."""
    folder = (await api.http.post(f"{BASE}/dashboards", json={"name": "CQRS"})).json()["folderId"]
    board = {"version": 5, "title": "t", "tabs": []}
    made = (await api.http.post(f"/api/default/dashboards?folder={folder}", json=board)).json()

    refused = await api.http.delete(f"{BASE}/dashboards/{folder}")
    assert (refused.status_code, refused.json()["message"][:26]) == (400, "Folder contains dashboards")
    await api.http.delete(f"/api/default/dashboards/{made['v5']['dashboardId']}")
    assert (await api.http.delete(f"{BASE}/dashboards/{folder}")).status_code == 200
