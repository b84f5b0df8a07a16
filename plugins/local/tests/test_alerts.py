"""Alerts over HTTP."""

from typing import Any

import pytest

PATH = "/api/v2/default/alerts"
SQL = "SELECT count(*) AS n FROM cqrs_commands HAVING count(*) > 0"
RULE = {
    "name": "errors", "stream_type": "logs", "stream_name": "cqrs_commands",
    "query_condition": {"type": "sql", "sql": SQL}, "destinations": ["hook"], "enabled": True,
    "trigger_condition": {"period": 5, "operator": ">=", "threshold": 1, "frequency": 1, "silence": 10},
}  # fmt: skip


@pytest.fixture
async def ready(api: Any) -> Any:
    """A server with a stream, a template and a destination that nobody listens at."""
    await api.ingest("cqrs_commands", [{"outcome": "error"}])
    template = {"name": "t", "type": "http", "body": "{alert_name}"}
    await api.http.post("/api/default/alerts/templates", json=template)
    hook = {"name": "hook", "type": "http", "url": "http://127.0.0.1:1/", "method": "post", "template": "t"}
    await api.http.post("/api/default/alerts/destinations", json=hook)
    return api


async def create(api: Any, **changed: object) -> Any:
    return await api.http.post(PATH, json={**RULE, **changed})


async def test_the_same_name_twice_is_two_alerts(ready: Any) -> None:
    """So a client has to look before it posts."""
    ids = {(await create(ready)).json()["id"] for _ in range(2)}
    listed = (await ready.http.get(PATH)).json()["list"]

    assert {entry["alert_id"] for entry in listed} == ids
    assert {entry["folder_name"] for entry in listed} == {"default"}


async def test_a_rule_that_cannot_be_planned_is_refused(ready: Any) -> None:
    """Before it is evaluated every minute: a text with thousands of operators too."""
    for sql in ("SELEC", f"SELECT {'+'.join(['n'] * 20_000)} FROM cqrs_commands"):
        answer = await create(ready, query_condition={"type": "sql", "sql": sql})

        assert (answer.status_code, "SQL error" in answer.json()["message"]) == (500, True), answer.text


async def test_an_alert_is_changed_switched_moved_and_removed(ready: Any) -> None:
    """The stream of a rule stays what it was."""
    key = (await create(ready)).json()["id"]
    folder = (await ready.http.post("/api/v2/default/folders/alerts", json={"name": "F"})).json()["folderId"]
    path = f"{PATH}/{key}"

    assert (await ready.http.put(path, json={**RULE, "description": "new"})).status_code == 200
    assert (await ready.http.patch(f"{path}/enable?value=false")).json() == {"enabled": False}
    moved = await ready.http.patch(f"{PATH}/move", json={"alert_ids": [key], "dst_folder_id": folder})
    assert moved.status_code == 200
    (entry,) = (
        await ready.http.get(f"{PATH}?folder={folder}&enabled=false&alert_name_substring=ERR")
    ).json()["list"]
    assert (entry["description"], entry["enabled"], entry["folder_name"]) == ("new", False, "F")
    assert (await ready.http.get(f"{PATH}?stream_type=logs&stream_name=other")).json()["list"] == []
    await ready.ingest("other", [{"a": 1}])
    assert (await ready.http.put(path, json={**RULE, "stream_name": "other"})).status_code == 400
    assert (await ready.http.delete(path)).status_code == 200
    assert (await ready.http.get(path)).json() == {"code": 404, "message": "Alert not found"}


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"stream_name": "nosuch"}, 404, "Stream nosuch not found"),
        ({"destinations": []}, 400, "Alert destination or workflows is required"),
        ({"destinations": ["nosuch"]}, 404, "Alert destination nosuch not found"),
        (
            {"query_condition": {"type": "sql", "sql": "SELEC"}},
            500,
            "Error resolving stream names in SQL query",
        ),
        ({"query_condition": {"type": "sql", "sql": "SELECT * FROM cqrs_commands"}}, 400, "SELECT *"),
    ],
)
async def test_an_alert_that_cannot_work_is_refused(
    ready: Any, changed: dict[str, object], status: int, said: str
) -> None:
    """Nothing is stored."""
    answer = await create(ready, **changed)

    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert (await ready.http.get(PATH)).json()["list"] == []


async def test_a_column_that_is_not_there_yet_is_no_reason(ready: Any) -> None:
    """As on the server: saved, and it does not fire."""
    sql = "SELECT count(*) AS n FROM cqrs_commands WHERE nosuch = 1 HAVING count(*) > 0"

    assert (await create(ready, query_condition={"type": "sql", "sql": sql})).status_code == 200


async def test_what_an_alert_uses_cannot_be_removed(ready: Any) -> None:
    """The user is named."""
    await create(ready)
    destination = await ready.http.delete("/api/default/alerts/destinations/hook")
    template = await ready.http.delete("/api/default/alerts/templates/t")

    assert (destination.status_code, template.status_code) == (409, 409)
    assert "errors" in destination.text


async def test_a_trigger_by_hand_tells_what_went_wrong(ready: Any) -> None:
    """500 with the destination and the reason."""
    key = (await create(ready)).json()["id"]
    answer = await ready.http.patch(f"{PATH}/{key}/trigger")

    assert answer.status_code == 500
    assert "Error sending notification for destination hook err:" in answer.json()["message"]
