"""A payload as a file."""

from pathlib import Path

import attrs
import orjson
import pytest
from cqrs_openobserve.payloads import OTLP, Payload, json_payloads
from cqrs_openobserve.spool_files import SpoolFile, is_temporary, named, packed, parsed_name, unpacked

WALL = 1_795_000_000_000_000_000
ROWS = next(json_payloads("cqrs_commands", [(b"{}", 5)] * 3))
SPANS = Payload("traces", "/v1/traces", {**OTLP, "stream-name": "traces"}, b"\x00\n\xff", 2, 7)


def write(folder: Path, payload: Payload) -> Path:
    path = folder / named(payload, WALL, 1)
    path.write_bytes(packed(payload))
    return path


@pytest.mark.parametrize("payload", [ROWS, SPANS], ids=["rows", "spans"])
def test_what_is_written_is_read(tmp_path: Path, payload: Payload) -> None:
    """Whole; the name tells the books what they need without opening the file."""
    path = write(tmp_path, payload)
    file = parsed_name(path, WALL + 9)
    assert file == SpoolFile(path, payload.signal, payload.records, path.stat().st_size, 9)
    back = unpacked(path.read_bytes(), file, payload.oldest_ns)
    assert back is not None
    assert attrs.asdict(back) == attrs.asdict(payload)


def test_names_sort_by_age() -> None:
    """So that the oldest goes first."""
    assert named(ROWS, 999, 9) < named(ROWS, 1000, 1) < named(ROWS, WALL, 1)


def test_a_file_from_the_future_is_new(tmp_path: Path) -> None:
    """A clock that was set back makes nothing older than it is."""
    file = parsed_name(write(tmp_path, ROWS), WALL - 10**15)
    assert file is not None
    assert file.age_ns == 0


@pytest.mark.parametrize(
    "name", ["lock", "health.json", ".x.payload", "1-2-logs-3.payload", f"{WALL:020d}-0-other-1.payload"]
)
def test_other_files_are_no_payloads(tmp_path: Path, name: str) -> None:
    """Neither is a link to one."""
    (tmp_path / name).write_bytes(b"")
    link = tmp_path / named(ROWS, WALL, 2)
    link.symlink_to(write(tmp_path, ROWS))
    assert parsed_name(tmp_path / name) is None
    assert parsed_name(link) is None


def test_temporary_files_begin_with_a_dot() -> None:
    """As files that are being written do."""
    assert is_temporary(Path("/a/.b"))
    assert not is_temporary(Path("/.a/b"))


GOOD = orjson.loads(packed(ROWS).partition(b"\n")[0])


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\n",
        b"{}\nbody",
        b"[]\nbody",
        packed(ROWS)[:-1],
        packed(ROWS) + b"x",
        *[
            orjson.dumps(GOOD | wrong) + b"\n" + ROWS.body
            for wrong in (
                {"path": "/../auth"},
                {"path": "/a\r\nHost: x"},
                {"path": "http://elsewhere/"},
                {"path": 5},
                {"headers": {"Authorization": "x", "Content-Type": "x"}},
                {"headers": {"Content-Type": "x\r\nX: y"}},
                {"headers": {"Content-Type": 5}},
                {"headers": {}},
                {"headers": None},
            )
        ],
    ],
)
def test_damage_is_noticed(damage: bytes) -> None:
    """A torn or foreign file is none: no other path, no other header, no half body is ever sent."""
    assert unpacked(damage, SpoolFile(Path("x"), "logs", 3, 1, 0), 0) is None
