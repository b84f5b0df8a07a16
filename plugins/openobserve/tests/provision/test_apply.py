"""Brings a server into the desired state, whatever is there and wherever it was stopped."""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.configuration import read
from cqrs_openobserve.provision.actual import Actual, read_actual
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.apply import Step, apply
from cqrs_openobserve.provision.dashboards import Dashboard
from cqrs_openobserve.provision.desired import desired
from cqrs_openobserve.provision.difference import plan
from cqrs_openobserve.provision.messages import DESTINATION
from cqrs_openobserve.provision.ownership import MARK
from cqrs_openobserve.provision.server import Refusal
from cqrs_openobserve.testing import Reply

CHANNEL = "webhook:https://hooks.example.com/canary-T0123"
HEAVY = bool(os.environ.get("FAULTS_HEAVY"))
SUBJECTS = {"stream": 4, "folder": 2, "template": 1, "destination": 1, "alert": 6, "dashboard": 3}


def did(steps: list[Step]) -> Counter[tuple[str, str]]:
    return Counter((step.subject, step.did) for step in steps)


def wrote(site: Any) -> list[tuple[str, str]]:
    return [
        (method, path)
        for method, path in site.bridge.asked
        if method != "GET" and not path.endswith("_search")
    ]


def board(site: Any, title: str = "CQRS commands") -> tuple[str, Any]:
    """Path of a dashboard of ours for a change, and its content."""
    key = next(
        f["folderId"] for f in site.second("GET", "/folders/dashboards").json()["list"] if f["name"] == "CQRS"
    )
    listed = site.first("GET", f"/dashboards?folder={key}").json()["dashboards"]
    found = next(entry for entry in listed if entry["title"] == title and MARK in entry["v5"]["description"])
    return f"/dashboards/{found['dashboard_id']}?folder={key}&hash={found['hash']}", found["v5"]


def test_an_empty_server_gets_everything_once(site: Any) -> None:
    """A step each; again: all unchanged, and not one writing request."""
    steps = site.init()
    assert did(steps) == {(subject, "created"): count for subject, count in SUBJECTS.items()}
    state = site.state()
    assert len(state["alerts"]) == 6
    assert all(alert["enabled"] and alert["folder"] == "CQRS" for alert in state["alerts"])
    assert {title for _, title, _, _ in state["dashboards"]} == {
        "CQRS commands",
        "CQRS queries",
        "CQRS events",
    }
    assert set(state["streams"]["cqrs_metrics"][1]) >= {"record", "metric_name", "service_name"}

    site.bridge.asked.clear()
    assert did(site.init()) == {(subject, "unchanged"): count for subject, count in SUBJECTS.items()}
    assert wrote(site) == []
    assert site.state() == state
    assert not site.plan().pending


def test_an_app_that_ran_before_is_completed(site: Any) -> None:
    """The streams that its records made get what they lack; the probes count nowhere."""
    row = {
        "record": "handled",
        "outcome": "success",
        "duration_ms": 1.5,
        "message_type": "A",
        "service_name": "s",
    }
    for stream in ("cqrs_commands", "cqrs_metrics"):
        site.first("POST", f"/{stream}/_json", json=[row])
    steps = {step.name: step for step in site.init()}
    assert steps["cqrs_commands"].did == "changed"
    assert "error_type" in steps["cqrs_commands"].text
    assert "indexed record, message_type, service_name" in steps["cqrs_commands"].text
    assert steps["cqrs_metrics"].did == "changed"
    assert not site.plan().pending
    handled = site.first("POST", "/_search?type=logs", json={"query": {
        "sql": "SELECT count(*) AS n FROM \"cqrs_commands\" WHERE record = 'handled'",
        "start_time": site.bridge.now - 10**9, "end_time": site.bridge.now + 10**9}}).json()["hits"]  # fmt: skip
    assert handled == [{"n": 1}]


def test_the_log_stream_is_made_if_it_is_named(make_site: Callable[..., Any]) -> None:
    """Also completed, if the app's own lines made it."""
    site = make_site(stream_logs="app-logs", stream_retention="7")
    site.first("POST", "/app_logs/_json", json=[{"message": "hello", "level": "INFO"}])
    steps = {step.name: step for step in site.init()}
    assert steps["app_logs"].did == "changed"
    assert "kept for 7 days" in steps["app_logs"].text
    assert did(site.init())["stream", "unchanged"] == 5


