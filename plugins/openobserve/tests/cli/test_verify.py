"""``verify`` as a person runs it."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from cqrs_openobserve.testing import Reply

Run = Callable[..., Result]


def test_verify_proves_each_stream(run: Run, env: dict[str, str], store: Any) -> None:
    """Exit 0, with the delay of each."""
    result = run("verify", "--timeout", "5s", **env)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("proven") == 3
    assert store.rows


def test_a_miss_is_exit_1_with_its_cause(run: Run, env: dict[str, str], store: Any) -> None:
    """On the same output as what was proven."""
    store.fails["POST", "/_search"] = Reply(401, b"Unauthorized Access")
    result = run("verify", "--timeout", "500ms", **env)
    assert result.exit_code == 1
    assert result.stdout.count("MISSED") == 3
    assert "Likely cause: an ingestion token may only send: set OPENOBSERVE_ADMIN_TOKEN" in result.stdout


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"CQRS_LOG_LEVEL": "WARN"}, ("no denominator", 0)),
        ({"OPENOBSERVE_ENABLED": "false"}, ("OPENOBSERVE_ENABLED is off", 1)),
        ({"OPENOBSERVE_LOGS_ENABLED": "false"}, ("OPENOBSERVE_LOGS_ENABLED is off", 1)),
    ],
)
def test_settings_that_make_a_proof_worthless_are_said(
    run: Run, env: dict[str, str], store: Any, changed: dict[str, str], told: tuple[str, int]
) -> None:
    """The way works, but the app does not use it as one might think."""
    result = run("verify", "--timeout", "5s", **(env | changed))
    assert told[0] in result.stderr
    assert result.exit_code == told[1]
    assert store.rows
