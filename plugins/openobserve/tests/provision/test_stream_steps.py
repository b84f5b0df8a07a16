"""Making streams, and completing those that are there."""

from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.provision.difference import stream_changes
from cqrs_openobserve.provision.server import Refusal
from cqrs_openobserve.provision.stream_steps import StreamSteps
from cqrs_openobserve.testing import Reply, stored

from cqrs.clock import SystemClock

Make = Callable[..., Any]


def carried_out(site: Any, name: str = "cqrs_commands") -> str | Refusal:
    """Complete one stream as the plan says."""
    stream = next(each for each in site.desired.streams if each.name == name)
    change = stream_changes(stream, site.actual().stream(name))[0]
    return StreamSteps(site.configuration, site.client, SystemClock(), lambda _: None).carry_out(
        stream, change
    )


def test_a_stream_is_made_with_columns_index_and_retention(make_site: Make) -> None:
    """In two calls, since a wrong setting would leave a half-made stream."""
    site = make_site(stream_retention="7")
    assert carried_out(site) == "with 28 columns"
    found = site.actual().stream("cqrs_commands")
    assert found.settings["data_retention"] == 7
    assert found.settings["index_fields"] == ["record", "message_type", "service_name"]


def test_a_stream_that_an_app_made_meanwhile_is_completed(site: Any) -> None:
    """Between looking and making."""
    stream = site.desired.streams[0]
    change = stream_changes(stream, None)[0]
    site.first("POST", "/cqrs_commands/_json", json=[{"record": "handled"}])
    steps = StreamSteps(site.configuration, site.client, SystemClock(), lambda _: None)
    done = steps.carry_out(stream, change)
    assert "added" in str(done)
    assert "indexed" in str(done)
    assert stream_changes(stream, site.actual().stream(stream.name))[0].kind == "unchanged"


def test_nothing_is_indexed_twice(site: Any) -> None:
    """A server does not de-duplicate what is added."""
    site.init()
    site.first(
        "PUT",
        "/streams/cqrs_commands/settings?type=logs",
        json={"index_fields": {"add": [], "remove": ["record"]}},
    )
    assert carried_out(site) == "indexed record"
    assert sorted(site.actual().stream("cqrs_commands").settings["index_fields"]) == [
        "message_type", "record", "service_name",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("end", "reply", "says"),
    [
        (
            "/_json",
            Reply(200, b'{"code":200,"status":[{"successful":0,"failed":1,"error":"too old"}]}'),
            "too old",
        ),
        ("/_json", Reply(503, b"busy"), "503: busy"),
        ("/_json", stored(1), "did not add"),
        ("/settings", Reply(400, b"field [x] not found"), "400: field [x] not found"),
    ],
    ids=["refused", "busy", "not-added", "settings"],
)
def test_what_a_server_does_not_do_is_said(
    make_site: Make, server: Any, end: str, reply: Reply, says: str
) -> None:
    """The next run tries again."""
    site = make_site()
    site.first("POST", "/cqrs_commands/_json", json=[{"record": "handled"}])
    server.behave = lambda received: (
        reply if received.path.partition("?")[0].endswith(end) else site.bridge(received)
    )
    done = carried_out(site)
    assert isinstance(done, Refusal)
    assert says in done.text
    server.behave = site.bridge
    assert isinstance(carried_out(site), str)
