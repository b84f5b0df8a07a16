"""The laws of an exporter: what its books promise under any schedule of faults, without threads, in virtual time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol, final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cqrs.testing import Law, hold, law
from cqrs_openobserve.ledger import SignalLedger
from cqrs_openobserve.testing.played_server import OUTAGES, Played, PlayedServer

_LONG_S: Final = 400.0
_STEPS: Final = 40
_SECRETS: Final = ("ada@example.com", "Bearer abcdefghijklmnop", "4111 1111 1111 1111")


class SteppedExporter(Protocol):
    """An exporter of numbers, each a record of its own; whoever calls it decides when it does something."""

    def offer(self, number: int, /) -> None:
        """Observe a number; never waits."""
        ...

    def step(self) -> None:
        """Encode what waits, keep what cannot be sent, and send what may be sent now."""
        ...

    def wait(self, seconds: float, /) -> None:
        """Let time pass."""
        ...

    def end(self) -> None:
        """End as with the program: nothing is sent any more, what can be kept for the next process is kept."""
        ...

    def books(self) -> SignalLedger:
        """Read the books."""
        ...


@final
@attrs.frozen(eq=False)
class ExporterSubject:
    """An exporter as its laws look at it.

    Attributes:
        place: makes a directory in which exporters of one machine keep what they could not send; one per example.
        begin: starts an exporter that keeps there what it cannot send, and sends to a server.
        most_waiting: how many records it holds in memory at most.
        max_retries: how often it sends again what a live server neither counts nor explains.
        confide: observes a number along with a text of the user's, for exporters that mask texts.
        unpacked: makes readable what it keeps and what it sends.
    """

    place: Callable[[], AbstractContextManager[str]]
    begin: Callable[[str, PlayedServer], SteppedExporter]
    most_waiting: int
    max_retries: int = 3
    confide: Callable[[SteppedExporter, int, str], None] | None = None
    unpacked: Callable[[bytes], bytes] = bytes


def _bursts(_subject: ExporterSubject) -> SearchStrategy[object]:
    return st.lists(st.integers(1, 12), min_size=1, max_size=6)


def _faults(_subject: ExporterSubject) -> SearchStrategy[object]:
    return st.lists(st.sampled_from(OUTAGES), max_size=6)


def _usual(_subject: ExporterSubject) -> SearchStrategy[object]:
    return st.sampled_from(("stored", "uncounted", "refused", "503"))


def _few(_subject: ExporterSubject) -> SearchStrategy[object]:
    return st.integers(0, 11)


def _overflow(_subject: ExporterSubject) -> SearchStrategy[object]:
    return st.sampled_from((1, 50))


def _secret(_subject: ExporterSubject) -> SearchStrategy[object]:
    return st.sampled_from(_SECRETS)


@law(
    "Every record offered is delivered, waits, is spooled, or is counted with a reason.",
    bursts=_bursts,
    faults=_faults,
    usual=_usual,
)
async def books_balance(
    subject: ExporterSubject, bursts: Sequence[int], faults: Sequence[Played], usual: Played
) -> None:
    """Whatever the server does, at every moment at which nobody is in the middle of something."""
    with subject.place() as place:
        exporter = subject.begin(place, PlayedServer(faults, usual=usual))
        offered = _offered(exporter, bursts)
        _pass(exporter, 6)
        exporter.end()
        books = _balanced(exporter)
        hold(books.accepted == offered, f"{offered} records were offered, {books.accepted} are accepted.")


@law("An outage loses nothing, however it looks.", bursts=_bursts, faults=_faults)
async def outages_lose_nothing(
    subject: ExporterSubject, bursts: Sequence[int], faults: Sequence[Played]
) -> None:
    """What passes by itself is waited for, and then everything is delivered."""
    with subject.place() as place:
        server = PlayedServer(faults)
        exporter = subject.begin(place, server)
        offered = _offered(exporter, bursts)
        books = _pass(exporter)
        exporter.end()
        hold(books.lost == 0, f"an outage lost records: {books}.")
        arrived = f"{len(server.stored)} of {offered} arrived: {books}."
        hold(books.delivered == offered == len(server.stored), arrived)


@law("Delivered is what the server said it stored.", bursts=_bursts, faults=_faults)
async def delivered_means_acknowledged(
    subject: ExporterSubject, bursts: Sequence[int], faults: Sequence[Played]
) -> None:
    """Not what was sent, and not what was refused."""
    with subject.place() as place:
        server = PlayedServer(faults, frozenset({0}))
        exporter = subject.begin(place, server)
        _offered(exporter, bursts)
        books = _pass(exporter)
        exporter.end()
        hold(books.delivered == server.acknowledged, f"{server.acknowledged} were acknowledged: {books}.")


@law("No record is stored twice without being counted as ambiguous.", bursts=_bursts, faults=_faults)
async def nothing_twice_in_secret(
    subject: ExporterSubject, bursts: Sequence[int], faults: Sequence[Played]
) -> None:
    """What was sent again may have been stored, and the books say how many records that can concern."""
    with subject.place() as place:
        server = PlayedServer(faults)
        exporter = subject.begin(place, server)
        _offered(exporter, bursts)
        books = _pass(exporter)
        exporter.end()
        hold(
            server.duplicates <= books.ambiguous,
            f"{server.duplicates} duplicates, {books.ambiguous} ambiguous.",
        )


@law("One bad record costs itself, in at most 2·log₂N + 1 requests; the others arrive.", burst=_few, bad=_few)
async def poison_costs_one(subject: ExporterSubject, burst: int, bad: int) -> None:
    """Whatever its place in the batch, and then the server is left alone."""
    size = max(burst, bad) + 1
    with subject.place() as place:
        server = PlayedServer(poison=frozenset({bad}))
        exporter = subject.begin(place, server)
        _offered(exporter, [size])
        books = _pass(exporter)
        exporter.end()
        hold(books.dropped == {"rejected_record": 1}, f"lost is {dict(books.dropped)}.")
        good = [number for number in range(size) if number != bad]
        hold(sorted(server.stored) == good, f"stored are {sorted(server.stored)}.")
        most = 2 * (size - 1).bit_length() + 1
        hold(server.requests <= most, f"{server.requests} requests; {most} are enough.")


@law("A server that counts nothing is asked a few times, then its records are unaccounted.", size=_few)
async def silence_ends(subject: ExporterSubject, size: int) -> None:
    """Never delivered, and never asked for ever."""
    with subject.place() as place:
        server = PlayedServer(usual="uncounted")
        exporter = subject.begin(place, server)
        offered = _offered(exporter, [size + 1])
        books = _pass(exporter)
        exporter.end()
        hold(books.dropped == {"unaccounted": offered}, f"of {offered}: {books}.")
        hold(server.requests <= subject.max_retries + 1, f"{server.requests} requests.")


@law("Memory is bounded: what does not fit is counted as queue_full.", overflow=_overflow)
async def memory_is_bounded(subject: ExporterSubject, overflow: int) -> None:
    """While the server is away and nobody works."""
    with subject.place() as place:
        exporter = subject.begin(place, PlayedServer(usual="refused"))
        for number in range(subject.most_waiting + overflow):
            exporter.offer(number)
        books = _balanced(exporter)
        exporter.end()
        hold(books.waiting <= subject.most_waiting, f"{books.waiting} wait in memory.")
        hold(books.dropped.get("queue_full", 0) >= overflow, f"lost is {dict(books.dropped)}.")
        hold(books.accepted == subject.most_waiting + overflow, f"{books.accepted} are accepted.")


@law("What an ending process could not send, the next one sends, once.", bursts=_bursts)
async def the_next_process_sends_the_rest(subject: ExporterSubject, bursts: Sequence[int]) -> None:
    """Nothing waits after the end, all of it was kept, and of two heirs one delivers each record once."""
    with subject.place() as place:
        server = PlayedServer(usual="refused")
        first = subject.begin(place, server)
        offered = _offered(first, bursts)
        first.end()
        books = first.books()
        hold(books.waiting == 0, f"something waits after the end: {books}.")
        hold(books.spooled == offered, f"{offered} were offered, {books.spooled} are kept.")
        server.usual = "stored"
        for _ in range(2):
            heir = subject.begin(place, server)
            _pass(heir, 2)
            heir.end()
        hold(len(server.stored) == offered, f"{len(server.stored)} of {offered} arrived.")
        hold(server.duplicates == 0, f"{server.duplicates} arrived twice.")


@law(
    "What is masked is masked before anything is kept or sent.",
    applies=lambda subject: subject.confide is not None,
    secret=_secret,
)
async def masks_before_it_keeps(subject: ExporterSubject, secret: str) -> None:
    """Look for a secret in every file of an outage, and in what is sent after it."""
    assert subject.confide is not None  # noqa: S101 - it applies
    with subject.place() as place:
        server = PlayedServer(usual="refused")
        exporter = subject.begin(place, server)
        subject.confide(exporter, 1, f"it said {secret} and no more")
        exporter.step()
        kept = list(_kept(Path(place)))
        hold(kept, "nothing was kept.")
        for data in kept:
            hold(secret.encode() not in subject.unpacked(data), f"kept on disk: {secret}.")
        server.usual, server.wire = "stored", b""
        _pass(exporter)
        exporter.end()
        hold(server.stored == {1: 1}, f"stored are {server.stored}.")
        hold(secret.encode() not in subject.unpacked(server.wire), f"sent: {secret}.")


EXPORTER_LAWS: Final[tuple[Law[ExporterSubject], ...]] = (
    books_balance,
    outages_lose_nothing,
    delivered_means_acknowledged,
    nothing_twice_in_secret,
    poison_costs_one,
    silence_ends,
    memory_is_bounded,
    the_next_process_sends_the_rest,
    masks_before_it_keeps,
)


def _balanced(exporter: SteppedExporter) -> SignalLedger:
    books = exporter.books()
    hold(books.balanced, f"the books do not balance: {books}.")
    return books


def _offered(exporter: SteppedExporter, bursts: Sequence[int]) -> int:
    number = 0
    for burst in bursts:
        for _ in range(burst):
            exporter.offer(number)
            number += 1
        exporter.step()
        _balanced(exporter)
        exporter.wait(1)
    return number


def _pass(exporter: SteppedExporter, steps: int = _STEPS) -> SignalLedger:
    # Until everything is settled, for at most as long as it takes after the longest wait that a server may ask for.
    for _ in range(steps):
        exporter.step()
        books = _balanced(exporter)
        if not books.waiting and not books.spooled:
            break
        exporter.wait(_LONG_S)
    return exporter.books()


def _kept(place: Path) -> Iterator[bytes]:
    yield from (path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file())
