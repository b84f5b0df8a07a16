"""Reference §7: templates, destinations, alerts."""

from collections.abc import Callable
from typing import Any

import pytest

TRIGGER = {
    "period": 5,
    "operator": ">=",
    "threshold": 1,
    "frequency": 1,
    "frequency_type": "minutes",
    "silence": 10,
}


@pytest.fixture
def rule(server: Any, stream: str, name: Callable[[], str]) -> dict[str, Any]:
    """The body of an alert over a stream that exists, with a destination that does."""
    server.status(stream, [{"outcome": "error"}])
    server.hits(f'SELECT outcome FROM "{stream}"')
    template, hook = name(), name()
    body = {"name": template, "type": "http", "title": "", "body": '{"text": "{alert_name}"}'}
    assert server.api("POST", "alerts/templates", json=body).status_code == 200
    target = {
        "name": hook,
        "type": "http",
        "url": "https://example.com/hook",
        "method": "post",
        "template": template,
    }
    answer = server.api("POST", "alerts/destinations", json=target)
    assert answer.status_code == 200, answer.text
    sql = f'SELECT count(*) AS n, max(_timestamp) AS zo_sql_max_time FROM "{stream}" HAVING count(*) > 1000'
    return {
        "name": name(), "stream_type": "logs", "stream_name": stream, "is_real_time": False, "enabled": False,
        "query_condition": {"type": "sql", "sql": sql}, "trigger_condition": TRIGGER, "destinations": [hook],
    }  # fmt: skip


def create(server: Any, rule: dict[str, Any], **changed: object) -> Any:
    return server.http.post(f"/api/v2/{server.org}/alerts", json={**rule, **changed})


def test_names_repeat(server: Any, rule: dict[str, Any]) -> None:
    """So a client has to look before it posts."""
    ids = {create(server, rule).json()["id"] for _ in range(2)}
    listed = server.http.get(f"/api/v2/{server.org}/alerts?alert_name_substring={rule['name']}").json()[
        "list"
    ]
    assert {entry["alert_id"] for entry in listed} == ids
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("changed", "old", "new"),
    [
        ({"stream_name": "contract_nosuch"}, 404, 404),
        ({"destinations": []}, 400, 400),
        ({"destinations": ["contract_nosuch"]}, 404, 404),
        ({"name": "a b"}, 400, 400),
        ({"trigger_condition": {**TRIGGER, "threshold": 1.0}}, 400, 422),
        ({"query_condition": {"type": "sql", "sql": "SELEC"}}, 500, 500),
    ],
)
def test_refusals(server: Any, rule: dict[str, Any], changed: dict[str, object], old: int, new: int) -> None:
    """With the status that clients tell them apart by."""
    assert create(server, rule, **changed).status_code == (old if server.old else new)


def test_a_star_is_refused(server: Any, rule: dict[str, Any]) -> None:
    """Anywhere in the text."""
    query = {"type": "sql", "sql": f'SELECT * FROM "{rule["stream_name"]}"'}
    assert create(server, rule, query_condition=query).status_code == 400


def test_what_is_used_stays(server: Any, rule: dict[str, Any]) -> None:
    """409 that names the user."""
    create(server, rule)
    (hook,) = rule["destinations"]
    answer = server.api("DELETE", f"alerts/destinations/{hook}")
    assert (answer.status_code, rule["name"] in answer.text) == (409, True)
    template = server.api("GET", f"alerts/destinations/{hook}").json()["template"]
    assert server.api("DELETE", f"alerts/templates/{template}").status_code == 409


def test_an_alert_is_read_switched_and_removed(server: Any, rule: dict[str, Any]) -> None:
    """By its id."""
    path = f"/api/v2/{server.org}/alerts/{create(server, rule).json()['id']}"
    assert server.http.get(path).json()["name"] == rule["name"]
    assert server.http.patch(f"{path}/enable?value=true").json() == {"enabled": True}
    assert server.http.put(path, json={**rule, "description": "changed"}).status_code == 200
    assert server.http.get(path).json()["description"] == "changed"
    assert server.http.delete(path).status_code == 200
    assert server.http.get(path).status_code == 404


def test_templates_and_destinations_have_names_of_their_own(server: Any, rule: dict[str, Any]) -> None:
    """A second one is a 400, an unknown one a 404, a name with a space a 400."""
    (hook,) = rule["destinations"]
    found = server.api("GET", f"alerts/destinations/{hook}").json()
    assert server.api("POST", "alerts/destinations", json=found).status_code == 400
    assert server.api("GET", "alerts/templates/contract_nosuch").status_code == 404
    body = {"name": "a b", "type": "http", "title": "", "body": "x"}
    assert server.api("POST", "alerts/templates", json=body).status_code == 400
