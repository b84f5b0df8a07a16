"""Reading what is there."""

from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.provision.actual import Actual, Found, read_actual, read_stream
from cqrs_openobserve.provision.ownership import MARK, stamped
from cqrs_openobserve.provision.server import Refusal
from cqrs_openobserve.testing import Reply

Make = Callable[..., Any]


def test_an_empty_server_has_nothing(site: Any) -> None:
    """Which is an answer, not a trouble; and nothing is written."""
    assert site.actual() == Actual()
    assert {method for method, _ in site.bridge.asked} == {"GET"}


def test_everything_that_init_made_is_read_back(site: Any) -> None:
    """As ours, with the folder and hash that a change needs."""
    site.init()
    found = site.actual()
    assert len(found.streams) == 4
    assert all(each.ours for each in found.found)
    assert len(found.found) == 13
    boards = [each for each in found.found if each.subject == "dashboard"]
    assert all(board.hash.isdecimal() and board.folder for board in boards)


def test_dashboards_of_the_default_folder_are_seen_too(site: Any) -> None:
    """A file that was imported through the user interface lands there."""
    body = dict(site.desired.dashboards[0].body)
    site.first("POST", "/dashboards", json=body)
    (found,) = site.actual().named("dashboard", "CQRS commands")
    assert (found.ours, found.folder) == (True, "default")


def test_ours_come_first() -> None:
    """Whatever the ids are."""
    body = stamped({"description": f"x ({MARK})"}, "alert", "a")
    theirs, ours = Found("alert", "1", "a", {}), Found("alert", "2", "a", body)
    assert Actual(found=(theirs, ours)).named("alert", "a") == (ours, theirs)


def test_a_mail_destination_is_ours_by_its_name_and_template() -> None:
    """It holds no text that could be marked; one that others made may use our template, too."""
    mail = {"type": "email", "template": "cqrs_openobserve"}
    ours = "cqrs_openobserve"
    assert Found("destination", ours, ours, mail).ours
    assert not Found("destination", "oncall", "oncall", mail).ours
    assert not Found("destination", ours, ours, mail | {"type": "http"}).ours
    assert not Found("destination", ours, ours, mail | {"template": "other"}).ours


def test_a_copy_that_keeps_its_description_is_not_ours(site: Any) -> None:
    """Under another name; it is neither counted nor asked for."""
    site.init()
    key = site.second("GET", "/alerts").json()["list"][0]["alert_id"]
    site.second(
        "POST", "/alerts", json={**site.second("GET", f"/alerts/{key}").json(), "name": "team_x_copy"}
    )
    assert site.actual().named("alert", "team_x_copy") == ()


def test_since_when_a_column_is_text_is_told(site: Any) -> None:
    """By the first value that is no number."""
    site.init()
    site.first("POST", "/cqrs_commands/_json", json=[{"record": "handled", "duration_ms": 1.5}])
    site.first("POST", "/cqrs_commands/_json", json=[{"record": "handled", "duration_ms": "abc"}])
    stream = site.actual().stream("cqrs_commands")
    assert abs(stream.since["duration_ms"] - site.bridge.now) < 60_000_000


@pytest.mark.parametrize(
    "end", ["/cqrs_commands/schema", "/folders/dashboards", "/alerts/templates", "/alerts", "/dashboards"]
)
@pytest.mark.parametrize(
    "reply",
    [Reply(500, b"x" * 2000 + b"canary-T0123"), Reply(200, b"<html>"), Reply(401, b"no")],
    ids=["500", "html", "401"],
)
def test_what_cannot_be_read_is_a_value(make_site: Make, server: Any, end: str, reply: Reply) -> None:
    """Bounded, with something to do; never an exception, never half a state."""
    site = make_site()
    site.init()
    server.behave = lambda received: (
        reply if received.path.partition("?")[0].endswith(end) else site.bridge(received)
    )
    found = read_actual(site.configuration, site.client, site.desired)
    assert isinstance(found, Refusal)
    assert len(found.text) < 500
    assert found.hint
    assert "canary" not in found.text


def test_one_stream_is_read_by_itself(site: Any) -> None:
    """None if it is not there."""
    stream = site.desired.streams[0]
    assert read_stream(site.configuration, site.client, stream) is None
    site.init()
    found = read_stream(site.configuration, site.client, stream)
    assert found == site.actual().stream(stream.name)
