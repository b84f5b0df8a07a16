"""``export`` as a person runs it."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Run = Callable[..., Result]


def test_files_are_written_without_asking_a_server(run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """Again they are the same."""
    env |= {
        "OPENOBSERVE_URL": "http://127.0.0.1:9",
        "CQRS_ALERT_CHANNEL": "webhook:https://h.example.com/canary-T0123",
    }
    folder = tmp_path / "out"
    result = run("export", str(folder), **env)
    assert result.exit_code == 0, result.output
    board = json.loads((folder / "dashboards/cqrs-commands.json").read_text())
    assert (board["version"], board["title"]) == (5, "CQRS commands")
    assert len(list((folder / "alerts").iterdir())) == 6
    everything = {path: path.read_bytes() for path in folder.rglob("*.*")}
    assert b"canary" not in b"".join(everything.values())
    assert "canary" not in result.output
    run("export", str(folder), **env)
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == everything


def test_a_folder_that_cannot_be_written_is_told(run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """In a sentence."""
    (tmp_path / "streams").write_text("in the way")
    result = run("export", str(tmp_path), **env)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert run("export", str(tmp_path / "streams"), **env).exit_code == 2
