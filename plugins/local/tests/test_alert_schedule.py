"""Evaluating alerts."""

from typing import Any

import pytest
from cqrs_local.alert_schedule import Schedule
from cqrs_local.webhook import Message

MINUTE_NS = 60_000_000_000
SQL = (
    "SELECT sum(CASE WHEN outcome = 'error' THEN 1 ELSE 0 END) * 100.0 / count(*) AS rate FROM cqrs_commands "
    "HAVING count(*) >= 2 AND sum(CASE WHEN outcome = 'error' THEN 1 ELSE 0 END) * 100.0 / count(*) > 10.0"
)
RULE = {
    "name": "rate", "stream_type": "logs", "stream_name": "cqrs_commands", "row_template": "{rate}",
    "query_condition": {"type": "sql", "sql": SQL}, "destinations": ["hook"], "enabled": True,
    "trigger_condition": {"period": 5, "operator": ">=", "threshold": 1, "frequency": 1, "silence": 10},
}  # fmt: skip


class Sent:
    """Takes messages instead of the network."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.problem = ""

    def __call__(self, message: Message) -> str:
        """Keep the text; say what the test wants said."""
        self.bodies.append(message.body)
        return self.problem


@pytest.fixture
async def world(open_api: Any, clock: Any) -> tuple[Any, Any, Sent, Schedule]:
    """A server with one alert, a clock to move, and its schedule, run by hand."""
    api = await open_api(clock=clock)
    await api.ingest("cqrs_commands", [{"outcome": "success"}])
    await api.http.post(
        "/api/default/alerts/templates", json={"name": "t", "type": "http", "body": "{alert_name} {rows}"}
    )
    hook = {"name": "hook", "type": "http", "url": "http://127.0.0.1:1/", "method": "post", "template": "t"}
    await api.http.post("/api/default/alerts/destinations", json=hook)
    assert (await api.http.post("/api/v2/default/alerts", json=RULE)).status_code == 200
    sent = Sent()
    return api, clock, sent, Schedule(api.server._backend, 1.0, sent)


async def listed(api: Any) -> dict[str, Any]:
    (entry,) = (await api.http.get("/api/v2/default/alerts")).json()["list"]
    found: dict[str, Any] = entry
    return found


async def test_a_breach_is_sent_once_until_the_silence_ends(world: Any) -> None:
    """Nothing on silence, one message on a breach, the next one ten minutes later."""
    api, clock, sent, schedule = world
    await schedule.run_due()
    assert sent.bodies == []
    clock.now += MINUTE_NS
    await api.ingest("cqrs_commands", [{"outcome": "error"}])
    clock.now += 1_000_000
    for _ in range(2):
        await schedule.run_due()
    assert sent.bodies == ["rate 50.0"]
    assert (await listed(api))["last_satisfied_at"] == clock.now // 1000
    for _ in range(10):
        clock.now += MINUTE_NS
        await api.ingest("cqrs_commands", [{"outcome": "error"}])
        clock.now += 1_000_000
        await schedule.run_due()
    assert len(sent.bodies) == 2


async def test_what_was_not_delivered_is_sent_again(world: Any) -> None:
    """A minute later, not after the silence; the list of alerts says why."""
    api, clock, sent, schedule = world
    sent.problem = "refused"
    await api.ingest("cqrs_commands", [{"outcome": "error"}])
    clock.now += 1_000_000
    await schedule.run_due()
    clock.now += MINUTE_NS
    sent.problem = ""
    await schedule.run_due()

    assert len(sent.bodies) == 2
    history = api.server._backend.documents.everywhere("alert_states")[0][2]["history"]
    assert [(entry["delivered"], entry["error"]) for entry in history] == [
        (False, "destination hook err: refused"), (True, ""),
    ]  # fmt: skip


async def test_a_query_that_fails_fires_nothing_and_is_remembered(world: Any) -> None:
    """A column that was widened by a stray value, as on the server."""
    api, clock, sent, schedule = world
    alert = await listed(api)
    sql = (
        "SELECT approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY d) AS p, count(*) AS n FROM cqrs_commands"
    )
    changed = {**RULE, "query_condition": {"type": "sql", "sql": sql}}
    await api.http.put(f"/api/v2/default/alerts/{alert['alert_id']}", json=changed)
    await api.ingest("cqrs_commands", [{"d": 1.5}, {"d": "abc"}])
    clock.now += 1_000_000
    await schedule.run_due()
    state = api.server._backend.documents.everywhere("alert_states")[0][2]

    assert sent.bodies == []
    assert "20008" in state["error"]


async def test_a_disabled_alert_rests(world: Any) -> None:
    """It is not even evaluated."""
    api, clock, sent, schedule = world
    await api.http.patch(f"/api/v2/default/alerts/{(await listed(api))['alert_id']}/enable?value=false")
    await api.ingest("cqrs_commands", [{"outcome": "error"}])
    clock.now += 1_000_000
    await schedule.run_due()

    assert (sent.bodies, api.server._backend.documents.everywhere("alert_states")) == ([], [])


async def test_the_server_evaluates_by_itself(open_api: Any, until: Any) -> None:
    """Without anybody asking."""
    from cqrs_local.limits import Limits

    api = await open_api(limits=Limits(alert_seconds=0.01))
    await api.ingest("cqrs_commands", [{"outcome": "success"}])
    await api.http.post("/api/default/alerts/templates", json={"name": "t", "type": "http", "body": "x"})
    hook = {"name": "hook", "type": "http", "url": "http://127.0.0.1:1/", "method": "post", "template": "t"}
    await api.http.post("/api/default/alerts/destinations", json=hook)
    await api.http.post("/api/v2/default/alerts", json=RULE)

    await until(lambda: api.server._backend.documents.everywhere("alert_states") != [])
