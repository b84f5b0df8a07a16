"""Proves an installation, or says what is missing."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.plugin import client_of, pipeline_of
from cqrs_openobserve.testing import FaultServer, Hang, Reply
from cqrs_openobserve.verify import Finding, Verification

STREAMS = ("cqrs_commands", "cqrs_queries", "cqrs_events")


@pytest.fixture
def verify(configure: Callable[..., Configuration]) -> Callable[..., list[Finding]]:
    def verify(timeout_s: float = 0.4, **given: Any) -> list[Finding]:
        configuration = configure(**({"exit_timeout": "200ms", "timeout": "300ms", "max_retries": 1} | given))
        pipeline = pipeline_of(configuration)
        client = client_of(configuration, configuration.admin)
        try:
            return list(Verification(configuration, pipeline, client, timeout_s=timeout_s).run())
        finally:
            pipeline.stop()
            client.close()

    return verify


def test_probes_are_read_back_with_fields_and_types(store: Any, verify: Callable[..., list[Finding]]) -> None:
    """One per stream, through the production pipeline, each with its delay."""
    found = verify()
    assert [(finding.stream, finding.proven) for finding in found] == [(stream, True) for stream in STREAMS]
    assert all("read back after" in finding.text and "fields" in finding.text for finding in found)
    assert {stream: [row["record"] for row in rows] for stream, rows in store.rows.items()} == {
        stream: ["probe"] for stream in STREAMS
    }


def test_a_record_that_becomes_visible_late_is_waited_for(
    store: Any, verify: Callable[..., list[Finding]]
) -> None:
    """Fields and streams that are not known yet are asked for again."""
    store.fails["POST", "/_search"] = Reply(400, b'{"code":20004,"message":"unknown field"}')
    timer = threading.Timer(0.3, store.fails.clear)
    timer.start()
    assert all(finding.proven for finding in verify(5))
    timer.join()


@pytest.mark.parametrize("code", [20002, 20004, 20008])
def test_a_probe_that_never_appears_is_a_miss(
    store: Any, verify: Callable[..., list[Finding]], code: int
) -> None:
    """With the likeliest cause."""
    store.fails["POST", "/_search"] = Reply(400, b'{"code":%d}' % code)
    (first, *_) = verify()
    assert (first.proven, first.text) == (False, "the probe was not found")
    assert "OPENOBSERVE_ORGANIZATION" in first.cause


@pytest.mark.parametrize(
    ("answer", "says", "cause"),
    [
        (Reply(401, b"Unauthorized Access"), "401: Unauthorized Access", "OPENOBSERVE_ADMIN_TOKEN"),
        (Reply(404, b"x"), "404", "OPENOBSERVE_ORGANIZATION"),
        (Reply(500, b"boom"), "500: boom", "log"),
        (Reply(200, b'{"hits":[],"is_partial":true}'), "cannot be read back", "OpenObserve"),
        (Reply(200, b'{"hits":[{}],"function_error":["x"]}'), "cannot be read back", "OpenObserve"),
        (Reply(200, b"<html>"), "cannot be read back", "OpenObserve"),
    ],
    ids=str,
)
def test_a_search_that_fails_is_a_miss(
    store: Any, verify: Callable[..., list[Finding]], answer: Reply, says: str, cause: str
) -> None:
    """A partial answer is an error, also when it is a 200."""
    store.fails["POST", "/_search"] = answer
    (first, *_) = verify()
    assert not first.proven
    assert says in first.text
    assert cause in first.cause


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Reply(401, b"Unauthorized Access"), "OPENOBSERVE_TOKEN"),
        (Reply(404, b"Organization not found"), "OPENOBSERVE_ORGANIZATION"),
        (Reply(400, b"Payload too odd"), "Payload too odd"),
        (Reply(200, b"<html>"), "OPENOBSERVE_URL"),
        (Hang(), "OPENOBSERVE_TIMEOUT"),
    ],
    ids=str,
)
def test_a_probe_that_is_not_delivered_is_a_miss(
    store: Any,
    verify: Callable[..., list[Finding]],
    answer: Any,
    cause: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With what the server said to it."""
    for stream in STREAMS:
        store.fails["POST", f"/{stream}/_json"] = answer
    found = verify(1.5)
    assert [finding.proven for finding in found] == [False] * 3
    assert cause in found[0].cause
    assert "canary" not in capsys.readouterr().err


def test_one_bad_stream_does_not_hide_the_others(store: Any, verify: Callable[..., list[Finding]]) -> None:
    """Each is judged for itself."""
    store.fails["POST", "/cqrs_queries/_json"] = Reply(400, b"quota")
    assert [finding.proven for finding in verify(1.5)] == [True, False, True]


def test_wrong_fields_and_types_are_named(store: Any, verify: Callable[..., list[Finding]]) -> None:
    """A column that was widened to text comes back as text."""
    real = store._ingest

    def widening(received: Any) -> Any:
        answer = real(received)
        for row in store.rows[received.stream]:
            row["duration_ms"] = str(row["duration_ms"])
            row.pop("outcome", None)
        return answer

    store._ingest = widening
    (first, *_) = verify()
    assert "duration_ms is a str, not Float64; missing outcome" in first.text
    assert "init" in first.cause


def test_a_clock_that_is_off_is_named(
    server: FaultServer, store: Any, verify: Callable[..., list[Finding]]
) -> None:
    """Measured by the server's Date header."""
    ahead = format_datetime(datetime.now(UTC) + timedelta(hours=6), usegmt=True)
    store.fails["POST", "/_search"] = Reply(200, b'{"hits":[]}', {"Date": ahead})
    (first, *_) = verify()
    assert re.search(r"clock is \+2(1599|1600) s away", first.cause)
    assert server.received
