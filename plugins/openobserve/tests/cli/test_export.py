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


def test_what_export_did_not_write_is_left_alone(run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """A repository's own README.md, or a file of a rule's name: named, and nothing is written at all."""
    for name in ("README.md", "dashboards/cqrs-commands.json"):
        folder = tmp_path / name.replace("/", "-")
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("# Mine")
        result = run("export", str(folder), **env)
        assert result.exit_code == 1
        assert f"{name} in {folder} was not written by export" in result.stderr
        assert [path for path in folder.rglob("*") if path.is_file()] == [folder / name]
        assert (folder / name).read_text() == "# Mine"


def test_what_is_no_longer_wanted_goes_and_what_others_put_there_stays(
    run: Run, env: dict[str, str], tmp_path: Path
) -> None:
    """Files of an earlier export, known by the README.md that it wrote."""
    hook = {"CQRS_ALERT_CHANNEL": "webhook:https://h.example.com/canary-T0123"}
    assert run("export", str(tmp_path), **env, **hook).exit_code == 0
    assert (tmp_path / "alerts/cqrs_event_dead_letters.json").exists()
    (tmp_path / "alerts/mine.json").write_text("{}")
    assert run("export", str(tmp_path), **env).exit_code == 0
    assert [path.name for path in (tmp_path / "alerts").iterdir()] == ["mine.json"]
    assert not (tmp_path / "destination.json").exists()
    assert (tmp_path / "dashboards/cqrs-commands.json").exists()


def test_a_folder_that_cannot_be_written_is_told(run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """In a sentence."""
    (tmp_path / "streams").write_text("in the way")
    result = run("export", str(tmp_path), **env)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert run("export", str(tmp_path / "streams"), **env).exit_code == 2
