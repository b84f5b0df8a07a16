"""``alerts`` as a person runs it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
HOOK = {"CQRS_ALERT_CHANNEL": "webhook:https://hooks.example.com/canary-T0123"}


def test_the_list_says_what_each_alert_is(run: Run, env: dict[str, str], local: Any) -> None:
    """Missing before init, quiet after it, off if somebody switched it off, fired if it did."""
    env |= HOOK
    before = run("alerts", "list", **env)
    assert (before.exit_code, before.stdout.count("missing")) == (1, 6)
    run("init", **env)
    quiet = run("alerts", "list", **env)
    assert (quiet.exit_code, quiet.stdout.count("quiet  ")) == (0, 6), quiet.output
    assert "last evaluated never, last fired never" in quiet.stdout

    local.request("POST", "/api/default/cqrs_events/_json", json=[{"record": "dead_letter"}])
    local.evaluate()
    fired = run("alerts", "list", **env)
    assert fired.stdout.count("fired      cqrs_event_dead_letters") == 1
    key = local.request("GET", "/api/v2/default/alerts").json()["list"][0]["alert_id"]
    local.request("PATCH", f"/api/v2/default/alerts/{key}/enable?value=false")
    off = run("alerts", "list", **env)
    assert (off.exit_code, off.stdout.count("  off  ")) == (1, 1)
    assert "canary" not in off.output + fired.output


def test_without_a_channel_the_list_says_why_there_are_none(
    run: Run, env: dict[str, str], local: Any
) -> None:
    """That is no failure."""
    del local
    result = run("alerts", "list", **env)
    assert (result.exit_code, result.stdout.count("no channel is set")) == (0, 6)


def test_a_rule_is_tried_out(run: Run, env: dict[str, str], local: Any) -> None:
    """Without a channel, too; nothing of it stays."""
    run("init", **env)
    streams = local.request("GET", "/api/default/streams").json()
    result = run("alerts", "test", "cqrs_command_error_rate", **env)
    assert result.exit_code == 0, result.output
    assert "fires" in result.stdout
    assert "100.0 %" in result.stdout
    assert json.dumps(local.request("GET", "/api/default/streams").json()["total"]) == json.dumps(
        streams["total"]
    )


@pytest.mark.parametrize(
    ("arguments", "more", "says", "code"),
    [
        (("no_such_rule",), {}, "it is one of cqrs_command_error_rate", 2),
        (("cqrs_command_error_rate", "--notify"), {}, "set CQRS_ALERT_CHANNEL", 1),
        (("cqrs_command_error_rate",), {"CQRS_ALERT_COMMAND_ERROR_RATE": "2x1d"}, "has no example", 1),
        (
            ("cqrs_command_error_rate",),
            {"OPENOBSERVE_URL": "http://127.0.0.1:9"},
            "refused the connection",
            1,
        ),
    ],
)
def test_what_cannot_be_tried_out_is_told(
    run: Run, env: dict[str, str], arguments: tuple[str, ...], more: dict[str, str], says: str, *, code: int
) -> None:
    """With what there is, or what to set."""
    result = run("alerts", "test", *arguments, **(env | more))
    assert result.exit_code == code
    assert says in result.output
