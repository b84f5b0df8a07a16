"""Group A of the fault catalogue: servers that are slow or stay away. One test per row."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cqrs_openobserve.answers import Answer, meaning, retry_after_s
from cqrs_openobserve.breaker import LONGEST_RETRY_AFTER_S, Breaker
from cqrs_openobserve.exporter import Exporter, Rules
from cqrs_openobserve.observations import SUCCESSES, Observation
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plan import Queues, plan_of
from cqrs_openobserve.testing import FaultServer, RecordingTransport, Reply, Row, rows

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]
Offer = Callable[..., None]
Numbers = Callable[[FaultServer], list[int]]
Play = Callable[[str], Row]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2", 2.0),
        (format_datetime(NOW + timedelta(seconds=7), usegmt=True), 7.0),
        (format_datetime(NOW - timedelta(seconds=7), usegmt=True), None),
        ("abc", None),
        ("-1", None),
        ("3600", LONGEST_RETRY_AFTER_S),
        ("1e309", None),
        ("", None),
    ],
)
def test_a18_asks_to_wait(header: str, seconds: float | None) -> None:
    """429 with Retry-After: at least that long, at most 5 minutes; nonsense falls back to the usual delay."""
    meant = meaning(Answer(429, {"retry-after": header}), 10, NOW)
    waits = Breaker().failed(0, 0.0, meant.retry_after_s).wait_ns(0) / 1e9
    assert meant.action == "wait"
    assert waits == pytest.approx(seconds if seconds is not None else 0.1)
    assert retry_after_s(header, NOW) is None or retry_after_s(header, NOW) > 0


def test_a18_waits_no_longer_than_it_was_asked_to(
    server: FaultServer, play: Play, outage_pipeline: Make, offer: Offer
) -> None:
    """The wait is real, ends by itself, and a stop interrupts it."""
    row = play("A18.seconds")
    pipeline = outage_pipeline()
    began = time.monotonic()
    offer(pipeline, 5)
    assert pipeline.flush(15).complete
    assert time.monotonic() - began >= 1.0
    assert row.differs(5, pipeline.ledger()) == ""

    server.behave = lambda _: Reply(429, headers={"Retry-After": "200"})
    offer(pipeline, 1)
    pipeline.flush(0.3)
    began = time.monotonic()
    pipeline.stop()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("row", [row.id for row in rows("A19")])
def test_a19_stumbles_twice(play: Play, outage_pipeline: Make, offer: Offer, row: str) -> None:
    """5xx twice, then well: sent again with growing delays, delivered, nothing lost."""
    played = play(row)
    pipeline = outage_pipeline()
    offer(pipeline, 20)
    assert pipeline.flush(15).complete
    assert played.differs(20, pipeline.ledger()) == ""


class VirtualClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 10**15

    def monotonic_ns(self) -> int:
        """The time."""
        return self.now

    def time_ns(self) -> int:
        """The time on the wall."""
        return self.now + 10**18


@pytest.mark.parametrize("spooling", [True, False], ids=["spool", "memory only"])
def test_a20_503_for_ever(
    configure: Callable[..., Any], observe: Observe, tmp_path: Path, *, spooling: bool
) -> None:
    """Six hours in virtual time: memory and disk stay within their bounds, the oldest expire, the books balance."""
    configuration = configure(spool_dir=str(tmp_path / "spool") if spooling else "none", spool_size="1MiB")
    clock, queues = VirtualClock(), Queues(lambda: None)
    rules = Rules(3, configuration.spool, lambda: 0.5)
    transport = RecordingTransport(lambda _: Answer(503))
    exporter = Exporter(plan_of(configuration, queues, "i", 0), transport, rules, clock)
    held: list[int] = []
    for minute in range(6 * 60):
        for number in range(100):
            queues.observations.offer(observe(minute * 100 + number, ended=clock.now))
        exporter.work()
        parcel = exporter.pick()
        if isinstance(parcel, Parcel):
            exporter.send(parcel)
        clock.now += 60 * 10**9
        books = exporter.ledger()["logs"]
        held.append(books.waiting)
        assert books.balanced
    assert books.accepted == 36_000
    assert books.dropped["expired"] > 0
    assert set(books.dropped) <= {"expired", "queue_full"}
    assert max(held) <= SUCCESSES + 8 * 1_000
    if spooling:
        assert max(held) <= 8 * 100
        assert sum(path.stat().st_size for path in tmp_path.rglob("*.payload")) <= 1024 * 1024
    assert len(transport.sent) <= 6 * 60
    exporter.close()


def test_a21_server_slower_than_its_callers(play: Play, make_pipeline: Make, observe: Observe) -> None:
    """Callers are not held up: 99 of 100 enqueue in under 1 ms of their thread; what does not fit is counted."""
    play("A21")
    pipeline = make_pipeline(exit_timeout="100ms")
    made = [observe(number) for number in range(SUCCESSES + 12_000)]
    spent: list[int] = []
    for observation in made:
        began = time.thread_time_ns()
        pipeline.queue.offer(observation)
        spent.append(time.thread_time_ns() - began)
    pipeline.flush(0.1)
    books = pipeline.ledger()
    assert sorted(spent)[len(spent) * 99 // 100] < 1_000_000
    assert books.balanced
    assert books.accepted == len(made)
    assert set(books.dropped) <= {"queue_full"}
    pipeline.stop()
    assert pipeline.ledger().waiting == 0


def test_a22_a_burst(server: FaultServer, outage_pipeline: Make, offer: Offer, numbers: Numbers) -> None:
    """10 000 records at once: none is lost, and they are sent by number, not by timer."""
    pipeline = outage_pipeline(flush_interval="3600s", batch_size=1_000)
    offer(pipeline, 10_000)
    until_delivered = time.monotonic() + 15
    while pipeline.ledger().delivered < 9_000 and time.monotonic() < until_delivered:
        time.sleep(0.02)
    assert pipeline.ledger().delivered >= 9_000
    assert pipeline.flush(15).complete
    assert numbers(server) == list(range(10_000))
