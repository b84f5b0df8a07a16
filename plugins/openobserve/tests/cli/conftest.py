"""What the tests of the commands share: a way to run one, settings for a server that stores everything."""

import os
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result
from cqrs_openobserve.cli import group
from cqrs_openobserve.testing import FaultServer

SECRET = "user:s3cret-canary"


class Run(Protocol):
    """Runs a command."""

    def __call__(self, *arguments: str, **env: str) -> Result:
        """Run it with these variables and no other of ours."""
        ...


@pytest.fixture
def run() -> Run:
    """Runs a command in this process."""

    def run(*arguments: str, **env: str) -> Result:
        clean: dict[str, str | None] = {
            name: None for name in os.environ if name.startswith(("OPENOBSERVE_", "CQRS_", "OTEL_"))
        }
        return CliRunner().invoke(group, arguments, env=clean | env)

    return run


@pytest.fixture
def env(server: FaultServer) -> dict[str, str]:
    """Settings for the server."""
    return {
        "OPENOBSERVE_URL": server.url,
        "OPENOBSERVE_TOKEN": SECRET,
        "OPENOBSERVE_EXIT_TIMEOUT": "200ms",
        "OPENOBSERVE_TIMEOUT": "500ms",
    }


@pytest.fixture
def local(server: FaultServer, make_bridge: Callable[..., Any], env: dict[str, str]) -> Any:
    """A local server behind the fault server; the settings name it."""
    server.behave = bridge = make_bridge()
    env |= {"OPENOBSERVE_TOKEN": bridge.token, "OPENOBSERVE_TIMEOUT": "10s", "OPENOBSERVE_SPOOL_DIR": "none"}
    return bridge
