import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cqrs_swr.disk_store import DiskTrouble
from cqrs_swr.write_queue import LeaseAsked, PendingRow, WriteQueue
from cqrs_swr.writer import MOST_ERRORS, Writer

from cqrs.clock import SystemClock

KEY = b"k" * 16


class Rig:
    """A writer, what it writes to, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.queue = WriteQueue()
        self.said: list[tuple[str, str]] = []
        self.writer = Writer(
            folder,
            8 * 1024 * 1024,
            SystemClock(),
            self.queue,
            lambda kind, text: self.said.append((kind, text)),
        )

    def start(self) -> None:
        """Start it, and wait until it is open."""
        self.writer.start()
        assert self.writer.wait_open(15)


@pytest.fixture
def rig(folder: Path) -> Iterator[Rig]:
    """A writer that is ended after the test."""
    rig = Rig(folder)
    yield rig
    if rig.writer._thread.ident is not None:
        assert rig.writer.stop(5)


def test_what_waits_is_written_in_its_order(rig: Rig) -> None:
    """Epochs, rows, and what was asked for leases is answered."""
    given: list[bool] = []
    rig.queue.put(KEY, PendingRow(b"row", 60.0))
    rig.queue.renew({b"scope": b"token..."})
    rig.queue.ask(LeaseAsked(KEY, b"me......", 5.0, lambda *, given: answers.append(given)))
    answers = given
    rig.start()
    rig.writer.stop(10)
    rig.writer = Writer(rig.folder, 8 * 1024 * 1024, SystemClock(), WriteQueue(), lambda _kind, _text: None)
    rig.writer.start()
    assert rig.writer.wait_open(15)
    tables = rig.writer.tables
    assert tables is not None
    found = tables.get(KEY), tables.epochs((b"scope",))
    tables.close()

    assert found == (b"row", [b"token..."])
    assert given == [True]


def test_a_lock_of_another_process_delays_and_loses_nothing(rig: Rig) -> None:
    """What waits is written when it is gone."""
    rig.start()
    with sqlite3.connect(rig.folder / "rows" / "cache.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        rig.queue.put(KEY, PendingRow(b"row", 60.0))
        while not rig.said:
            rig.queue.wait(0.01, for_work=False)
        assert rig.said[0][0] == "busy"
        assert rig.queue.row(KEY) is not None
        other.execute("ROLLBACK")
    other.close()
    assert rig.writer.stop(10)

    assert rig.queue.is_empty()


def test_too_many_errors_switch_it_off_for_a_while(rig: Rig) -> None:
    """Busy is no error; a success starts the count anew."""
    for _ in range(MOST_ERRORS * 2):
        rig.writer.read_failed(DiskTrouble("busy", "locked"))
    assert rig.writer.is_off is False
    for _ in range(MOST_ERRORS - 1):
        rig.writer.read_failed(DiskTrouble("io", "broken"))
    rig.writer.read_worked()
    rig.writer.read_failed(DiskTrouble("io", "broken"))
    assert rig.writer.is_off is False
    for _ in range(MOST_ERRORS):
        rig.writer.read_failed(DiskTrouble("io", "broken"))

    assert rig.writer.is_off is True


def test_a_damaged_folder_is_set_aside_and_made_anew(rig: Rig) -> None:
    """Once; it is said."""
    rig.start()
    before = rig.writer.tables
    rig.writer.read_failed(DiskTrouble("corrupt", "malformed"))
    while rig.writer.tables is before or rig.writer.tables is None:
        rig.queue.wait(0.01, for_work=False)

    assert rig.folder.with_name("cache.quarantine").is_dir()
    assert rig.said == [("corrupt", "corrupt: malformed")]
