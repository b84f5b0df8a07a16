"""The command group."""

import subprocess
import sys

import pytest
from click.testing import CliRunner
from cqrs_local.cli import group


@pytest.mark.parametrize("options", [["--port", "x"], ["--port", "70000"], ["--nosuch"], ["extra"]])
def test_a_wrong_use_is_status_2(options: list[str]) -> None:
    """By click's own words."""
    ran = CliRunner().invoke(group, ["up", *options])

    assert ran.exit_code == 2
    assert "Error: " in ran.output


def test_help_is_quick() -> None:
    """Listing commands loads neither the engine nor the server."""
    code = "import sys; import cqrs_local.cli; print(sorted({'datafusion', 'pyarrow', 'uvicorn'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
