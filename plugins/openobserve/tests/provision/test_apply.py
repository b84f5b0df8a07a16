"""Brings the server into the desired state."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.provision.apply import Step, apply
from cqrs_openobserve.testing import FaultServer, Reply

Configure = Callable[..., Configuration]


@pytest.fixture
def init(configure: Configure) -> Callable[..., list[Step]]:
    def init(**given: Any) -> list[Step]:
        configuration = configure(**given)
        client = client_of(configuration, configuration.admin)
        steps = list(apply(configuration, client, sleep=lambda _: None))
        client.close()
        return steps

    return init


def did(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.subject, step.did) for step in steps]


def test_streams_are_created_once(store: Any, init: Callable[..., list[Step]]) -> None:
    """With every column; the second time nothing changes and nothing is written."""
    assert did(init()) == [(name, "created") for name in ("cqrs_commands", "cqrs_queries", "cqrs_events")]
    schemas = json.dumps(store.schemas)
    assert did(init()) == [(name, "unchanged") for name in ("cqrs_commands", "cqrs_queries", "cqrs_events")]
    assert json.dumps(store.schemas) == schemas
    assert store.rows == {}


def test_columns_that_a_stream_lacks_are_added(store: Any, init: Callable[..., list[Step]]) -> None:
    """By one typed record that counts nowhere, and only where something is missing."""
    init()
    for column in ("outcome", "duration_ms", "sampled"):
        del store.schemas["cqrs_commands"][column]
    steps = init()

    assert did(steps)[0] == ("cqrs_commands", "changed")
    assert steps[0].text == "added outcome, duration_ms, sampled"
    assert store.schemas["cqrs_commands"]["duration_ms"] == "Float64"
    ((stream, (row,)),) = store.rows.items()
    assert (stream, row["record"]) == ("cqrs_commands", "probe")
    assert [step.did for step in init()] == ["unchanged"] * 3


def test_an_app_that_ran_before_init_is_completed(
    store: Any, init: Callable[..., list[Step]], make_pipeline: Any, observe: Any
) -> None:
    """The stream that its records made gets the columns that they did not have."""
    pipeline = make_pipeline()
    pipeline.queue.offer(observe())
    pipeline.flush(5)
    assert "error_type" not in store.schemas["cqrs_commands"]

    assert [step.did for step in init()] == ["changed", "created", "created"]
    assert store.schemas["cqrs_commands"]["error_type"] == "Utf8"


def test_a_widened_column_is_told_with_the_way_out(store: Any, init: Callable[..., list[Step]]) -> None:
    """No call of the server takes it back."""
    init()
    store.schemas["cqrs_queries"]["duration_ms"] = "Utf8"
    steps = init()

    assert [step.ok for step in steps] == [True, False, True]
    assert "duration_ms is Utf8, not Float64" in steps[1].text
    assert "CQRS_STREAM_QUERIES" in steps[1].hint


@pytest.mark.parametrize(
    ("given", "says"),
    [({}, "set OPENOBSERVE_ADMIN_TOKEN"), ({"admin_token": "a:b"}, "check OPENOBSERVE_ADMIN_TOKEN")],
)
@pytest.mark.parametrize("status", [401, 403])
def test_an_ingestion_token_is_told_at_once(
    store: Any, init: Callable[..., list[Step]], given: dict[str, str], says: str, status: int
) -> None:
    """After the first step nothing else could work."""
    store.fails["POST", "/streams/cqrs_commands"] = Reply(status, b"Unauthorized Access")
    (step,) = init(**given)
    assert not step.ok
    assert "Unauthorized Access" in step.text
    assert says in step.hint


def test_the_admin_token_is_used(server: FaultServer, store: Any, init: Callable[..., list[Step]]) -> None:
    """Not the one that records are sent with."""
    init(admin_token="Basic YTpi")
    assert {received.headers["authorization"] for received in server.received} == {"Basic YTpi"}
    assert store.schemas


def test_no_server_is_told_at_once(init: Callable[..., list[Step]]) -> None:
    """With the variable to look at."""
    (step,) = init(url="http://127.0.0.1:9")
    assert "refused the connection" in step.text
    assert "OPENOBSERVE_URL" in step.hint


@pytest.mark.parametrize(
    "answer",
    [Reply(500, b"oops"), Reply(200, b"<html>"), Reply(404, b"no"), Reply(200, b'{"schema":1}')],
    ids=str,
)
def test_odd_answers_are_steps_that_failed(
    store: Any, init: Callable[..., list[Step]], answer: Reply
) -> None:
    """Each with something to do about it; the other streams are still tried."""
    init()
    store.fails["GET", "/cqrs_commands/schema"] = answer
    steps = init()
    assert [step.did for step in steps][1:] == ["unchanged"] * 2
    assert steps[0].did in {"failed", "changed"}
    assert all(step.ok or step.hint for step in steps)


def test_columns_that_do_not_appear_are_told(store: Any, init: Callable[..., list[Step]]) -> None:
    """The server said it stored the record, and still has no such column."""
    init()
    del store.schemas["cqrs_commands"]["outcome"]
    store.fails["POST", "/cqrs_commands/_json"] = Reply(
        200, b'{"code":200,"status":[{"name":"s","successful":1,"failed":0}]}'
    )
    assert "did not add outcome" in init()[0].text
    store.fails["POST", "/cqrs_commands/_json"] = Reply(
        200, b'{"code":200,"status":[{"name":"s","successful":0,"failed":1,"error":"too old"}]}'
    )
    assert "too old" in init()[0].text
