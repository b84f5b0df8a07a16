"""Everything between the queues and the server, step by step, without threads and with a clock that is set."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.delivery import CAPACITY, OLDEST_NS
from cqrs_openobserve.exporter import ADOPT_NS, Exporter, Rules
from cqrs_openobserve.feeds import Batch, Feed, Plan, Timer
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.payloads import OTLP, Payload, json_payloads
from cqrs_openobserve.queues import BoundedQueue
from cqrs_openobserve.spool_place import SpoolPlace
from cqrs_openobserve.testing import RecordingTransport, counted, rows_of

SECOND = 10**9
DOWN = Trouble("refused", "down", sent=False)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 10**15
        self.wall = 1_795_000_000 * SECOND

    def monotonic_ns(self) -> int:
        """The time."""
        return self.now

    def time_ns(self) -> int:
        """The time on the wall."""
        return self.wall

    def pass_by(self, nanoseconds: int) -> None:
        """Let time pass on both."""
        self.now += nanoseconds
        self.wall += nanoseconds


class Bench:
    """An exporter of numbers as logs and of numbers as spans, beside all that it touches."""

    def __init__(self, root: Path | None, *, most_bytes: int = 10**6, timers: tuple[Timer, ...] = ()) -> None:
        self.clock = HandClock()
        self.transport = RecordingTransport()
        self.numbers: BoundedQueue[int] = BoundedQueue(5_000, lambda: None)
        self.spans: BoundedQueue[int] = BoundedQueue(50, lambda: None)
        feeds = (Feed("logs", self.numbers, self.rows), Feed("traces", self.spans, self.otlp))
        rules = Rules(3, SpoolPlace(root, "d", most_bytes), lambda: 0.5)
        self.exporter = Exporter(Plan(feeds, timers), self.transport, rules, self.clock)

    def rows(self, batch: Batch[int]) -> Iterator[Payload]:
        """Numbers as rows; negative ones are no records."""
        kept = [number for number in batch.items if number >= 0]
        batch.account.skip(len(batch.items) - len(kept))
        yield from json_payloads("s", [(b'{"n":%d}' % number, self.clock.now) for number in kept])

    def otlp(self, batch: Batch[int]) -> Iterator[Payload]:
        """Numbers as spans."""
        yield Payload("traces", "/v1/traces", OTLP, b"", len(batch.items), self.clock.now)

    def offer(self, *numbers: int) -> None:
        """Observe numbers."""
        for number in numbers:
            self.numbers.offer(number)

    def send_one(self, *, hurry: bool = False) -> bool:
        """Send one payload if there is one that may be sent."""
        signals = frozenset({"logs", "metrics", "traces"} if hurry else ())
        with self.exporter.books:
            found = self.exporter.pick(hurry=signals)
        if isinstance(found, Parcel):
            self.exporter.send(found)
        return isinstance(found, Parcel)

    def send_all(self) -> None:
        """Send until nothing may be sent."""
        while self.send_one():
            pass

    @property
    def stored(self) -> list[int]:
        """The numbers that the server was sent."""
        return [
            int(str(row["n"])) for sent in self.transport.sent if not sent.is_otlp for row in rows_of(sent)
        ]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "spool")
    yield made
    made.exporter.close()


def balanced(bench: Bench) -> bool:
    return all(books.balanced for books in bench.exporter.ledger().values())


def test_each_signal_has_its_books(bench: Bench) -> None:
    """Rows and spans are counted apart; what is no record is not accepted."""
    bench.offer(1, 2, -1)
    bench.spans.offer(7)
    assert bench.exporter.work()
    bench.send_all()
    logs, traces = bench.exporter.ledger()["logs"], bench.exporter.ledger()["traces"]

    assert (logs.accepted, logs.delivered, logs.waiting) == (2, 2, 0)
    assert (traces.accepted, traces.delivered) == (1, 1)
    assert bench.stored == [1, 2]


def test_what_one_signal_suffers_does_not_hold_up_another(bench: Bench) -> None:
    """A breaker per signal: spans are refused, rows arrive."""
    bench.transport.play = lambda payload: Answer(503) if payload.is_otlp else counted(payload.records)
    bench.spans.offer(1)
    bench.offer(1)
    bench.exporter.work()
    bench.send_all()
    bench.offer(2)
    bench.exporter.work()
    bench.send_all()

    assert bench.stored == [1, 2]
    assert bench.exporter.ledger()["traces"].delivered == 0
    assert balanced(bench)


def test_during_an_outage_payloads_go_into_the_spool_and_come_back(bench: Bench) -> None:
    """More than memory would hold; in order, each once, and no file is left."""
    bench.transport.play = lambda _: DOWN
    for number in range(3 * CAPACITY):
        bench.offer(number)
        bench.exporter.work()
        bench.send_one()
    books = bench.exporter.ledger()["logs"]
    assert (books.waiting, books.spooled) == (0, 3 * CAPACITY)

    bench.transport = bench.exporter._transport = RecordingTransport()
    bench.clock.pass_by(10 * SECOND)
    bench.send_all()
    assert bench.stored == list(range(3 * CAPACITY))
    assert bench.exporter.ledger()["logs"].delivered == 3 * CAPACITY
    home = bench.exporter._spool.home
    assert home is not None
    assert [path.name for path in home.iterdir()] == ["lock"]


def test_without_a_spool_the_worker_waits_for_room(tmp_path: Path) -> None:
    """Items stay in their queue, which is smaller than payloads, and nothing is lost."""
    del tmp_path
    bench = Bench(None)
    bench.transport.play = lambda _: DOWN
    for number in range(CAPACITY + 3):
        bench.offer(number)
        complete = bench.exporter.work()
    assert not complete
    assert len(bench.numbers) == 3
    books = bench.exporter.ledger()["logs"]
    assert (books.waiting, books.spooled, books.lost) == (CAPACITY + 3, 0, 0)


def test_a_spool_that_is_full_is_told_and_the_rest_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No loss while memory holds it; at the end what does not fit is lost as spool_full."""
    bench = Bench(tmp_path / "spool", most_bytes=400)
    bench.transport.play = lambda _: DOWN
    for number in range(CAPACITY + 5):
        bench.offer(number)
        bench.exporter.work()
        bench.send_one()
    books = bench.exporter.ledger()["logs"]
    assert 0 < books.spooled < CAPACITY + 5
    assert books.lost == 0

    bench.clock.pass_by(300 * SECOND)
    bench.send_one()
    assert "OPENOBSERVE_SPOOL_SIZE is used up" in caplog.text
    bench.exporter.park(everything=True)
    books = bench.exporter.ledger()["logs"]
    assert books.dropped["spool_full"] == books.lost > 0
    assert balanced(bench)