def test_a_panel_changed_by_hand_is_one_field_of_drift(site: Any) -> None:
    """Named exactly, and mended."""
    site.init()
    path, content = board(site)
    content["tabs"][0]["panels"][2]["title"] = "Mine"
    assert site.first("PUT", path, json=content).status_code == 200

    changed = [change for change in site.plan().changes if change.kind != "unchanged"]
    ((change,), (field,)) = changed, changed[0].fields
    assert (change.kind, change.subject, change.name) == ("drift", "dashboard", "CQRS commands")
    assert (field.path, field.found) == ("tabs[0].panels[2].title", "Mine")
    assert site.plan().pending

    assert did(site.init())["dashboard", "changed"] == 1
    assert not site.plan().pending


def test_an_alert_that_was_switched_off_or_bent_is_drift(site: Any) -> None:
    """And another threshold in the settings is an update."""
    site.init()
    key = site.second("GET", "/alerts?alert_name_substring=p95").json()["list"][0]["alert_id"]
    site.second("PATCH", f"/alerts/{key}/enable?value=false")
    (change,) = [change for change in site.plan().changes if change.kind != "unchanged"]
    assert (change.kind, [field.path for field in change.fields]) == ("drift", ["enabled"])
    site.init()
    assert site.second("GET", f"/alerts/{key}").json()["enabled"] is True


def test_other_thresholds_are_an_update_of_what_they_are_in(
    make_site: Callable[..., Any], server: Any, make_bridge: Any
) -> None:
    """Not drift: nobody changed anything by hand."""
    del make_bridge
    site = make_site()
    site.init()
    bridge = site.bridge
    again = make_site(alert_command_error_rate="2", alert_query_p95_window="20m")
    server.behave = bridge
    configuration = type(site)(bridge, again.configuration, site.client, again.desired)
    changed = {c.name: c for c in configuration.plan().changes if c.kind != "unchanged"}
    assert {name: change.kind for name, change in changed.items()} == dict.fromkeys(
        ("cqrs_command_error_rate", "cqrs_query_p95_latency"), "update"
    )
    assert {f.path for f in changed["cqrs_query_p95_latency"].fields} == {
        "trigger_condition.period",
        "description",
    }
    configuration.init()
    assert not configuration.plan().pending


def test_what_is_somebody_elses_is_never_touched(site: Any) -> None:
    """A dashboard of the same title in the same folder, an alert of the same name; also with --prune."""
    site.init()
    path, content = board(site)
    folder = path.partition("folder=")[2].partition("&")[0]
    theirs = {**content, "description": "my own"}
    made = site.first("POST", f"/dashboards?folder={folder}", json=theirs).json()["v5"]
    rule = site.second("GET", f"/alerts/{site.second('GET', '/alerts').json()['list'][0]['alert_id']}").json()
    mine = {**rule, "description": "mine", "enabled": False}
    mine.pop("id")
    key = site.second("POST", "/alerts", json=mine).json()["id"]
    before = site.second("GET", f"/alerts/{key}").json()

    kinds = Counter(change.kind for change in site.plan(prune=True).changes)
    assert kinds == {"unchanged": 17, "foreign": 2}
    assert not site.plan(prune=True).pending
    site.first("DELETE", f"/dashboards/{path.split('/')[2].partition('?')[0]}?folder={folder}")
    steps = site.init(prune=True)
    assert did(steps)["dashboard", "created"] == 1
    assert site.first("GET", f"/dashboards/{made['dashboardId']}").json()["v5"]["description"] == "my own"
    assert site.second("GET", f"/alerts/{key}").json() == before


@pytest.mark.parametrize("path", ["templates", "destinations"])
def test_a_template_or_destination_in_the_way_of_all_alerts_is_a_failure(site: Any, path: str) -> None:
    """It is not touched; no alert is made, which nobody is to take for a success; without it all is made."""
    body: dict[str, Any] = {"name": "cqrs_openobserve", "title": "", "type": "http", "body": "mine"}
    if path == "destinations":
        site.first("POST", "/alerts/templates", json=body | {"name": "other"})
        body = {"url": "https://hooks.example.com/mine", "method": "post", "skip_tls_verify": False}
        body |= {"name": "cqrs_openobserve", "type": "http", "template": "other"}
    assert site.first("POST", f"/alerts/{path}", json=body).status_code == 200
    before = site.first("GET", f"/alerts/{path}").json()

    (stuck,) = site.plan().stuck
    assert (stuck.kind, stuck.subject) == ("foreign", path[:-1])
    steps = site.init()
    (failed,) = [step for step in steps if not step.ok]
    assert "somebody else's" in failed.text
    assert failed.hint
    assert did(steps)["alert", "skipped"] == 6
    assert did(steps)["dashboard", "created"] == 3
    assert [each for each in site.first("GET", f"/alerts/{path}").json() if each in before] == before

    site.first("DELETE", f"/alerts/{path}/cqrs_openobserve")
    assert all(step.ok for step in site.init())
    assert len(site.state()["alerts"]) == 6


