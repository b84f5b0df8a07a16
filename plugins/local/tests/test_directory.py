"""The data directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cqrs_local.directory import DataDirectory, DirectoryError, default_directory


def test_it_is_made_for_its_user_alone(tmp_path: Path) -> None:
    """Records may hold anything: nobody else on the machine lists them."""
    DataDirectory(tmp_path / "a" / "b").release()

    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_second_server_is_told_who_has_it(tmp_path: Path) -> None:
    """One writer per directory; the message names the process."""
    held = DataDirectory(tmp_path)

    with pytest.raises(DirectoryError, match=f"in use by another local server, process {os.getpid()}"):
        DataDirectory(tmp_path)
    held.release()
    DataDirectory(tmp_path).release()


def test_the_lock_of_a_dead_process_does_not_count(tmp_path: Path) -> None:
    """A process that was killed leaves the file, not the lock."""
    code = f"from pathlib import Path; from cqrs_local.directory import DataDirectory; import os; d = DataDirectory(Path({str(tmp_path)!r})); os._exit(9)"
    subprocess.run([sys.executable, "-c", code], check=False)

    DataDirectory(tmp_path).release()


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    """The message says so."""
    (tmp_path / "file").touch()

    with pytest.raises(DirectoryError, match="is a file, not a directory"):
        DataDirectory(tmp_path / "file")
    with pytest.raises(DirectoryError, match="cannot be written: Not a directory"):
        DataDirectory(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("environment", "platform", "path"),
    [
        ({"HOME": "/h"}, "linux", "/h/.local/state/returns-cqrs/local"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/s"}, "linux", "/s/returns-cqrs/local"),
        ({"HOME": "/h", "XDG_STATE_HOME": "relative"}, "linux", "/h/.local/state/returns-cqrs/local"),
        (
            {"HOME": "/h", "XDG_STATE_HOME": "/s"},
            "darwin",
            "/h/Library/Application Support/returns-cqrs/local",
        ),
    ],
)
def test_the_default_is_where_programs_keep_their_state(
    environment: dict[str, str], platform: str, path: str
) -> None:
    """By the conventions of the platform; a relative XDG directory does not count, as its standard says."""
    assert default_directory(environment, platform) == Path(path)
