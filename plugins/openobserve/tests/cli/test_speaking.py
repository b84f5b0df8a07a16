"""What every command says of wrong settings and of defects."""

from collections.abc import Callable

import pytest
from click.testing import Result

Run = Callable[..., Result]


@pytest.mark.parametrize("command", ["init", "plan", "verify"])
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"OPENOBSERVE_URL": ""}, "OPENOBSERVE_URL is not set"),
        ({"OPENOBSERVE_TOKEN": ""}, "OPENOBSERVE_TOKEN is not set"),
        ({"OPENOBSERVE_TOKEN": "s3cret-canary"}, "OPENOBSERVE_TOKEN is a secret without a user"),
        ({"OPENOBSERVE_BATCH_SIZE": "many"}, "OPENOBSERVE_BATCH_SIZE='many'"),
        ({"OPENOBSERVE_URL": "localhost:5080"}, "OPENOBSERVE_URL='localhost:5080' has no scheme"),
        ({"OPENOBSERVE_URL": "http://u:s3cret-canary@h"}, "OPENOBSERVE_TOKEN"),
    ],
)
def test_wrong_settings_are_told_by_name(
    run: Run, env: dict[str, str], command: str, changed: dict[str, str], says: str
) -> None:
    """Exit 1, no traceback, no secret, nothing sent."""
    result = run(command, **(env | changed))
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert "canary" not in result.output


def test_a_defect_is_said_without_a_traceback(
    run: Run, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without the secret, should it stand in the exception."""
    import importlib

    module = importlib.import_module("cqrs_openobserve.cli.states")

    def broken(*_: object) -> None:
        raise RuntimeError("user:s3cret-canary")

    monkeypatch.setattr(module, "client_of", broken)
    result = run("init", **env)
    assert result.exit_code == 1
    assert "this is a defect of returns-cqrs-openobserve: RuntimeError: ********" in result.stderr
