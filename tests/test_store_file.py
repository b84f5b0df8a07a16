import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from cqrs.store_file import VERSION, connected


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It is made with mode 0600, whatever the umask says, and so is what SQLite puts beside it."""
    path = tmp_path / "deep" / "letters.db"
    with closing(connected(path, 1.0)):
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert "letters.db" in modes
    assert set(modes.values()) == {0o600}


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    """Events stand in it as they are."""
    path = tmp_path / "letters.db"
    path.touch(mode=0o644)
    with closing(connected(path, 1.0)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_written_through_before_it_is_answered(tmp_path: Path) -> None:
    """Write-ahead log, every commit synchronised."""
    with closing(connected(tmp_path / "letters.db", 1.0)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_file_that_is_there_is_opened_as_it_is(tmp_path: Path) -> None:
    """Opening twice makes no second table and loses nothing."""
    for _ in range(2):
        with closing(connected(tmp_path / "letters.db", 1.0)) as connection:
            assert connection.execute("SELECT count(*) FROM letters").fetchone() == (0,)


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    """A program does not write into a file whose columns it does not know."""
    path = tmp_path / "letters.db"
    with closing(connected(path, 1.0)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")

    with pytest.raises(
        sqlite3.DatabaseError, match=f"of version {VERSION + 1}; this program knows version {VERSION}"
    ):
        connected(path, 1.0)


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    """A file of another program is left as it is."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE orders (id INTEGER)")
        other.commit()

    with pytest.raises(sqlite3.DatabaseError, match="a database of something else"):
        connected(path, 1.0)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Text under the name of the store is not overwritten."""
    path = tmp_path / "letters.db"
    path.write_text("dear diary, " * 100)

    with pytest.raises(sqlite3.DatabaseError):
        connected(path, 1.0)
    assert path.read_text().startswith("dear diary")


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    """Where the file ends up is decided by whoever names it, not by who can plant a link."""
    target = tmp_path / "elsewhere"
    (tmp_path / "letters.db").symlink_to(target)

    with pytest.raises(OSError, match="symbolic link"):
        connected(tmp_path / "letters.db", 1.0)
    assert not target.exists()
