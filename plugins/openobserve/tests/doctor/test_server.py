"""Is it an OpenObserve, is the path right, do the clocks agree: from answers to lines."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.server import ServerFacts, judge, look
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.testing import Behaviour, FaultServer, Received, Reply

Configure = Callable[..., Configuration]
HEALTHY = Answer(200, body=b'{"status":"ok"}')
CONFIG = Answer(200, body=b'{"version":"v0.92.2","build_type":"opensource"}')
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def said(configure: Configure, facts: ServerFacts, **given: str) -> list[tuple[str, str, str, str]]:
    return [(line.name, line.status, line.text, line.fix) for line in judge(configure(**given), facts)]


def test_an_openobserve_is_told_with_its_version(configure: Configure) -> None:
    """And with what kind of build it is."""
    assert said(configure, ServerFacts(HEALTHY, CONFIG)) == [
        ("openobserve", "ok", "OpenObserve v0.92.2 (opensource)", "")
    ]


@pytest.mark.parametrize(
    ("config", "status", "text"),
    [
        (Answer(200, body=b'{"version":"v0.14.9"}'), "warn", "older than what is tested"),
        (Answer(200, body=b'{"version":"nightly-abc"}'), "ok", "OpenObserve nightly-abc"),
        (Answer(200, body=b'{"version":"v0.15.0\\u001b[31m"}'), "ok", "OpenObserve v0.15.0 [31m"),
        (Answer(200, body=b'{"version":7}'), "fail", "not as an OpenObserve"),
        (Answer(200, body=b"<html>"), "fail", "not as an OpenObserve"),
        (Answer(404), "fail", "not as an OpenObserve"),
        (Trouble("timeout", "slow"), "fail", "not as an OpenObserve"),
    ],
    ids=["old", "nightly", "escape", "number", "page", "missing", "silent"],
)
def test_a_version_is_read_or_it_is_no_openobserve(
    configure: Configure, config: Answer | Trouble, status: str, text: str
) -> None:
    """An unknown version counts as the newest; what has none is something else."""
    ((_, found, told, _),) = said(configure, ServerFacts(HEALTHY, config))
    assert (found, text in told) == (status, True), told


@pytest.mark.parametrize(
    ("health", "text", "fix"),
    [
        (Trouble("refused", "http://h refused the connection"), "refused", "cqrs local up"),
        (Answer(404, excerpt="nginx"), "404 to /healthz: nginx", "path in OPENOBSERVE_URL"),
        (Answer(200, body=b"<html>", excerpt="<html>"), "200 to /healthz: <html>", "OPENOBSERVE_URL"),
        (Answer(302, {"location": "http://other/"}), "redirect to http://other/", "final address"),
    ],
    ids=["down", "404", "page", "redirect"],
)
def test_what_is_not_well_is_told(
    configure: Configure, health: Answer | Trouble, text: str, fix: str
) -> None:
    """With what to look at."""
    ((_, status, told, way),) = said(configure, ServerFacts(health, health))
    assert status == "fail"
    assert text in told
    assert fix in way


def test_a_wrong_path_is_told_with_the_right_url(configure: Configure) -> None:
    """If there is one at the root of the same server."""
    facts = ServerFacts(Answer(404), Answer(404), HEALTHY)
    ((_, status, text, fix),) = said(configure, facts, url="http://h:5080/observe")
    assert status == "fail"
    assert "there is one at http://h:5080: the path is wrong" in text
    assert fix == "export OPENOBSERVE_URL=http://h:5080"


@pytest.mark.parametrize(
    ("skew", "status", "text"),
    [
        (0.2, "ok", "agree"),
        (-299.0, "ok", "agree"),
        (301.0, "warn", "+301 s away from this machine's, so records stand at wrong times"),
        (-6 * 3600.0, "warn", "-21600 s"),
        (6 * 3600.0, "fail", "+21600 s away from this machine's, so records are refused"),
        (-25 * 3600.0, "fail", "refused"),
    ],
)
def test_clocks_that_differ_are_told(configure: Configure, skew: float, status: str, text: str) -> None:
    """Five minutes are tolerated; records older than 5 h or newer than 24 h are refused by the server."""
    line = said(configure, ServerFacts(HEALTHY, CONFIG, skew_s=skew))[1]
    assert line[:2] == ("skew", status)
    assert text in line[2]


def test_a_server_without_a_date_says_nothing_about_clocks(configure: Configure) -> None:
    """No line is better than a guess."""
    assert len(said(configure, ServerFacts(HEALTHY, CONFIG, skew_s=None))) == 1


def test_only_what_anybody_may_ask_is_asked(server: FaultServer, configure: Configure) -> None:
    """Without credentials, and at the root only if the base path has no server."""

    def behave(received: Received) -> Behaviour:
        date = {"Date": format_datetime(NOW + timedelta(hours=1), usegmt=True)}
        return Reply(200, b'{"status":"ok"}', date) if received.path == "/healthz" else Reply(404)

    server.behave = behave
    below, root = configure(url=f"{server.url}/base"), configure()
    clients = [client_of(each, each.admin) for each in (below, root)]
    facts, plain = look(clients[0], clients[1], NOW), look(clients[1], clients[1], NOW)
    for client in clients:
        client.close()

    assert facts.health_at_root == plain.health
    assert plain.health_at_root is None
    assert plain.skew_s == 3600
    assert [received.path for received in server.received] == [
        "/base/healthz",
        "/base/config",
        "/healthz",
        "/healthz",
        "/config",
    ]
    assert all("authorization" not in received.headers for received in server.received)