def test_what_a_dead_process_left_is_sent_and_counted(tmp_path: Path) -> None:
    """As accepted and adopted; looked for at the start and now and then."""
    dead = Bench(tmp_path / "spool")
    dead.offer(1, 2, 3)
    dead.exporter.work()
    dead.exporter.park(everything=True)
    dead.exporter.close()
    heir = Bench(tmp_path / "spool")
    heir.exporter.work()
    heir.send_all()
    assert heir.stored == [1, 2, 3]
    books = heir.exporter.ledger()["logs"]
    assert (books.accepted, books.adopted, books.delivered) == (3, 3, 3)

    late = Bench(tmp_path / "spool")
    late.offer(4)
    late.exporter.work()
    late.exporter.park(everything=True)
    late.exporter.close()
    heir.exporter.work()
    assert heir.exporter.ledger()["logs"].accepted == 3
    heir.clock.pass_by(ADOPT_NS)
    heir.exporter.work()
    assert heir.exporter.ledger()["logs"].accepted == 4
    heir.exporter.close()


def test_what_is_too_old_is_never_sent_wherever_it_lies(tmp_path: Path) -> None:
    """By the monotonic clock while the process lives; by the wall clock for what another left."""
    dead = Bench(tmp_path / "spool")
    dead.offer(1)
    dead.exporter.work()
    dead.exporter.park(everything=True)
    dead.clock.wall += 3 * OLDEST_NS
    dead.send_all()
    assert dead.stored == [1], "a wall clock that jumps expires nothing"

    dead.offer(2)
    dead.exporter.work()
    dead.exporter.park(everything=True)
    dead.exporter.close()
    heir = Bench(tmp_path / "spool")
    heir.clock.wall = dead.clock.wall + OLDEST_NS + SECOND
    heir.exporter.work()
    heir.send_all()
    assert heir.transport.sent == []
    assert heir.exporter.ledger()["logs"].dropped == {"expired": 1}
    heir.exporter.tidy()
    heir.exporter.close()