def test_prune_removes_what_we_made_and_no_longer_want(site: Any) -> None:
    """Nothing else, and only if it is asked to."""
    site.init()
    path, content = board(site)
    folder = path.partition("folder=")[2].partition("&")[0]
    old = Dashboard("CQRS of old", "Old", ()).body()
    site.first("POST", f"/dashboards?folder={folder}", json=old)
    rule = site.second("GET", f"/alerts/{site.second('GET', '/alerts').json()['list'][0]['alert_id']}").json()
    old = AlertRule("cqrs_of_old", "Old", rule["stream_name"], "SELECT 1 AS a", "{a}", 5).body([DESTINATION])
    site.second("POST", "/alerts", json=old)
    # Copies keep the description, and are whose who made them; as is a channel that only sends our text.
    site.first("POST", f"/dashboards?folder={folder}", json={**content, "title": "Team X (copied from CQRS)"})
    site.second("POST", "/alerts", json={**rule, "name": "team_x_copy"})
    copy = next(each for each in site.first("GET", "/alerts/destinations").json())
    site.first("POST", "/alerts/destinations", json={**copy, "name": "team_x_hook"})
    site.second(
        "POST", "/alerts", json=rule
    )  # a second one of a name, as a lost answer or two at once leave it
    before = site.state()

    kinds = Counter(change.kind for change in site.plan().changes)
    assert (kinds["skipped"], site.plan().pending) == (3, False)
    assert did(site.init())["alert", "skipped"] == 2
    assert site.state() == before

    steps = site.init(prune=True)
    assert {(step.subject, step.name) for step in steps if step.did == "removed"} >= {
        ("dashboard", "CQRS of old"), ("alert", "cqrs_of_old"),
    }  # fmt: skip
    assert did(steps)["alert", "removed"] == 2
    left = site.state()
    assert len(left["alerts"]) == 7
    assert "team_x_copy" in {alert["name"] for alert in left["alerts"]}
    assert "Team X (copied from CQRS)" in {title for _, title, _, _ in left["dashboards"]}
    assert "team_x_hook" in {destination["name"] for destination in left["destinations"]}
    assert did(site.init(prune=True)) == {
        (subject, "unchanged"): count for subject, count in SUBJECTS.items()
    }


@pytest.mark.parametrize(
    ("description", "says"),
    [(None, ""), ("mine now", "somebody else has just made it theirs")],
    ids=["still-ours", "taken-over"],
)
def test_a_dashboard_saved_meanwhile_is_looked_at_once_more(
    make_site: Callable[..., Any], server: Any, description: str | None, says: str
) -> None:
    """A stale hash is a 409: what is still ours is mended with the new one, what became somebody else's stays."""
    site = make_site()
    site.init()
    path, board_now = board(site)
    board_now["tabs"][0]["name"] = "first"
    site.first("PUT", path, json=board_now)
    saved: list[int] = []

    def saves(received: Any) -> Any:
        if received.method == "PUT" and "/dashboards/" in received.path and not saved:
            path_now, content_now = board(site)
            content_now["tabs"][0]["name"] = "second"
            content_now["description"] = description or content_now["description"]
            saved.append(site.first("PUT", path_now, json=content_now).status_code)
        return site.bridge(received)

    server.behave = saves
    (step,) = [step for step in site.init() if step.subject == "dashboard" and step.did != "unchanged"]
    assert saved == [200]
    assert (step.ok, step.text == says or step.did == "changed") == (not says, True)
    key = path.partition("?")[0]
    name = site.first("GET", key).json()["v5"]["tabs"][0]["name"]
    assert name == ("second" if says else "Default")


def test_a_dashboard_that_somebody_keeps_saving_is_told(make_site: Callable[..., Any], server: Any) -> None:
    """After two tries; nothing is forced."""
    site = make_site()
    site.init()
    path, content_now = board(site)
    content_now["tabs"][0]["name"] = "mine"
    site.first("PUT", path, json=content_now)
    puts: list[str] = []

    def conflict(received: Any) -> Any:
        if received.method == "PUT":
            puts.append(received.path)
            return Reply(409, b'{"code":409,"message":"Conflict"}')
        return site.bridge(received)

    server.behave = conflict
    (step,) = [step for step in site.init() if not step.ok]
    assert len(puts) == 2
    assert "run init again when they are done" in step.hint


