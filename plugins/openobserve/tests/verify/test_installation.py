"""What has to be there first: as findings, with where it makes no sense to go on."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.doctor import streams
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.verify.installation import check_provisioning, check_server, made_streams

Env = dict[str, str]


@pytest.fixture
def live(start: Callable[[str], Any], live_version: str) -> Any:
    """A server with an organisation of its own."""
    return start(live_version)


def checked(configuration: Configuration) -> tuple[dict[str, tuple[str, str]], bool]:
    sender = client_of(configuration, configuration.credentials)
    admin = client_of(configuration, configuration.admin)
    found, sensible = check_server(configuration, sender, admin, datetime.now(UTC))
    sender.close()
    admin.close()
    return {each.subject: (each.outcome, each.cause) for each in found}, sensible


@pytest.mark.parametrize(
    ("given", "subject", "outcome"),
    [
        ({}, "openobserve", "proven"),
        ({"OPENOBSERVE_ORGANIZATION": "nowhere_yet"}, "organisation", "missed"),
        ({"OPENOBSERVE_TOKEN": "a:wrong"}, "ingest", "missed"),
        ({"OPENOBSERVE_ADMIN_TOKEN": "a:wrong"}, "search", "missed"),
    ],
    ids=["good", "organisation", "token", "admin token"],
)
def test_what_nothing_can_be_proven_without_ends_it(
    live: Any, env_of: Callable[[Any], Env], given: Env, subject: str, outcome: str
) -> None:
    """Each with its cause; what is well is not listed but for the server itself."""
    found, goes_on = checked(read(env_of(live) | given).unwrap())
    assert found[subject][0] == outcome
    assert goes_on is (outcome == "proven")
    assert bool(found[subject][1]) is (outcome == "missed")


def test_a_server_that_does_not_say_whether_one_may_send_is_tried(
    live: Any, env_of: Callable[[Any], Env]
) -> None:
    """The probes will tell."""
    live.gate.answer = lambda _, path, __: (503, b"") if path.endswith("/cqrs_commands/_json") else None
    found, goes_on = checked(read(env_of(live)).unwrap())
    assert found["ingest"][0] == "warning"
    assert goes_on


def test_what_init_makes_has_to_be_there(
    live: Any, env_of: Callable[[Any], Env], command: Callable[..., Any]
) -> None:
    """Streams, alerts and dashboards; nothing is missed after init, however empty they are."""
    configuration = read(env_of(live) | {"CQRS_STREAM_LOGS": "lines"}).unwrap()
    admin = client_of(configuration, configuration.admin)

    def found() -> dict[str, str]:
        there = streams.look(configuration, admin, live.gate.clock.time_ns())
        every = check_provisioning(configuration, there, admin, ())
        return {each.subject: each.outcome for each in every}

    before = found()
    assert {before[name] for name in made_streams(configuration)} == {"missed"}
    assert before["CQRS commands"] == before["cqrs_event_dead_letters"] == "missed"
    assert command("init", **env_of(live) | {"CQRS_STREAM_LOGS": "lines"}).exit_code == 0
    assert found() == {"streams": "proven", "alerts": "proven", "dashboards": "proven"}
    admin.close()


def test_that_there_is_no_channel_is_a_note(
    live: Any, env_of: Callable[[Any], Env], command: Callable[..., Any]
) -> None:
    """It is a choice: nobody is told when something is wrong."""
    env = {name: value for name, value in env_of(live).items() if name != "CQRS_ALERT_CHANNEL"}
    assert command("init", **env).exit_code == 0
    configuration = read(env).unwrap()
    admin = client_of(configuration, configuration.admin)
    there = streams.look(configuration, admin, live.gate.clock.time_ns())
    found = {each.subject: each for each in check_provisioning(configuration, there, admin, ())}
    admin.close()
    assert found["skipped alerts"].outcome == "warning"
    assert "CQRS_ALERT_CHANNEL" in found["skipped alerts"].cause


def test_a_plan_that_cannot_be_made_is_a_miss(live: Any, env_of: Callable[[Any], Env]) -> None:
    """What could not be compared is not proven."""
    configuration = read(env_of(live)).unwrap()
    admin = client_of(configuration, configuration.admin)
    there = streams.look(configuration, admin, live.gate.clock.time_ns())
    live.gate.answer = lambda _, path, __: (500, b"boom") if "/folders/" in path else None
    outcomes = {each.subject: each.outcome for each in check_provisioning(configuration, there, admin, ())}
    admin.close()
    assert outcomes["plan"] == "missed"
