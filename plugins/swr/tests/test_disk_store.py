import ast
import pickle  # noqa: TID251 - what an attacker would plant
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cqrs_swr
import pytest
from cqrs_swr.disk_store import DiskTrouble, SafeDisk, Tables
from cqrs_swr.epochs import VERSION_SCOPE
from cqrs_swr.testing import SteppedClock

MIB = 1024 * 1024
KEY = b"k" * 16


@pytest.fixture
def tables(folder: Path, clock: SteppedClock) -> Iterator[Tables]:
    """Open databases."""
    opened = Tables(folder, 8 * MIB, clock)
    yield opened
    opened.close()


def plant(folder: Path, **columns: Any) -> None:
    """Put a row into the database as another program would."""
    values = {
        "key": KEY,
        "raw": 1,
        "store_time": 0,
        "expire_time": None,
        "access_time": 0,
        "size": 0,
        **columns,
    }
    with sqlite3.connect(folder / "rows" / "cache.db") as connection:
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        connection.execute(f"INSERT INTO Cache ({names}) VALUES ({marks})", tuple(values.values()))
    connection.close()


def test_rows_are_kept_and_forgotten(tables: Tables) -> None:
    """Bytes in, bytes out."""
    tables.put(KEY, b"row", 60.0)
    assert (tables.get(KEY), len(tables)) == (b"row", 1)
    tables.remove(KEY)
    tables.remove(KEY)
    assert tables.get(KEY) is None
    tables.put(KEY, b"row", 60.0)
    assert (tables.clear(), tables.get(KEY)) == (1, None)


def test_nothing_on_disk_can_be_read_by_others(tables: Tables, folder: Path) -> None:
    """Databases, their logs and everything else (S2)."""
    tables.put(KEY, b"row", 60.0)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}

    assert {mode for name, mode in modes.items() if name.startswith("cache.db")} == {0o600}
    assert {modes[name] for name in ("rows", "control")} == {0o700}


class Planted:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return (open, ("/nonexistent/ran", "w"))


@pytest.mark.parametrize(
    "columns",
    [
        {"mode": 4, "value": pickle.dumps(Planted())},
        {"mode": 4, "filename": "planted.val", "value": None},
        {"mode": 2, "filename": "/etc/passwd", "value": None},
        {"mode": 3, "filename": "../../secret", "value": None},
        {"mode": 1, "value": "a text"},
        {"mode": 1, "value": 5},
        {"mode": 1, "value": None},
        {"mode": 0, "value": b"row"},
        {"mode": None, "value": b"row"},
    ],
    ids=str,
)
def test_what_another_program_has_planted_is_refused(
    tables: Tables, folder: Path, columns: dict[str, Any]
) -> None:
    """No code runs, no file is opened (S1, C11)."""
    plant(folder, **columns)

    with pytest.raises(DiskTrouble) as found:
        tables.get(KEY)
    assert found.value.kind == "tampered"


def test_no_file_that_a_row_names_is_deleted(tables: Tables, folder: Path, tmp_path: Path) -> None:
    """Neither when the row is replaced nor when it is removed (C11)."""
    outside = tmp_path / "precious"
    outside.write_text("precious")
    plant(folder, mode=2, filename=str(outside), value=None)
    tables.put(KEY, b"row", 60.0)
    assert outside.read_text() == "precious"
    plant(folder, key=b"l" * 16, mode=2, filename=f"../../../{outside.name}", value=None)
    tables.remove(b"l" * 16)

    assert outside.read_text() == "precious"
    assert SafeDisk(str(folder)).remove(str(outside)) is None
    with pytest.raises(DiskTrouble):
        SafeDisk(str(folder)).filename()


def test_epochs_are_seen_by_other_connections(tables: Tables, folder: Path, clock: SteppedClock) -> None:
    """And that there are some; what was never renewed has the token of these databases."""
    other = Tables(folder, 8 * MIB, clock)
    before = other.epochs((VERSION_SCOPE, b"a", b"b"))
    tables.renew({b"a": b"token..."})
    after = other.epochs((VERSION_SCOPE, b"a", b"b"))
    other.close()

    assert (after[1], after[2], before[1]) == (b"token...", tables.unnamed, tables.unnamed)
    assert after[0] != before[0]


def test_new_databases_have_another_token_for_everything(
    tables: Tables, folder: Path, clock: SteppedClock
) -> None:
    """What was invalidated in those that are gone does not become valid again."""
    folder.rename(folder.with_name("gone"))
    other = Tables(folder, 8 * MIB, clock)
    token = other.unnamed
    other.close()

    assert token != tables.unnamed
    assert tables.is_there() is False


def test_a_lease_ends_with_its_time_and_with_a_clock_that_is_set_back(
    tables: Tables, clock: SteppedClock
) -> None:
    """Nobody waits for an owner that is gone, nor for one of the future (C10, C12)."""
    assert tables.lease(KEY, b"mine....", 2.0) is True
    assert tables.lease(KEY, b"yours...", 2.0) is False
    clock.step(-3600)
    assert tables.lease(KEY, b"yours...", 2.0) is True
    assert tables.lease(KEY, b"mine....", 2.0) is False
    clock.advance(2.0)
    assert tables.lease(KEY, b"mine....", 2.0) is True
    tables.release(KEY, b"yours...")
    assert tables.lease(KEY, b"yours...", 2.0) is False
    tables.release(KEY, b"mine....")
    assert tables.lease(KEY, b"yours...", 2.0) is True


def test_the_size_stays_within_its_limit(folder: Path, clock: SteppedClock) -> None:
    """What was stored first gives way (I11, C28)."""
    tables = Tables(folder, 2 * MIB, clock)
    for number in range(600):
        tables.put(b"%016d" % number, bytes([number % 256]) * 10_000, 600.0)
    size = (folder / "rows" / "cache.db").stat().st_size
    first, last = tables.get(b"%016d" % 0), tables.get(b"%016d" % 599)
    tables.close()

    assert size <= 2 * MIB + 200_000
    assert (first, last is not None) == (None, True)


def test_settings_that_are_none_are_not_believed(tables: Tables, folder: Path, clock: SteppedClock) -> None:
    """What stands there would be run as a pragma by diskcache."""
    tables.close()
    with sqlite3.connect(folder / "rows" / "cache.db") as connection:
        connection.execute("INSERT INTO Settings VALUES ('sqlite_journal_mode; ATTACH', 1)")
    connection.close()

    with pytest.raises(DiskTrouble, match="corrupt: settings that are none"):
        Tables(folder, 8 * MIB, clock)


def test_the_package_has_no_way_to_stored_code() -> None:
    """No pickle, marshal or shelve, under any name (S1)."""
    found = []
    for path in Path(cqrs_swr.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            )
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [
                (path.name, name)
                for name in names
                if name.split(".")[0] in {"pickle", "_pickle", "marshal", "shelve", "dill"}
            ]

    assert found == []


def test_no_key_is_made_of_a_repr() -> None:
    """An object's address would be a key that is never found again, or found by another."""
    for name in ("keys.py", "encoding.py"):
        tree = ast.parse((Path(cqrs_swr.__file__).parent / name).read_text())
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        converted = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FormattedValue) and node.conversion == ord("r")
        ]

        assert called & {"repr", "hash", "id"} == set(), name
        assert converted == [], name
