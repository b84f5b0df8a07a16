"""Probes sent and read back: what is waited for, what ends it, and what each miss is blamed on."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.configuration import read
from cqrs_openobserve.verify import Finding, Verification

Env = dict[str, str]
SMALL = {"OPENOBSERVE_METRICS_ENABLED": "false", "OPENOBSERVE_TRACING_ENABLED": "false"}


class Stepped:
    """A clock that can be set forward."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def time_ns(self) -> int:
        """Wall-clock time."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Time since some point."""
        return time.monotonic_ns() + self.ahead_ns


@pytest.fixture
def live(start: Callable[[str], Any], env_of: Callable[[Any], Env], command: Any) -> Any:
    """A server on which ``init`` has run."""
    found = start("newest")
    assert command("init", **env_of(found)).exit_code == 0
    return found


@pytest.fixture
def verify(live: Any, env_of: Callable[[Any], Env]) -> Callable[..., dict[str, Finding]]:
    """Runs it with records only; gives the findings by stream."""

    def verify(timeout_s: float = 60.0, **given: str) -> dict[str, Finding]:
        configuration = read(env_of(live) | SMALL | given).unwrap()
        return {each.subject: each for each in Verification(configuration, timeout_s=timeout_s).run()}

    return verify


def searches(status: int, body: bytes) -> Callable[[str, str, bytes], Any]:
    """Answers searches for probes; other requests go through."""
    return lambda _, path, sent: (
        (status, body) if path.endswith("/_search") and b"correlation_id" in sent else None
    )


def test_probes_are_marked_and_read_back(live: Any, verify: Callable[..., dict[str, Finding]]) -> None:
    """With fields and types; alerts and panels leave them out by their record."""
    found = verify()
    assert {
        name: each.outcome for name, each in found.items() if each.proof == "logs" and name != "logs"
    } == {
        "cqrs_commands": "proven",
        "cqrs_queries": "proven",
        "cqrs_events": "proven",
    }
    now = live.gate.clock.time_ns() // 1000
    query = {"sql": 'SELECT record FROM "cqrs_events"', "start_time": now - 10**9, "end_time": now + 10**9}
    rows = live.request("POST", "/api/{org}/_search?type=logs", json={"query": query}).json()["hits"]
    assert [row["record"] for row in rows] == ["probe"]


def test_a_record_that_becomes_visible_late_is_waited_for(
    live: Any, verify: Callable[..., dict[str, Finding]]
) -> None:
    """Fields that are not known yet are asked for again."""
    early, asked = searches(400, b'{"code":20004,"message":"unknown field"}'), list[bytes]()

    def answer(method: str, path: str, body: bytes) -> Any:
        told = early(method, path, body)
        asked.extend([body] if told and b"cqrs_commands" in body else [])
        return told if len(asked) < 4 else None

    live.gate.answer = answer
    found = verify()
    assert found["cqrs_commands"].outcome == "proven"
    assert len(asked) == 4


@pytest.mark.parametrize("code", [20002, 20004, 20008])
def test_a_probe_that_never_appears_is_a_miss(live: Any, env_of: Callable[[Any], Env], code: int) -> None:
    """After the timeout, with the likeliest cause."""
    asked: set[bytes] = set()
    unknown = searches(400, b'{"code":%d}' % code)
    clock = Stepped()

    def answer(method: str, path: str, body: bytes) -> Any:
        told = unknown(method, path, body)
        asked.update([body.partition(b"FROM ")[2].partition(b" WHERE")[0]] if told else [])
        return told

    def sleep(_: float) -> None:
        # The time is over once each probe was stored and looked for, however slow this machine is.
        clock.ahead_ns = 10**12 if len(asked) == 3 else 0
        time.sleep(0.01)

    live.gate.answer = answer
    configuration = read(env_of(live) | SMALL).unwrap()
    verification = Verification(configuration, timeout_s=60, clock=clock, sleep=sleep)
    found = {each.subject: each for each in verification.run()}
    assert found["cqrs_commands"].text == "the probe was stored, but was not found"
    assert "--timeout" in found["cqrs_commands"].cause


