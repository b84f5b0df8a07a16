"""The alert rules on the engine: they fire when they should, and only then."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.columns import columns_of
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.alerts import Thresholds, rules
from cqrs_openobserve.provision.queries import StreamNames
from cqrs_openobserve.testing import FaultServer, Reply
from cqrs_openobserve.thresholds import Threshold

NAMES = StreamNames("cqrs_commands", "cqrs_queries", "cqrs_events", "cqrs_metrics")
METRICS = {
    "record": "Utf8", "metric_name": "Utf8", "metric_value": "Float64", "service_instance_id": "Utf8",
}  # fmt: skip
BY_NAME = {rule.name: rule for rule in rules(NAMES)}
Records = list[dict[str, object]]


def handled(count: int, **columns: object) -> Records:
    return [{"record": "handled", "outcome": "success", "duration_ms": 10.0, **columns} for _ in range(count)]


def depth(*values: float) -> Records:
    return [
        {
            "record": "snapshot",
            "metric_name": "cqrs.dead_letter.depth",
            "metric_value": value,
            "service_instance_id": "a",
        }
        for value in values
    ]


BREACH: dict[str, Callable[[], Records]] = {
    "cqrs_command_error_rate": lambda: [*handled(98), *handled(2, outcome="error")],
    "cqrs_command_p95_latency": lambda: [*handled(90), *handled(10, duration_ms=900.0)],
    "cqrs_query_p95_latency": lambda: [*handled(90), *handled(10, duration_ms=400.0)],
    "cqrs_query_cache_hit_rate": lambda: [*handled(9, cache_status="hit"), *handled(11, cache_status="miss")],
    "cqrs_event_dead_letters": lambda: [{"record": "dead_letter"}],
    "cqrs_dead_letter_backlog": lambda: depth(0.0, 3.0),
}
QUIET: dict[str, list[Callable[[], Records]]] = {
    "cqrs_command_error_rate": [
        lambda: handled(100),
        lambda: [*handled(100, outcome="rejected")],
        lambda: [*handled(99), *handled(1, outcome="error")],
        lambda: handled(19, outcome="error"),
    ],
    "cqrs_command_p95_latency": [
        lambda: handled(100, duration_ms=499.0),
        lambda: handled(19, duration_ms=900.0),
    ],
    "cqrs_query_p95_latency": [
        lambda: handled(100, duration_ms=299.0),
        lambda: handled(19, duration_ms=900.0),
    ],
    "cqrs_query_cache_hit_rate": [
        lambda: [*handled(10, cache_status="stale"), *handled(10, cache_status="miss")],
        lambda: handled(19, cache_status="miss"),
        lambda: [*handled(100, cache_status="bypass"), *handled(100)],
    ],
    "cqrs_event_dead_letters": [lambda: handled(100, outcome="error")],
    "cqrs_dead_letter_backlog": [lambda: depth(3.0, 0.0)],
}

each_rule = pytest.mark.parametrize("name", list(BY_NAME))


async def prepare(engine: Any, rule: AlertRule, records: Records, *, widened: bool) -> None:
    """A stream with all columns and the records, a millisecond apart; `widened` by one stray value each."""
    kinds = {"cqrs_commands": "command", "cqrs_queries": "query", "cqrs_events": "event"}
    kind: Any = kinds.get(rule.stream)
    columns = METRICS if kind is None else {column.name: column.type for column in columns_of(kind)}
    await engine.create(rule.stream, columns)
    start = engine.now - 60_000_000
    if records:
        await engine.ingest(
            rule.stream, [{**record, "_timestamp": start + at * 1000} for at, record in enumerate(records)]
        )
    if widened:
        stray = {name: "abc" for name, kind in columns.items() if kind == "Float64"}
        await engine.ingest(rule.stream, [{"record": "probe", **stray}])


@each_rule
@pytest.mark.parametrize("widened", [False, True])
async def test_a_rule_fires_on_a_breach(engine: Any, name: str, widened: bool) -> None:  # noqa: FBT001 - a table
    """Also when a stray value turned the columns of numbers into text."""
    rule = BY_NAME[name]
    await prepare(engine, rule, BREACH[name](), widened=widened)
    rows = await engine.rows(rule.sql)

    assert len(rows) == 1, rows
    assert all(part in rows[0] for part in ("zo_sql_min_time", "zo_sql_max_time"))
    assert rule.row.format_map(rows[0]) != rule.row


@each_rule
async def test_a_rule_is_quiet_below_its_limit_and_without_traffic(engine: Any, name: str) -> None:
    """A correct "no" is no error, few messages make no rate, a bypass is no miss, an empty stream says nothing."""
    rule = BY_NAME[name]
    await prepare(engine, rule, [], widened=False)
    assert await engine.rows(rule.sql) == []
    for at, records in enumerate(QUIET[name]):
        quiet = AlertRule(
            rule.name,
            "",
            f"{rule.stream}_{at}",
            rule.sql.replace(f'"{rule.stream}"', f'"{rule.stream}_{at}"'),
            "",
            5,
        )
        await engine.create(
            quiet.stream, {"cache_status": "Utf8", "duration_ms": "Float64", "outcome": "Utf8"}
        )
        await engine.ingest(
            quiet.stream, [{**r, "_timestamp": engine.now - 60_000_000 + i} for i, r in enumerate(records())]
        )
        assert await engine.rows(quiet.sql) == [], (name, at)


async def test_every_rule_is_taken_by_the_server(engine: Any) -> None:
    """As the body that init sends, over streams with all their columns."""
    template = {"name": "t", "type": "http", "body": '{"text": "{alert_name} {rows}"}'}
    hook = {"name": "hook", "type": "http", "url": "http://127.0.0.1:1/", "method": "post", "template": "t"}
    await engine.http.post("/api/default/alerts/templates", json=template)
    await engine.http.post("/api/default/alerts/destinations", json=hook)
    for rule in BY_NAME.values():
        if (await engine.http.get(f"/api/default/streams/{rule.stream}/schema")).status_code == 404:
            await engine.create(rule.stream, {"record": "Utf8"})
        answer = await engine.http.post("/api/v2/default/alerts", json=rule.body(["hook"]))
        assert answer.status_code == 200, answer.text

    listed = (await engine.http.get("/api/v2/default/alerts")).json()["list"]
    assert [entry["name"] for entry in listed] == list(BY_NAME)


@each_rule
def test_the_limit_is_in_the_query(name: str) -> None:
    """The server compares the number of rows: one or more; no star, no bare time, a row text with values."""
    rule = BY_NAME[name]
    body: Any = rule.body(["hook"])

    assert (body["trigger_condition"]["operator"], body["trigger_condition"]["threshold"]) == (">=", 1)
    assert isinstance(body["trigger_condition"]["threshold"], int)
    assert "HAVING" in rule.sql
    assert "select *" not in rule.sql.lower()
    assert body["enabled"] is True
    assert all(isinstance(value, str) for value in body["context_attributes"].values())


def test_windows_and_pauses_are_those_of_the_design() -> None:
    """Period, frequency and silence in minutes."""
    assert {rule.name: (rule.period, rule.every) for rule in BY_NAME.values()} == {
        "cqrs_command_error_rate": (5, 1), "cqrs_command_p95_latency": (10, 1), "cqrs_query_p95_latency": (10, 1),
        "cqrs_query_cache_hit_rate": (15, 5), "cqrs_event_dead_letters": (5, 1), "cqrs_dead_letter_backlog": (5, 1),
    }  # fmt: skip
    assert BY_NAME["cqrs_event_dead_letters"].silence == 5


async def test_thresholds_are_settings(engine: Any) -> None:
    """A higher limit does not fire on what the default fires on."""
    name = "cqrs_command_error_rate"
    await prepare(engine, BY_NAME[name], BREACH[name](), widened=False)
    (rule, *_) = rules(NAMES, Thresholds(command_error_rate=Threshold(2.5)))

    assert await engine.rows(rule.sql) == []


def test_without_a_stream_of_metrics_there_is_no_rule_for_the_backlog() -> None:
    """It could never fire."""
    assert "cqrs_dead_letter_backlog" not in {rule.name for rule in rules(StreamNames("c", "q", "e"))}


FORMS: dict[str, tuple[dict[str, Records], set[str]]] = {
    "breaching": (
        {
            "cqrs_commands": [*handled(80), *handled(5, outcome="error"), *handled(15, duration_ms=900.0)],
            "cqrs_queries": [*handled(30, cache_status="miss"), *handled(10, duration_ms=400.0)],
            "cqrs_events": [*handled(3), {"record": "dead_letter", "outcome": "error"}],
            "cqrs_metrics": depth(0.0, 3.0),
        },
        set(BY_NAME),
    ),
    "quiet": (
        {
            "cqrs_commands": [*handled(150), *handled(20, outcome="rejected"), *handled(1, outcome="error")],
            "cqrs_queries": [*handled(30, cache_status="fresh"), *handled(20, cache_status="miss")],
            "cqrs_events": handled(30, outcome="error"),
            "cqrs_metrics": depth(3.0, 0.0),
        },
        set(),
    ),
    "empty": ({}, set()),
}


@pytest.mark.parametrize("emulation", ["0.16", "newest"])
@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("widened", [False, True], ids=["clean", "widened"])
def test_the_webhook_gets_rule_value_and_link_of_what_breaches_alone(
    make_site: Callable[..., Any], emulation: str, form: str, widened: Any
) -> None:
    """As valid JSON, from the alerts that init made; also after a stray text turned every number into text."""
    with FaultServer() as sink:
        sink.behave = lambda _: Reply(200, b"ok")
        site = make_site(emulation, alert_channel=f"webhook:{sink.url}/hook/canary-T0123")
        site.init()
        records, fires = FORMS[form]
        start = site.bridge.now - 60_000_000
        for stream, rows in records.items():
            placed = [{**row, "_timestamp": start + at * 1000} for at, row in enumerate(rows)]
            site.first("POST", f"/{stream}/_json", json=placed)
        if widened:
            for stream in ("cqrs_commands", "cqrs_queries", "cqrs_events"):
                site.first("POST", f"/{stream}/_json", json=[{"record": "probe", "duration_ms": "abc"}])
            site.first("POST", "/cqrs_metrics/_json", json=[{"record": "probe", "metric_value": "abc"}])
            assert len(site.plan().stuck) == 4
        site.bridge.evaluate()
        messages = {message["rule"]: message for message in (json.loads(each.body) for each in sink.received)}
    assert set(messages) == fires
    for name, message in messages.items():
        assert float(message["value"]) >= 0
        assert message["value"] in message["text"]
        assert name in str(site.second("GET", "/alerts").json())
        assert "alert" in message["link"]
