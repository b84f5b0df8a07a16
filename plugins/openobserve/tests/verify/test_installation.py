"""What has to be there first: as findings, with where it makes no sense to go on."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.doctor import streams
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.verify.installation import check_server, check_streams

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


def test_streams_that_init_makes_have_to_be_there(
    live: Any, env_of: Callable[[Any], Env], command: Any
) -> None:
    """And nothing is missed after init, however empty they are."""
    configuration = read(env_of(live)).unwrap()
    admin = client_of(configuration, configuration.admin)

    def missed() -> list[str]:
        there = streams.look(configuration, admin, live.gate.clock.time_ns())
        return [each.subject for each in check_streams(configuration, there, admin)]

    assert missed() == ["cqrs_commands", "cqrs_queries", "cqrs_events"]
    assert command("init", **env_of(live)).exit_code == 0
    assert missed() == []
    admin.close()