@pytest.mark.parametrize(
    ("answer", "says", "cause"),
    [
        ((401, b"Unauthorized Access"), "401: Unauthorized Access", "OPENOBSERVE_ADMIN_TOKEN"),
        ((404, b"x"), "404", "OPENOBSERVE_ORGANIZATION"),
        ((500, b"boom \x1b[31m"), "500: boom [31m", "log"),
        ((200, b'{"hits":[],"is_partial":true}'), "cannot be read back", "OpenObserve"),
        ((200, b'{"hits":[{}],"function_error":["x"]}'), "cannot be read back", "OpenObserve"),
        ((200, b"<html>"), "cannot be read back", "OpenObserve"),
    ],
    ids=["401", "404", "500", "partial", "function", "page"],
)
def test_a_search_that_fails_is_a_miss_at_once(
    live: Any, verify: Callable[..., dict[str, Finding]], answer: tuple[int, bytes], says: str, cause: str
) -> None:
    """A partial answer is an error, also when it is a 200."""
    live.gate.answer = searches(*answer)
    found = verify()["cqrs_commands"]
    assert found.outcome == "missed"
    assert says in found.text
    assert cause in found.cause


def test_one_bad_stream_does_not_hide_the_others(
    live: Any, verify: Callable[..., dict[str, Finding]], capfd: pytest.CaptureFixture[str]
) -> None:
    """Each is judged for itself, and nothing is spooled for later."""
    live.gate.answer = lambda _, path, __: (400, b"quota") if path.endswith("/cqrs_queries/_json") else None
    found = verify()
    assert [found[name].outcome for name in ("cqrs_commands", "cqrs_queries", "cqrs_events")] == [
        "proven",
        "missed",
        "proven",
    ]
    assert "400: quota" in found["cqrs_queries"].text
    assert "canary" not in capfd.readouterr().err


def test_a_record_and_a_span_that_do_not_fit_together_are_a_miss(
    live: Any, verify: Callable[..., dict[str, Finding]]
) -> None:
    """Something on the way changed an id."""
    row = {
        "span_id": "0" * 16,
        "trace_id": "0" * 32,
        "operation_name": "x",
        "service_name": "x",
        "duration": 1,
    }
    told = json.dumps({"hits": [row]}).encode()
    live.gate.answer = lambda _, path, body: (
        (200, told) if path.endswith("/_search") and b"WHERE trace_id" in body else None
    )
    found = verify(OPENOBSERVE_TRACING_ENABLED="true")
    wrong = [each for each in found.values() if each.proof == "correlation"]
    assert [each.outcome for each in wrong] == ["missed"]
    assert "trace_id, span_id" in wrong[0].text


def test_progress_is_told(live: Any, env_of: Callable[[Any], Env]) -> None:
    """How many of how many are still waited for; at the end none."""
    told: list[tuple[int, int]] = []
    configuration = read(env_of(live) | SMALL).unwrap()
    list(Verification(configuration, timeout_s=60, progress=lambda *at: told.append(at)).run())
    assert told[-1] == (0, 3)
    assert all(0 <= waiting <= of == 3 for waiting, of in told)


def test_a_stream_that_does_not_exist_is_not_made(
    live: Any, verify: Callable[..., dict[str, Finding]]
) -> None:
    """It would be one without what alerts and dashboards need."""
    live.request("DELETE", "/api/{org}/streams/cqrs_commands?type=logs&delete_all=true")
    found = verify()
    assert found["cqrs_commands"].outcome == "missed"
    listed = live.request("GET", "/api/{org}/streams?type=logs").json()["list"]
    assert "cqrs_commands" not in {each["name"] for each in listed}