def test_a_damaged_file_costs_its_records(bench: Bench) -> None:
    """Counted, and the others are sent."""
    for number in (1, 2):
        bench.offer(number)
        bench.exporter.work()
    bench.exporter.park(everything=True)
    home = bench.exporter._spool.home
    assert home is not None
    first = min(home.glob("*.payload"))
    first.write_bytes(first.read_bytes()[:-1])
    bench.send_all()

    assert bench.stored == [2]
    assert bench.exporter.ledger()["logs"].dropped == {"spool_error": 1}
    assert balanced(bench)


def test_the_bad_record_is_kept_for_people(bench: Bench) -> None:
    """In rejected/, alone; the others are delivered."""
    bench.transport.play = lambda sent: (
        Answer(400) if any(row["n"] == 3 for row in rows_of(sent)) else counted(sent.records)
    )
    bench.offer(*range(5))
    bench.exporter.work()
    bench.send_all()
    home = bench.exporter._spool.home
    assert home is not None
    (kept,) = (home.parent / "rejected").iterdir()
    assert kept.name.split("-")[1:3] == ["1", "logs"]
    assert bench.exporter.ledger()["logs"].dropped == {"rejected_record": 1}


def test_an_encoder_that_fails_loses_its_batch_as_internal(bench: Bench) -> None:
    """What it had already made is kept, the rest is counted; the error is for whoever runs the worker."""

    def failing(batch: Batch[int]) -> Iterator[Payload]:
        yield from json_payloads("s", [(b"{}", 0)] * (len(batch.items) - 1))
        raise RuntimeError("a bug")

    bench.exporter.intake._plan = Plan((Feed("logs", bench.numbers, failing),))
    bench.offer(1, 2, 3)
    with pytest.raises(RuntimeError, match="a bug"):
        bench.exporter.work()
    books = bench.exporter.ledger()["logs"]
    assert (books.accepted, books.waiting, books.dropped) == (3, 2, {"internal": 1})


@pytest.mark.parametrize(("made", "accepted", "internal"), [(1, 3, 2), (3, 3, 0), (5, 5, 0)])
def test_an_encoder_that_miscounts_is_found_out(
    bench: Bench, made: int, accepted: int, internal: int
) -> None:
    """An item that ends nowhere is lost as internal; one that was never there is accepted: the books balance."""

    def miscounting(batch: Batch[int]) -> Iterator[Payload]:
        del batch
        return json_payloads("s", [(b"{}", 0)] * made)

    bench.exporter.intake._plan = Plan((Feed("logs", bench.numbers, miscounting),))
    bench.offer(1, 2, 3)
    bench.exporter.work()
    books = bench.exporter.ledger()["logs"]
    assert (books.accepted, books.lost) == (accepted, internal)
    assert books.balanced


def test_timers_run_at_their_interval_and_when_forced(tmp_path: Path) -> None:
    """Their records are accepted as they come, in the books of their signal."""
    moments: list[int] = []

    def produce(anchor: object) -> Iterator[Payload]:
        del anchor
        moments.append(bench.clock.now)
        yield Payload("metrics", "/v1/metrics", OTLP, b"", 4, bench.clock.now)
        yield from json_payloads("cqrs_metrics", [(b"{}", bench.clock.now)])

    bench = Bench(tmp_path / "spool", timers=(Timer(15.0, produce),))
    bench.exporter.work()
    assert moments == []
    bench.clock.pass_by(15 * SECOND)
    bench.exporter.work()
    bench.exporter.work()
    assert len(moments) == 1
    bench.exporter.work(force=True)
    assert len(moments) == 2
    bench.send_all()
    books = bench.exporter.ledger()
    assert (books["metrics"].accepted, books["metrics"].delivered) == (8, 8)
    assert books["logs"].delivered == 2
    bench.exporter.close()


def test_measurements_without_room_are_dropped(tmp_path: Path) -> None:
    """The next ones replace them; without a spool memory is bounded."""
    del tmp_path

    def produce(anchor: object) -> Iterator[Payload]:
        del anchor
        yield Payload("metrics", "/v1/metrics", OTLP, b"", 4, bench.clock.now)

    bench = Bench(None, timers=(Timer(1.0, produce),))
    for _ in range(CAPACITY + 2):
        bench.exporter.work(force=True)
    books = bench.exporter.ledger()["metrics"]
    assert (books.waiting, books.dropped) == (4 * CAPACITY, {"queue_full": 8})
    assert books.balanced