def test_without_a_channel_alerts_are_skipped_and_nothing_fails(make_site: Callable[..., Any]) -> None:
    """Each with the reason and the variable; those that are there stay."""
    site = make_site(alert_channel=None)
    steps = site.init()
    assert did(steps)["alert", "skipped"] == 6
    assert all(step.ok for step in steps)
    assert {step.hint for step in steps if step.did == "skipped"} == {
        "set CQRS_ALERT_CHANNEL, for example to webhook:https://hooks.example.com/cqrs."
    }
    assert not site.plan().pending
    assert did(site.init())["dashboard", "unchanged"] == 3


def test_a_widened_column_is_told_with_the_way_out(site: Any) -> None:
    """Column, types and since when; no call takes it back, so that init says it failed."""
    site.init()
    site.first("POST", "/cqrs_commands/_json", json=[{"record": "handled", "duration_ms": "abc"}])
    (stuck,) = site.plan().stuck
    assert "duration_ms is Utf8, not Float64 since 20" in stuck.text
    assert "CQRS_STREAM_COMMANDS" in stuck.hint
    assert not site.plan().pending
    (failed,) = [step for step in site.init() if not step.ok]
    assert failed.name == "cqrs_commands"


class Broken:
    """Gets in the way of the n-th request: it is not sent, or its answer is lost."""

    def __init__(self, client: Any, at: int, *, lost: bool) -> None:
        self.client, self.left, self.lost = client, at, lost

    def _through(self, call: Callable[..., Any], *arguments: Any) -> Answer | Trouble:
        self.left -= 1
        if self.left == 0 and not self.lost:
            return Trouble("refused", "the cable was pulled")
        answer: Answer | Trouble = call(*arguments)
        return Trouble("reset", "the answer was lost", sent=True) if self.left == 0 else answer

    def call(self, *arguments: Any) -> Answer | Trouble:
        """A call of the organisation."""
        return self._through(self.client.call, *arguments)

    def ask(self, *arguments: Any) -> Answer | Trouble:
        """Another call."""
        return self._through(self.client.ask, *arguments)

    def send(self, *arguments: Any) -> Answer | Trouble:
        """Records."""
        return self._through(self.client.send, *arguments)


class Run:
    """What `init` does, on an organisation of its own."""

    def __init__(self, direct: Any, name: str) -> None:
        direct.organization = name
        given = {
            "url": "http://127.0.0.1:9",
            "organization": name,
            "token": direct.token,
            "alert_channel": CHANNEL,
        }
        self.direct = direct
        self.configuration = read({}, {**given, "spool_dir": "none"}).unwrap()
        self.desired = desired(self.configuration)
        # An app ran before, so that columns are added, too.
        direct.call("POST", "/cqrs_queries/_json", None, b'[{"record": "handled"}]')

    def actual(self) -> Actual:
        """What is there."""
        found = read_actual(self.configuration, self.direct, self.desired)
        assert isinstance(found, Actual)
        return found

    def init(self, server: Any) -> list[Step]:
        """The steps, the last of which may have failed."""
        found = read_actual(self.configuration, server, self.desired)
        if isinstance(found, Refusal):
            return [Step("stream", "", "failed", found.text)]
        changes = plan(self.desired, found)
        return list(apply(changes, self.desired, found, self.configuration, server, sleep=lambda _: None))


def content(actual: Actual) -> Any:
    """What is there without ids and times."""
    volatile = ("id", "folderId", "dashboardId", "created", "org_id", "last_triggered_at")
    streams = [(s.name, sorted(s.schema.items()), s.settings["index_fields"]) for s in actual.streams]
    found = [
        (f.subject, f.name, {k: v for k, v in f.body.items() if k not in volatile}) for f in actual.found
    ]
    return streams, sorted(found, key=str)


@pytest.mark.parametrize("first", [1, 2, 3, 4])
@pytest.mark.parametrize("emulation", ["0.16", "newest"] if HEAVY else ["newest"])
def test_stopped_at_any_request_a_rerun_ends_in_the_same_state(
    make_direct: Any, emulation: str, first: int
) -> None:
    """The n-th request fails, for every n: not sent, or its answer lost; nothing is left to do, and nothing twice."""
    direct = make_direct(emulation)
    whole, counting = Run(direct, "whole"), Broken(direct, 10_000, lost=False)
    whole.init(counting)
    wanted, requests = content(whole.actual()), 10_000 - counting.left
    assert requests > 30
    for at in range(first, requests + 1, 4):
        # The quick run loses the answer of every other one, so that each is stopped in one of the two ways.
        for lost in (False, True) if HEAVY else (at % 8 < 4,):
            run = Run(direct, f"stopped_{at}_{lost}")
            assert not run.init(Broken(direct, at, lost=lost))[-1].ok
            assert all(step.ok for step in run.init(direct)), at
            there = run.actual()
            assert content(there) == wanted
            assert not plan(run.desired, there).pending
