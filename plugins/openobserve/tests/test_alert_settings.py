"""The settings of what ``init`` makes."""

import os
import subprocess
import sys

from cqrs_openobserve.alert_settings import AlertSettings
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.thresholds import Threshold

from cqrs.settings import report, variables

NEEDED = {"OPENOBSERVE_URL": "http://localhost:5080", "OPENOBSERVE_TOKEN": "a:b"}


def configured(**env: str) -> Configuration:
    return read({**NEEDED, **env}).unwrap()


def test_defaults_are_those_of_the_design() -> None:
    """Limits, windows in minutes, and the guard."""
    found = configured().settings
    limits = {
        "command_error_rate": (1.0, 5), "command_p95": (500.0, 10), "query_p95": (300.0, 10),
        "cache_hit_rate": (50.0, 15),
    }  # fmt: skip
    for name, (limit, minutes) in limits.items():
        assert getattr(found, f"alert_{name}") == Threshold(limit)
        assert getattr(found, f"alert_{name}_window") == minutes * 60_000
    assert (found.alert_dead_letters, found.alert_dead_letters_window) == (0, 5 * 60_000)
    assert (found.alert_dead_letter_backlog, found.alert_dead_letter_backlog_window) == (0, 5 * 60_000)
    assert (found.alert_least, found.alert_channel, found.stream_retention) == (20, None, 0)


def test_each_has_its_variable() -> None:
    """And what stands there wins."""
    found = configured(
        CQRS_ALERT_COMMAND_ERROR_RATE="2.5",
        CQRS_ALERT_COMMAND_P95_MS="2x1d",
        CQRS_ALERT_QUERY_P95_WINDOW="20m",
        CQRS_ALERT_CHANNEL="email:ops@example.com",
        CQRS_STREAM_RETENTION_DAYS="30",
        CQRS_ALERT_LEAST="5",
    ).settings
    assert found.alert_command_error_rate == Threshold(2.5)
    assert found.alert_command_p95 == Threshold.relative(to="1d", factor=2.0)
    assert found.alert_query_p95_window == 20 * 60_000
    assert str(found.alert_channel) == "email:ops@example.com"
    assert (found.stream_retention, found.alert_least) == (30, 5)


def test_given_in_code_they_are_read_alike() -> None:
    """A threshold as a value, a number or a text."""
    relative = Threshold.relative(to="1d", factor=2.0)
    found = read(
        NEEDED, {"alert_command_error_rate": relative, "alert_query_p95": "200", "alert_least": 3}
    ).unwrap()
    assert found.settings.alert_command_error_rate == relative
    assert found.settings.alert_query_p95 == Threshold(200.0)


def test_wrong_ones_are_told_all_at_once_without_the_channel() -> None:
    """By variable; what stands in CQRS_ALERT_CHANNEL may be a secret."""
    problems = read(
        {**NEEDED, "CQRS_ALERT_COMMAND_ERROR_RATE": "101", "CQRS_ALERT_QUERY_P95_WINDOW": "5",
         "CQRS_ALERT_CHANNEL": "https://hooks.example.com/canary"}
    ).failure()  # fmt: skip
    told = "\n".join(str(problem) for problem in problems)
    for name in ("CQRS_ALERT_COMMAND_ERROR_RATE", "CQRS_ALERT_QUERY_P95_WINDOW", "CQRS_ALERT_CHANNEL"):
        assert name in told
    assert "canary" not in told


def test_the_channel_is_masked_wherever_settings_are_shown() -> None:
    """In the report that `cqrs config` prints, in repr, and in a traceback's text of the settings."""
    env = {**NEEDED, "CQRS_ALERT_CHANNEL": "webhook:https://hooks.example.com/canary"}
    settings = read(env).unwrap().settings
    shown = {entry.variable: entry.value for entry in report(settings, env)}
    assert shown["CQRS_ALERT_CHANNEL"] == "********"
    assert "canary" not in repr(settings) + str(settings) + str(shown)


def test_cqrs_config_shows_them_and_masks_the_channel() -> None:
    """As a person runs it."""
    env = {
        "PATH": os.environ["PATH"],
        "CQRS_ALERT_CHANNEL": "webhook:https://hooks.example.com/canary",
        **NEEDED,
    }
    done = subprocess.run(
        [sys.executable, "-m", "cqrs", "config"],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "CQRS_ALERT_COMMAND_ERROR_RATE" in done.stdout, done
    assert "canary" not in done.stdout + done.stderr


def test_every_variable_says_what_it_is() -> None:
    """With an example that its own parser takes."""
    for variable, _ in variables(AlertSettings):
        variable.parser.parse(variable.example)
        assert variable.doc.endswith(".")
