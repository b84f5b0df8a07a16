"""What this plugin sends."""

from collections.abc import Callable

import pytest
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.log_lines import LogLine
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.plan import Queues, plan_of
from cqrs_openobserve.records import Anchor
from cqrs_openobserve.testing import rows_of


def test_observations_become_rows_of_this_process(
    configure: Callable[..., Configuration], observe: Callable[..., Observation]
) -> None:
    """In their stream, numbered under the process's id; another process begins at nothing."""
    queues = Queues(lambda: None)
    for instance in ("one", "two"):
        queues.observations.offer(observe())
        feed = plan_of(configure(), queues, instance, 0).feeds[0]
        (payload,) = feed.next_round(10, Anchor(0, 0)).payloads
        assert (feed.signal, payload.path) == ("logs", "/cqrs_commands/_json")
        assert [row["record_id"] for row in rows_of(payload)] == [f"{instance}-1"]


@pytest.mark.parametrize(
    ("given", "signals", "timers"),
    [
        ({}, ["logs", "traces", "metrics"], 0),
        ({"stream_logs": "app-logs"}, ["logs", "traces", "metrics", "logs"], 0),
        ({"metrics_enabled": "true", "metric_interval": "2s"}, ["logs", "traces", "metrics"], 1),
    ],
)
def test_what_is_switched_on_is_carried(
    configure: Callable[..., Configuration], given: dict[str, str], signals: list[str], timers: int
) -> None:
    """Spans and metrics that are handed over travel always; log lines and metrics of our own if asked for."""
    plan = plan_of(configure(**given), Queues(lambda: None), "one", 0)

    assert [feed.signal for feed in plan.feeds] == signals
    assert [timer.seconds for timer in plan.timers] == [2.0] * timers


def test_log_lines_become_rows_of_their_stream(configure: Callable[..., Configuration]) -> None:
    """Under the server's name of it."""
    queues = Queues(lambda: None)
    queues.lines.offer(LogLine(0, "INFO", "app", "hello"))
    feed = plan_of(configure(stream_logs="app-logs"), queues, "one", 0).feeds[3]
    (payload,) = feed.next_round(10, Anchor(0, 0)).payloads

    assert payload.path == "/app_logs/_json"
    assert [(row["message"], row["record_id"]) for row in rows_of(payload)] == [("hello", "one-l1")]
