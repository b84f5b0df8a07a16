"""The laws of a running exporter: real threads, a real socket, real forks."""

import json
import os
import select
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Final, Protocol, final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cqrs.testing import Law, hold, law
from cqrs_openobserve.ledger import SignalLedger
from cqrs_openobserve.testing.fault_server import FaultServer
from cqrs_openobserve.testing.rows import ROWS, Numbers, Row

_OFFERED: Final = 10
_GRACE_S: Final = 1.5
_PATIENCE_S: Final = 15.0
_A_MOMENT_S: Final = 0.4
_CHILDS: Final = 1_000


class RunningExporter(Protocol):
    """An exporter of numbers that sends on threads of its own."""

    def offer(self, number: int, /) -> None:
        """Observe a number; never waits."""
        ...

    def flush(self, seconds: float, /) -> object:
        """Send what waits, and wait until it is settled, so long at most."""
        ...

    def stop(self) -> object:
        """Take nothing more, send what can be sent in time, keep or count the rest."""
        ...

    def books(self) -> SignalLedger:
        """Read the books."""
        ...


@final
@attrs.frozen(eq=False)
class RunningSubject:
    """A running exporter as its laws look at it.

    Attributes:
        place: makes a directory in which it may keep what it could not send; one per example.
        begin: starts one that keeps there what it cannot send, and sends to a URL.
        numbers: reads the numbers of a request's records.
        exit_seconds: how long its stop may take.
    """

    place: Callable[[], AbstractContextManager[str]]
    begin: Callable[[str, str], RunningExporter]
    numbers: Numbers
    exit_seconds: float

    def server(self, row: Row) -> FaultServer:
        """Make a server that plays a row.

        Args:
            row: of the catalogue.
        """
        return FaultServer(row.begin(self.numbers))


def _rows(_subject: RunningSubject) -> SearchStrategy[object]:
    return st.sampled_from(tuple(ROWS.values()))


def _bad_rows(_subject: RunningSubject) -> SearchStrategy[object]:
    # The hardest is tried first.
    return st.sampled_from([ROWS["H8.hang"], *(row for row in ROWS.values() if row.fate == "kept")])


def _few(_subject: RunningSubject) -> SearchStrategy[object]:
    return st.integers(1, 20)


@law("Every row of the fault catalogue costs what it says.", row=_rows)
async def a_row_costs_what_it_says(subject: RunningSubject, row: Row) -> None:
    """Delivered, kept, or lost for the reason that the row names."""
    with subject.place() as place, subject.server(row) as server:
        exporter = subject.begin(place, server.url)
        try:
            for number in range(_OFFERED):
                exporter.offer(number)
                if number in {_OFFERED // 2, _OFFERED - 1}:  # two requests at least: some rows begin well
                    exporter.flush(_A_MOMENT_S if row.fate == "kept" else _PATIENCE_S)
            difference = row.differs(_OFFERED, exporter.books())
        finally:
            exporter.stop()
        hold(not difference, difference)


@law("However the server misbehaves, stop ends in time.", row=_bad_rows)
async def stop_ends_in_time(subject: RunningSubject, row: Row) -> None:
    """Also in the middle of a request."""
    with subject.place() as place, subject.server(row) as server:
        exporter = subject.begin(place, server.url)
        for number in range(_OFFERED):
            exporter.offer(number)
        exporter.flush(0.05)
        began = time.monotonic()
        exporter.stop()
        took = time.monotonic() - began
    hold(took < subject.exit_seconds + _GRACE_S, f"{row.id}, {row.fault}: stop took {took:.1f} s.")


@law("After stop nothing waits, the books are closed, and what comes later is counted.", row=_bad_rows)
async def stop_closes_the_books(subject: RunningSubject, row: Row) -> None:
    """Kept for the next process, or lost for a reason."""
    with subject.place() as place, subject.server(row) as server:
        exporter = subject.begin(place, server.url)
        for number in range(_OFFERED):
            exporter.offer(number)
        exporter.stop()
        exporter.stop()
        exporter.offer(_OFFERED)
        books = exporter.books()
    hold(books.balanced and not books.waiting, f"{row.id}: {books}.")
    hold(books.accepted == _OFFERED + 1, f"{_OFFERED + 1} were offered: {books}.")
    hold(books.dropped.get("already_stopped") == 1, f"one came after stop: {books}.")


@law(
    "A forked child sends nothing of its parent's, and each says what became of its own.",
    applies=lambda _: hasattr(os, "fork"),
    waiting=_few,
    own=_few,
)
async def a_fork_sends_nothing_twice(subject: RunningSubject, waiting: int, own: int) -> None:
    """Fork with a full queue; both go on, and both are stopped."""
    with subject.place() as place, FaultServer() as server:
        exporter = subject.begin(place, server.url)
        for number in range(waiting):
            exporter.offer(number)
        child = _forked(partial(_live_on, exporter, own))
        exporter.flush(_PATIENCE_S)
        exporter.stop()
        found = Counter(number for received in server.received for number in subject.numbers(received))
        books = exporter.books()
    twice = {number: times for number, times in found.items() if times > 1}
    hold(not twice, f"arrived more than once: {twice}.")
    hold(books.delivered == waiting and books.balanced, f"the parent's {waiting}: {books}.")
    told = dict.fromkeys(range(waiting), 1) | dict.fromkeys(range(_CHILDS, _CHILDS + own), 1)
    hold(found == told, f"arrived: {sorted(found)}.")
    hold(child == {"balanced": True, "waiting": 0, "delivered": own}, f"the child's {own}: {child}.")


RUNNING_LAWS: Final[tuple[Law[RunningSubject], ...]] = (
    a_row_costs_what_it_says,
    stop_ends_in_time,
    stop_closes_the_books,
    a_fork_sends_nothing_twice,
)


def _live_on(exporter: RunningExporter, own: int) -> dict[str, object]:
    for number in range(_CHILDS, _CHILDS + own):
        exporter.offer(number)
    exporter.flush(_PATIENCE_S)
    exporter.stop()
    books = exporter.books()
    return {"balanced": books.balanced, "waiting": books.waiting, "delivered": books.delivered}


def _forked(run: Callable[[], dict[str, object]]) -> object:
    # Runs in a child, and gives what it came to; None if it came to nothing in time.
    reads, writes = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # other threads exist, which is what this is about
        child = os.fork()
    if child == 0:
        try:
            os.write(writes, json.dumps(run()).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        answered, _, _ = select.select([pipe], [], [], 2 * _PATIENCE_S)
        if not answered:
            os.kill(child, signal.SIGKILL)
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else None
