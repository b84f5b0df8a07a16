"""A rule broken on purpose."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.rehearsal import Rehearsal
from cqrs_openobserve.testing import FaultServer, Reply

Make = Callable[..., Any]
RULES = (
    "cqrs_command_error_rate", "cqrs_command_p95_latency", "cqrs_query_p95_latency", "cqrs_query_cache_hit_rate",
    "cqrs_event_dead_letters", "cqrs_dead_letter_backlog",
)  # fmt: skip


def rehearsed(
    site: Any, name: str, *, notify: bool = False, timeout_s: float = 10.0, **changed: Any
) -> list[Any]:
    rule: AlertRule = next(rule for rule in site.desired.rules if rule.name == name)
    rehearsal = Rehearsal(attrs.evolve(rule, **changed), site.configuration, site.client, timeout_s=timeout_s)
    return list(rehearsal.run(notify=notify))


def streams(site: Any) -> set[str]:
    return {stream["name"] for stream in site.first("GET", "/streams").json()["list"]}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_fires_on_its_example(make_site: Make, name: str) -> None:
    """In a stream of its own, which is gone afterwards; the real one has no record of it."""
    site = make_site()
    site.init()
    before = site.state()
    steps = rehearsed(site, name)
    assert [(step.did, step.ok) for step in steps] == [("created", True), ("fires", True)], steps
    assert "{" not in steps[1].text
    assert site.state() == before


def test_the_channel_hears_of_it(make_site: Make) -> None:
    """A message by hand, and one when the server has evaluated the rule; then the alert is gone."""
    with FaultServer() as sink:
        sink.behave = lambda _: Reply(200, b"ok")
        site = make_site(alert_channel=f"webhook:{sink.url}/hook", limits={"alert_seconds": 0.05})
        site.init()
        steps = rehearsed(site, "cqrs_command_error_rate", notify=True)
        assert [step.did for step in steps] == ["created", "fires", "reached", "evaluated"], steps
        texts = [each.body.decode() for each in sink.received]
    assert len(texts) == 2
    assert all("cqrs_command_error_rate_probe" in text for text in texts)
    assert len(site.second("GET", "/alerts").json()["list"]) == 6


def test_a_channel_that_cannot_be_reached_is_told_without_its_address(make_site: Make) -> None:
    """The server names the URL; we do not."""
    with FaultServer() as sink:
        sink.behave = lambda _: Reply(500, b"no")
        site = make_site(alert_channel=f"webhook:{sink.url}/canary-T0123")
        site.init()
        steps = rehearsed(site, "cqrs_event_dead_letters", notify=True)
    assert [step.did for step in steps] == ["created", "fires", "failed"]
    assert "CQRS_ALERT_CHANNEL" in steps[-1].hint
    assert "canary" not in str(steps)
    assert len(site.second("GET", "/alerts").json()["list"]) == 6


@pytest.mark.parametrize(
    ("end", "reply", "says"),
    [
        ("_search", Reply(200, b'{"hits":[{"value":99}],"is_partial":true}'), "is_partial"),
        ("_search", Reply(200, b'{"hits":[{"value":99}],"function_error":["no such function"]}'), "no such function"),
        ("_search", Reply(403, b"not yours"), "403"),
        ("_search", Reply(400, b'{"code":20001,"message":"bad SQL"}'), "bad SQL"),
        ("_json", Reply(200, b'{"code":200,"status":[{"name":"s","successful":0,"failed":1,"error":"too old"}]}'), "too old"),
        ("_json", Reply(200, b"<html>"), "html"),
    ],
    ids=["partial", "function", "403", "sql", "refused-records", "no-counts"],
)  # fmt: skip
def test_half_an_answer_is_not_believed_and_a_refusal_is_told_at_once(
    make_site: Make, server: FaultServer, end: str, reply: Reply, says: str
) -> None:
    """With the server's own words, not after the time for it is up."""
    site = make_site()
    site.init()
    asked: list[str] = []

    def behave(received: Any) -> Any:
        if received.path.partition("?")[0].endswith(f"/{end}"):
            asked.append(received.path)
            return reply
        return site.bridge(received)

    server.behave = behave
    steps = rehearsed(site, "cqrs_event_dead_letters", timeout_s=60.0)
    assert not steps[-1].ok
    assert says in steps[-1].text
    assert len(asked) == 1


def test_a_server_that_stays_ill_is_told_with_what_it_said(make_site: Make, server: FaultServer) -> None:
    """A 500 may pass, so that it is asked again; in the end that is what is said."""
    site = make_site()
    site.init()
    server.behave = lambda received: (
        Reply(500, b"disk is full") if "_search" in received.path else site.bridge(received)
    )
    steps = rehearsed(site, "cqrs_event_dead_letters", timeout_s=0.2)
    assert "disk is full" in steps[-1].text


def test_what_cannot_be_removed_is_told(make_site: Make, server: FaultServer) -> None:
    """By its name; it is a failure, since records are left behind."""
    site = make_site()
    site.init()
    server.behave = lambda received: (
        Reply(500, b"busy") if received.method == "DELETE" else site.bridge(received)
    )
    steps = rehearsed(site, "cqrs_event_dead_letters")
    assert [step.did for step in steps] == ["created", "fires", "failed"]
    assert "cqrs_events_probe_" in steps[-1].text
    assert "busy" in steps[-1].text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS value FROM \"orders\" WHERE kind = 'orders' HAVING count(*) > 0",
        "SELECT max(orders) AS value FROM orders WHERE kind = 'from orders' OR kind = 'orders'",
        "SELECT count(orders.orders) AS value from orders WHERE orders.kind = 'orders'",
    ],
    ids=["quoted", "column", "qualified"],
)
def test_only_the_stream_of_a_rule_is_another(make_site: Make, sql: str) -> None:
    """Texts and columns of the stream's name stay."""
    site = make_site()
    rule = AlertRule("own", "Own", "orders", sql, "{value}", 5, example=({"kind": "orders", "orders": 1},))
    steps = list(Rehearsal(rule, site.configuration, site.client, timeout_s=5.0).run(notify=False))
    assert [step.did for step in steps] == ["created", "fires"], steps


def test_before_init_there_is_no_channel_on_the_server(make_site: Make) -> None:
    """Said with the command that makes it."""
    steps = rehearsed(make_site(), "cqrs_event_dead_letters", notify=True)
    assert steps[-1].did == "failed"
    assert "run cqrs openobserve init first" in steps[-1].hint


def test_a_rule_that_does_not_fire_is_told(make_site: Make) -> None:
    """And its stream is removed all the same."""
    site = make_site()
    site.init()
    before = streams(site)
    steps = rehearsed(site, "cqrs_event_dead_letters", timeout_s=0.1, example=({"record": "handled"},))
    assert (steps[-1].did, "no row within" in steps[-1].text) == ("failed", True)
    assert streams(site) == before


def test_the_server_has_to_evaluate_it_in_time(make_site: Make) -> None:
    """One whose scheduler sleeps is told."""
    with FaultServer() as sink:
        sink.behave = lambda _: Reply(200, b"ok")
        site = make_site(alert_channel=f"webhook:{sink.url}/hook")
        site.init()
        steps = rehearsed(site, "cqrs_event_dead_letters", notify=True, timeout_s=0.5)
    assert "did not evaluate it" in steps[-1].text
