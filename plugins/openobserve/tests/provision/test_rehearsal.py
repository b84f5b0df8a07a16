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
