"""Dashboards over HTTP."""

from typing import Any

PATH = "/api/default/dashboards"
BOARD = {"version": 5, "title": "CQRS commands", "description": "", "tabs": []}


async def test_a_change_needs_the_hash_of_what_it_changes(api: Any) -> None:
    """Of two who changed the same, the second is told."""
    made = (await api.http.post(PATH, json=BOARD)).json()
    path = f"{PATH}/{made['v5']['dashboardId']}"
    changed = await api.http.put(
        f"{path}?folder=default&hash={made['hash']}", json={**BOARD, "description": "1"}
    )
    stale = await api.http.put(
        f"{path}?folder=default&hash={made['hash']}", json={**BOARD, "description": "2"}
    )

    assert (changed.status_code, stale.status_code) == (200, 409)
    assert (await api.http.get(path)).json()["v5"]["description"] == "1"
    assert [(await api.http.put(f"{path}?{wrong}", json=BOARD)).status_code for wrong in ("", "hash=abc", "hash=²")] == [
        500, 500, 500,
    ]  # fmt: skip


async def test_titles_repeat_and_a_folder_lists_its_own(api: Any) -> None:
    """Without a folder, those of the default one."""
    for _ in range(2):
        await api.http.post(PATH, json=BOARD)
    listed = (await api.http.get(f"{PATH}?title=cqrs")).json()["dashboards"]

    assert [(each["title"], each["folder_id"]) for each in listed] == [("CQRS commands", "default")] * 2
    assert (await api.http.get(f"{PATH}?title=other")).json()["dashboards"] == []
    assert (await api.http.post(f"{PATH}?folder=nosuch", json=BOARD)).status_code == 404


async def test_a_dashboard_is_there_after_a_restart_until_it_is_removed(open_api: Any, tmp_path: Any) -> None:
    """With the same hash."""
    api = await open_api(directory=tmp_path / "d")
    made = (await api.http.post(PATH, json=BOARD)).json()
    path = f"{PATH}/{made['v5']['dashboardId']}"
    await api.server.close()
    again = await open_api(directory=tmp_path / "d")

    assert (await again.http.get(path)).json() == made
    assert (await again.http.delete(path)).status_code == 200
    assert [(await again.http.request(verb, path)).status_code for verb in ("GET", "DELETE")] == [404, 404]
