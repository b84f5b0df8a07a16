"""``init`` as a person runs it."""

from collections.abc import Callable
from typing import Any

from click.testing import Result
from cqrs_openobserve.testing import Reply

Run = Callable[..., Result]


def test_init_says_each_step_and_then_that_nothing_changes(run: Run, env: dict[str, str], store: Any) -> None:
    """Exit 0 both times."""
    first, second = run("init", **env), run("init", **env)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.count("created") == 3
    assert second.stdout.count("unchanged") == 3
    assert f"{env['OPENOBSERVE_URL']}, organisation default" in first.stdout
    assert "canary" not in first.output + second.output
    assert store.schemas


def test_a_step_that_fails_is_exit_1_with_its_fix(run: Run, env: dict[str, str], store: Any) -> None:
    """On standard error."""
    store.fails["POST", "/streams/cqrs_commands"] = Reply(401, b"Unauthorized Access s3cret-canary")
    result = run("init", **env)
    assert result.exit_code == 1
    assert "401: Unauthorized Access ********" in result.stderr
    assert "Fix: an ingestion token may only send" in result.stderr
    assert "canary" not in result.output
