"""Private directories, and locks that end with their process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cqrs_openobserve.directories import Lock, is_locked, is_private, make_private


def test_a_new_directory_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the mask is; one that is there already is accepted."""
    mask = os.umask(0)
    try:
        made = make_private(tmp_path / "a" / "b", parents=True)
    finally:
        os.umask(mask)
    assert made.stat().st_mode & 0o777 == 0o700
    assert make_private(made) == made


def test_a_directory_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    """Also a link to a good one, and a file."""
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(make_private(tmp_path / "good"))
    for refused in (open_to_all, link):
        with pytest.raises(OSError, match="others may write"):
            make_private(refused)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"."):
        make_private(tmp_path / "file")
    assert not is_private(tmp_path / "file")
    assert not is_private(tmp_path / "absent")


@pytest.mark.parametrize("owner", [0, 4711])
def test_a_directory_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int
) -> None:
    """It belongs to this user only if this user is its owner."""
    mine = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner if owner != mine else owner + 1)
    assert not is_private(tmp_path)


HOLD = """
import sys
from pathlib import Path
from cqrs_openobserve.directories import Lock
lock = Lock.taken(Path(sys.argv[1]))
print(lock is not None, flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_by_one_process_and_ends_with_it(tmp_path: Path) -> None:
    """Also if it is killed."""
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert Lock.taken(path) is None
        holder.kill()
    lock = Lock.taken(path)
    assert lock is not None
    assert Lock.taken(path) is None
    lock.release()
    again = Lock.taken(path)
    assert again is not None
    again.release()


def test_a_childs_copy_of_a_lock_is_not_the_lock(tmp_path: Path) -> None:
    """A forked child lets go of its copy, and its parent keeps the lock."""
    path = tmp_path / "lock"
    lock = Lock.taken(path)
    assert lock is not None
    twin = Lock(os.dup(lock._descriptor))
    twin.forget()
    assert Lock.taken(path) is None
    lock.release()


def test_a_lock_on_a_file_that_was_removed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process removed the directory between opening and locking."""
    path = tmp_path / "lock"
    opening = os.open

    def removed(*arguments: object) -> int:
        descriptor = opening(*arguments)  # type: ignore[arg-type]  # passed on as they came
        path.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", removed)
    assert Lock.taken(path) is None


def test_a_lock_is_seen_from_outside_and_left_alone(tmp_path: Path) -> None:
    """Held, released, and never made by looking."""
    path = tmp_path / "lock"
    assert not is_locked(path)
    assert not path.exists()
    lock = Lock.taken(path)
    assert lock is not None
    assert is_locked(path)
    lock.release()
    assert not is_locked(path)
    again = Lock.taken(path)
    assert again is not None
    again.release()
