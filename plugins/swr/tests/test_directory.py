import os
import stat
from pathlib import Path

import pytest
from cqrs_swr.directory import QUARANTINE, filesystem_of, prepare, prepare_file, refusal, set_aside, size_of


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def _no_umask() -> object:
    """Nothing is taken off the modes that files are made with."""
    old = os.umask(0)
    yield
    os.umask(old)


@pytest.mark.usefixtures("_no_umask")
def test_a_folder_and_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask is (S2)."""
    folder = tmp_path / "a" / "b"
    prepare(folder)
    prepare_file(folder / "cache.db")

    assert (mode(folder), mode(folder / "cache.db")) == (0o700, 0o600)
    assert refusal(folder) is None


@pytest.mark.parametrize("loose", [0o770, 0o707, 0o777, 0o720])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, loose: int) -> None:
    """They could put answers into it (H4)."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(loose)

    assert "can be written by others" in (refusal(folder) or "")
    with pytest.raises(PermissionError):
        prepare(folder)


def test_what_is_no_folder_of_ours_is_refused(tmp_path: Path) -> None:
    """A link, a file, or what belongs to somebody else (H4, C6)."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("x")

    assert "symbolic link" in (refusal(tmp_path / "link") or "")
    assert "not a folder" in (refusal(tmp_path / "file") or "")
    assert "cannot be looked at" in (refusal(tmp_path / "file" / "below") or "")
    assert refusal(tmp_path / "missing") is None


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns it can change what is in it."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    assert "belongs to user" in (refusal(tmp_path) or "")


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    """Nothing outside of the folder is opened."""
    (tmp_path / "target").write_text("secret")
    (tmp_path / "cache.db").symlink_to(tmp_path / "target")

    with pytest.raises(OSError, match=r"cache\.db"):
        prepare_file(tmp_path / "cache.db")
    (tmp_path / "cache.db").unlink()
    (tmp_path / "cache.db").mkdir()
    with pytest.raises(OSError, match=r"cache\.db"):
        prepare_file(tmp_path / "cache.db")


def test_one_damaged_folder_is_kept(tmp_path: Path) -> None:
    """The next one takes its place; the disk does not fill up with them."""
    folder = tmp_path / "store"
    aside = tmp_path / f"store.{QUARANTINE}"
    for content in ("first", "second"):
        folder.mkdir()
        (folder / "cache.db").write_text(content)
        set_aside(folder)

    assert not folder.exists()
    assert (aside / "cache.db").read_text() == "second"
    set_aside(folder)
    assert not aside.exists()


def test_the_filesystem_is_found_among_the_mounts(tmp_path: Path) -> None:
    """The longest mount point that the folder is below."""
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/a / ext4 rw 0 0\nserver:/x /srv nfs4 rw 0 0\nshort\n/dev/b /srv/my\\040disk xfs rw 0 0\n"
    )

    assert filesystem_of(Path("/srv/cache"), mounts) == "nfs4"
    assert filesystem_of(Path("/srv/my disk/cache"), mounts) == "xfs"
    assert filesystem_of(Path("/var"), mounts) == "ext4"
    assert filesystem_of(Path("/var"), tmp_path / "missing") == ""


def test_the_size_is_that_of_all_files(tmp_path: Path) -> None:
    """Deep down as well."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"x" * 10)
    (tmp_path / "two").write_bytes(b"x" * 5)

    assert size_of(tmp_path) == 15
