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
        ({"trigger_condition": {**TRIGGER, "threshold": 0.5}}, 400, 422),
        ({"trigger_condition": {**TRIGGER, "operator": "=="}}, 400, 422),
        ({"trigger_condition": {**TRIGGER, "frequency_type": "hours"}}, 400, 422),
        ({"context_attributes": {"component": 1}}, 400, 422),
        ({"destinations": None}, 400, 422),
    ],
)
def test_refusals(server: Any, rule: dict[str, Any], changed: dict[str, object], old: int, new: int) -> None:
    """With the status that clients tell them apart by."""
    assert create(server, rule, **changed).status_code == (old if server.old else new)


def test_an_alert_is_off_unless_it_says_otherwise(server: Any, rule: dict[str, Any]) -> None:
    """A client has to say so."""
    made = create(server, {key: value for key, value in rule.items() if key != "enabled"}).json()["id"]
    assert server.http.get(f"/api/v2/{server.org}/alerts/{made}").json()["enabled"] is False


def test_a_column_that_no_record_has_is_not_missed(server: Any, rule: dict[str, Any]) -> None:
    """Saved, and never fires: streams are created with all their columns first."""
    sql = f'SELECT count(*) AS n, max(nofield) AS m FROM "{rule["stream_name"]}" HAVING max(nofield) > 1'
    assert create(server, rule, query_condition={"type": "sql", "sql": sql}).status_code == 200


def test_an_id_that_is_none_is_a_404(server: Any) -> None:
    """Text on old versions, JSON on new ones."""
    answer = server.http.get(f"/api/v2/{server.org}/alerts/nosuch")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (
        404, "text/plain" if server.old else "application/json",
    )  # fmt: skip


def test_a_destination_needs_a_template(server: Any, name: Callable[[], str]) -> None:
    """None: a pipeline's on old versions, 400 on new ones; an unknown one: the other way round, 500."""
    body = {"type": "http", "url": "https://example.com/hook", "method": "post", "headers": {}, "emails": []}
    without = server.api("POST", "alerts/destinations", json={**body, "name": name()}).status_code
    unknown = server.api("POST", "alerts/destinations", json={**body, "name": name(), "template": "nosuch"})
    assert (without, unknown.status_code) == ((200, 500) if server.old else (400, 200))


RATE = "sum(CASE WHEN outcome = 'error' THEN 1 ELSE 0 END) * 100.0 / count(*)"
HITS = "sum(CASE WHEN cache_status = 'hit' THEN 1 ELSE 0 END) * 100.0 / count(*)"
VERDICTS = {
    "error rate": ("", f"count(*) >= 20 AND {RATE} > 1.0", {"outcome": "error"}, {"outcome": "success"}),
    "p95": (
        "", 'approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY "duration_ms") > 500',
        {"duration_ms": 900.0}, {"duration_ms": 9.0},
    ),
    "hit rate": (
        "WHERE cache_status IN ('hit','miss')", f"count(*) >= 20 AND {HITS} < 50.0",
        {"cache_status": "miss"}, {"cache_status": "hit"},
    ),
    "dead letters": (
        "WHERE outcome = 'dead_letter'", "count(*) > 0", {"outcome": "dead_letter"}, {"outcome": "success"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("given", VERDICTS)
def test_verdicts(server: Any, stream: str, given: str) -> None:
    """§7.3: a row for a breach, none for quiet records, none for no records."""
    where, having, breach, quiet = VERDICTS[given]
    fields = [{"name": "outcome", "type": "Utf8"}, {"name": "cache_status", "type": "Utf8"},
              {"name": "duration_ms", "type": "Float64"}]  # fmt: skip
    rows = {}
    for kind, record in ("empty", None), ("quiet", quiet), ("breach", breach):
        name = f"{stream}_{kind}"
        server.api("POST", f"streams/{name}?type=logs", json={"fields": fields, "settings": {}})
        if record is not None:
            assert server.status(name, [record] * 25)["successful"] == 25
            assert len(server.hits(f'SELECT _timestamp FROM "{name}"', rows=25)) == 25
        sql = (
            f'SELECT count(*) AS n, max(_timestamp) AS zo_sql_max_time FROM "{name}" {where} HAVING {having}'
        )
        answer = server.search(sql).json()
        rows[kind] = len(answer.get("hits", [])) if not answer.get("function_error") else answer
    assert rows == {"empty": 0, "quiet": 0, "breach": 1}


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
