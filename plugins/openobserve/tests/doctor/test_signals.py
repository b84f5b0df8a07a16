"""Why a signal is not seen: switched off, rare, missing, or older than what pages show."""

from collections.abc import Callable

import pytest
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.signals import judge, off
from cqrs_openobserve.doctor.streams import ALWAYS, StreamFacts
from cqrs_openobserve.payloads import Signal

Configure = Callable[..., Configuration]
ON = {"metrics_enabled": "true", "tracing_enabled": "true"}


def facts(metrics: tuple[str, ...] | None, age: float | None = None) -> StreamFacts:
    newest = {("metrics", ALWAYS): age} if metrics else {}
    return StreamFacts({"logs": (), "metrics": metrics, "traces": ()}, newest)  # type: ignore[arg-type]  # keys are literals


def said(configure: Configure, streams: StreamFacts | None, **given: str) -> dict[str, tuple[str, str, str]]:
    lines = judge(configure(**(ON | given)).settings, streams)
    assert [line.name for line in lines] == ["logs", "metrics", "traces"]
    return {line.name: (line.status, line.text, line.fix) for line in lines}


def test_usual_settings_are_fine(configure: Configure) -> None:
    """With how often and how many."""
    lines = said(configure, facts((ALWAYS,), 10.0))
    assert {line[0] for line in lines.values()} == {"ok"}
    assert "metrics arrived 10 s ago" in lines["metrics"][1]
    assert "1 trace in 10" in lines["traces"][1]


@pytest.mark.parametrize(
    ("signal", "given", "fix"),
    [
        ("logs", {"logs_enabled": "false"}, "export OPENOBSERVE_LOGS_ENABLED=true"),
        ("metrics", {"metrics_enabled": "false"}, "export OPENOBSERVE_METRICS_ENABLED=true"),
        ("traces", {"tracing_enabled": "false"}, "export OPENOBSERVE_TRACING_ENABLED=true"),
        ("traces", {"tracing_sampling_rate": "0"}, "export OPENOBSERVE_TRACING_SAMPLING_RATE=0.1"),
        ("traces", {"tracing_sampling_rate": "0.001"}, "export OPENOBSERVE_TRACING_SAMPLING_RATE=0.1"),
        ("logs", {"log_level": "ERROR"}, "export CQRS_LOG_LEVEL=INFO"),
        ("metrics", {"enabled": "false"}, "export OPENOBSERVE_ENABLED=true"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_is_switched_off_or_rare_is_told_with_the_command(
    configure: Configure, signal: Signal, given: dict[str, str], fix: str
) -> None:
    """A warning: it may be meant."""
    line = said(configure, None, **given)[signal]
    assert (line[0], line[2]) == ("warn", fix)


@pytest.mark.parametrize(
    ("streams", "text", "fix"),
    [
        (facts(()), f"there is no stream {ALWAYS}", "cqrs openobserve verify"),
        (facts(("other",)), "cqrs.command.duration is cqrs_command_duration_bucket", "15 s"),
        (facts((ALWAYS,), 3600.0), "60 min ago, and pages show the last 15 minutes", "longer time range"),
        (facts((ALWAYS,)), "more than 7 days ago", "longer time range"),
    ],
    ids=["missing", "name format", "time range", "long ago"],
)
def test_metrics_that_are_not_shown_are_explained(
    configure: Configure, streams: StreamFacts, text: str, fix: str
) -> None:
    """Missing, looked for under another name, or outside of what pages show."""
    line = said(configure, streams)["metrics"]
    assert line[0] == "warn"
    assert text in line[1]
    assert fix in line[2]


def test_without_a_server_only_the_settings_are_judged(configure: Configure) -> None:
    """Nothing is said to be missing that was not looked for."""
    assert {line[0] for line in said(configure, None).values()} == {"ok"}
    assert {line[0] for line in said(configure, facts(None)).values()} == {"ok"}


def test_what_is_on_is_not_off(configure: Configure) -> None:
    """Of each signal."""
    settings = configure(**ON).settings
    assert [off(settings, signal) for signal in ("logs", "metrics", "traces")] == [None] * 3