def test_signals_take_turns(bench: Bench) -> None:
    """A flood of rows does not starve spans."""
    for number in range(3):
        bench.offer(number)
        bench.exporter.work()
    bench.spans.offer(1)
    bench.exporter.work()
    for _ in range(2):
        bench.send_one()
    assert {payload.signal for payload in bench.transport.sent} == {"logs", "traces"}


def test_giving_up_counts_everything_that_is_left(bench: Bench) -> None:
    """In queues and in memory; what is in the spool is not lost."""
    bench.offer(1)
    bench.exporter.work()
    bench.exporter.park(everything=True)
    bench.offer(2)
    bench.exporter.work()
    bench.offer(3)
    bench.spans.offer(4)
    bench.exporter.give_up("shutdown_timeout")
    books = bench.exporter.ledger()
    assert (books["logs"].spooled, books["logs"].dropped) == (1, {"shutdown_timeout": 2})
    assert books["traces"].dropped == {"shutdown_timeout": 1}
    assert balanced(bench)


def test_a_forked_child_learns_what_was_its_parents(bench: Bench) -> None:
    """Everything in memory, by signal; queues are empty, the spool is the parent's."""
    bench.offer(1)
    bench.exporter.work()
    bench.exporter.park(everything=True)
    bench.offer(2, 3)
    bench.exporter.work()
    bench.offer(4)
    home, lock = bench.exporter._spool.home, bench.exporter._spool._lock
    assert bench.exporter.abandoned() == {"logs": 3, "metrics": 0, "traces": 0}
    assert (len(bench.numbers), bench.transport.abandoned) == (0, True)
    assert home is not None
    assert len(list(home.glob("*.payload"))) == 1
    assert lock is not None


def test_parking_loses_a_race_without_losing_a_record(bench: Bench) -> None:
    """The server takes a payload while its file is being written: delivered once, and no file stays."""
    bench.offer(1)
    bench.exporter.work()
    write = bench.exporter._spool.write

    def slow(payload: Payload, wall: int) -> object:
        file = write(payload, wall)
        sender = threading.Thread(target=bench.send_one)
        sender.start()
        sender.join()
        return file

    bench.exporter._spool.write = slow  # type: ignore[method-assign,assignment]  # the race, on purpose
    bench.exporter.park(everything=True)
    home = bench.exporter._spool.home
    assert home is not None
    assert bench.exporter.ledger()["logs"].delivered == 1
    assert list(home.glob("*.payload")) == []


def test_nothing_and_waiting_are_told_apart(bench: Bench) -> None:
    """None if there is nothing; else how long the breakers ask to wait, unless there is a hurry."""
    assert bench.exporter.pick() is None
    bench.transport.play = lambda _: Answer(429, {"retry-after": "7"})
    bench.offer(1)
    bench.exporter.work()
    bench.send_one()
    assert bench.exporter.pick() == 7 * SECOND
    assert isinstance(bench.exporter.pick(hurry=frozenset({"logs"})), Parcel)
    assert isinstance(bench.exporter.pick(hurry=frozenset({"traces"})), int)


@pytest.mark.parametrize("spooling", [True, False], ids=["spool", "memory only"])
def test_during_an_outage_half_a_batch_wakes_the_worker(tmp_path: Path, *, spooling: bool) -> None:
    """So that it is in the spool before a batch can be lost; of that signal alone, until the server is back."""
    bench = Bench(tmp_path / "spool" if spooling else None)
    bench.exporter.intake.start(100)
    assert (bench.numbers.trigger, bench.spans.trigger) == (100, 100)

    bench.transport.play = lambda _: DOWN
    bench.offer(1)
    bench.exporter.work()
    bench.send_one()
    bench.exporter.work()
    assert (bench.numbers.trigger, bench.spans.trigger) == (50 if spooling else 100, 100)

    bench.transport.play = lambda payload: counted(payload.records)
    bench.clock.pass_by(10 * SECOND)
    bench.send_all()
    bench.exporter.work()
    assert (bench.numbers.trigger, bench.spans.trigger) == (100, 100)

    bench.numbers.close()
    bench.exporter.work()
    assert bench.numbers.trigger == 0
    bench.exporter.close()
