"""Carries observations to a server on a real socket, whatever that server does."""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.ledger import SignalLedger
from cqrs_openobserve.observations import REST, SUCCESSES, Observation
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.records import RowBuilder
from cqrs_openobserve.testing import Behaviour, Drip, FaultServer, Hang, Received, Reply, Reset, stored

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]


def times(count: int, first: Behaviour) -> Callable[[Received], Behaviour]:
    """Answer a few times with a fault, then well."""
    left = [first] * count
    return lambda received: left.pop() if left else stored(len(received.rows))


def books(accepted: int, delivered: int, **dropped: int) -> SignalLedger:
    return SignalLedger("logs", accepted, delivered, accepted - delivered - sum(dropped.values()), dropped)


def test_everything_offered_is_delivered_once(
    server: FaultServer, make_pipeline: Make, observe: Observe
) -> None:
    """A healthy server gets every record, in requests of at most 1,000, and the books say so."""
    pipeline = make_pipeline()
    for number in range(2_500):
        pipeline.queue.offer(observe(number))

    report = pipeline.flush(5)

    assert (report.complete, report.waiting, report.dropped) == (True, 0, {})
    assert pipeline.ledger() == books(2_500, 2_500)
    assert sorted(int(row["message_id"], 16) for row in server.delivered) == list(range(2_500))
    assert len({row["record_id"] for row in server.delivered}) == 2_500
    assert max(len(received.rows) for received in server.received) <= 1_000


def test_each_kind_goes_to_its_stream(server: FaultServer, make_pipeline: Make, observe: Observe) -> None:
    """Commands, queries and events have a stream each, under the server's names."""
    pipeline = make_pipeline()
    for kind in ("command", "query", "event"):
        pipeline.queue.offer(observe(kind=kind))
    pipeline.flush(5)

    assert {(received.stream, received.rows[0]["kind"]) for received in server.received} == {
        ("cqrs_commands", "command"),
        ("cqrs_queries", "query"),
        ("cqrs_events", "event"),
    }
    assert server.received[0].path.startswith("/api/default/cqrs_")


@pytest.mark.parametrize(
    "fault",
    [
        Reset(),
        Reset(b"HTTP/1.1 200 OK\r\nContent-Le"),
        Reply(503),
        Reply(500),
        Reply(429),
        Reply(408),
        Reply(425),
    ],
    ids=str,
)
def test_a_passing_fault_loses_nothing(
    server: FaultServer, make_pipeline: Make, observe: Observe, fault: Behaviour
) -> None:
    """What a server that stumbles does not take is sent again, and delivered."""
    server.behave = times(1, fault)
    pipeline = make_pipeline()
    for number in range(100):
        pipeline.queue.offer(observe(number))

    assert pipeline.flush(10).complete
    assert pipeline.ledger() == books(100, 100)


def test_a_server_that_comes_back_gets_everything(make_pipeline: Make, observe: Observe) -> None:
    """Refused connections keep records waiting; when the port opens they arrive."""
    absent = FaultServer()
    absent.close()
    pipeline = make_pipeline(url=absent.url)
    pipeline.queue.offer(observe())
    assert not pipeline.flush(0.3).complete
    assert pipeline.ledger() == books(1, 0)
    assert pipeline.trouble.startswith(f"{absent.url} refused the connection")
    assert "OPENOBSERVE_URL" in pipeline.trouble


def test_refused_records_are_counted(server: FaultServer, make_pipeline: Make, observe: Observe) -> None:
    """200 with failed=k: k are lost as rejected, the rest is delivered, and the server's text is told."""
    server.behave = lambda received: stored(len(received.rows) - 2, 2, "Too old data")
    pipeline = make_pipeline()
    for number in range(10):
        pipeline.queue.offer(observe(number))
    report = pipeline.flush(5)

    assert report.dropped == {"rejected_record": 2 * len(server.received)}
    assert pipeline.ledger().balanced
    assert "Too old data" in pipeline.trouble


@pytest.mark.parametrize(
    "answer",
    [
        stored(0),
        Reply(200, b"<html>Please log in</html>"),
        Reply(200),
        Reply(200, b'{"code":200,"sta'),
        Reply(204),
        Reply(200, b'{"code":503,"error":"busy"}'),
        Reply(200, b"x" * 2_000_000),
        Reply(200, b"x", {"Content-Encoding": "gzip, gzip"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body[:20]!r}",
)
def test_200_without_counts_is_not_delivered(
    server: FaultServer, make_pipeline: Make, observe: Observe, answer: Reply
) -> None:
    """An answer that does not count the records is retried, then they are unaccounted, never delivered."""
    server.behave = lambda _: answer
    pipeline = make_pipeline(max_retries=1)
    pipeline.queue.offer(observe())

    assert pipeline.flush(5).complete
    assert pipeline.ledger() == books(1, 0, unaccounted=1)
    assert len(server.received) == 2


def test_one_bad_record_costs_one(server: FaultServer, make_pipeline: Make, observe: Observe) -> None:
    """A 400 for one record of 100: the other 99 are delivered in at most 2·log₂N + 1 requests."""

    def behave(received: Received) -> Behaviour:
        bad = any(int(row["message_id"], 16) == 42 for row in received.rows)
        return Reply(400, b'{"code":400,"message":"bad"}') if bad else stored(len(received.rows))

    server.behave = behave
    pipeline = make_pipeline(flush_interval="60s")
    pipeline.queue.trigger = 1_000
    pipeline._start_threads()
    for number in range(100):
        pipeline.queue.successes.append(observe(number))

    assert pipeline.flush(10).complete
    assert pipeline.ledger() == books(100, 99, rejected_record=1)
    assert len(server.received) <= 2 * 7 + 1


@pytest.mark.parametrize("status", [401, 403, 404, 415, 301, 307])
def test_a_setting_to_mend_keeps_the_records(
    server: FaultServer, make_pipeline: Make, observe: Observe, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """What somebody can mend costs no record while it is young, few requests, and one line that names a variable."""
    server.behave = lambda _: Reply(status, b"No", {"Location": "http://127.0.0.1:9/elsewhere?token=1"})
    pipeline = make_pipeline()
    with caplog.at_level(logging.WARNING, "cqrs.openobserve"):
        for number in range(300):
            pipeline.queue.offer(observe(number))
        assert not pipeline.flush(0.8).complete

    assert pipeline.ledger() == books(300, 0)
    assert len(server.received) <= 5
    assert len(caplog.records) == 1
    assert "OPENOBSERVE_" in caplog.text
    assert "s3cret-canary" not in caplog.text


def test_a_redirect_is_not_followed(server: FaultServer, make_pipeline: Make, observe: Observe) -> None:
    """Another host never sees the token."""
    with FaultServer() as elsewhere:
        server.behave = lambda _: Reply(307, headers={"Location": f"{elsewhere.url}/x"})
        pipeline = make_pipeline()
        pipeline.queue.offer(observe())
        pipeline.flush(0.5)
        pipeline.stop()
        assert elsewhere.received == []


@pytest.mark.parametrize("fault", [Hang(), Drip(), Drip(0.02, b"HTTP/1.1 200 OK\r\n\r\n")], ids=str)
def test_a_request_ends_at_its_total_deadline(
    server: FaultServer, make_pipeline: Make, observe: Observe, fault: Behaviour
) -> None:
    """A server that hangs or drips holds a request no longer than OPENOBSERVE_TIMEOUT."""
    server.behave = times(1, fault)
    pipeline = make_pipeline(timeout="300ms")
    pipeline.queue.offer(observe())
    began = time.monotonic()

    assert pipeline.flush(5).complete
    assert 0.3 <= time.monotonic() - began < 2
    assert pipeline.ledger() == books(1, 1)


@pytest.mark.parametrize("fault", [Hang(), Drip(), Reply(503), Reply(401), Reset()], ids=str)
def test_stop_ends_within_its_time_and_says_what_was_lost(
    server: FaultServer,
    make_pipeline: Make,
    observe: Observe,
    capsys: pytest.CaptureFixture[str],
    fault: Behaviour,
) -> None:
    """Whatever the server does: stop is bounded, the books balance, one stderr line tells count, reason and cause."""
    server.behave = lambda _: fault
    pipeline = make_pipeline(exit_timeout="500ms")
    for number in range(3_000):
        pipeline.queue.offer(observe(number))
    limit = time.monotonic() + 10
    while not server.received and time.monotonic() < limit:
        time.sleep(0.01)
    began = time.monotonic()
    pipeline.stop()

    assert time.monotonic() - began < 1.2
    assert pipeline.ledger() == books(3_000, 0, shutdown_timeout=3_000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "3000 of 3000 records were not delivered: 3000 shutdown_timeout" in lines[0]
    assert "Last trouble: " in lines[0]
    assert "s3cret-canary" not in lines[0]


def test_both_threads_end_with_stop_although_the_worker_was_not_done(
    make_pipeline: Make, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's last round may leave something, as there is no room: the sender does not wait for another one."""
    pipeline = make_pipeline(exit_timeout="100ms")
    exporter = pipeline._exporter
    monkeypatch.setattr(exporter, "work", lambda **_: False)
    pipeline.queue.offer(observe())
    pipeline.start()
    pipeline.stop()
    threads = [each for each in threading.enumerate() if each.name.startswith("cqrs-openobserve-")]
    for thread in threads:
        thread.join(5)

    assert not any(thread.is_alive() for thread in threads)
    assert pipeline.ledger() == books(1, 0, shutdown_timeout=1)


def test_stop_sends_what_waits(
    make_pipeline: Make, observe: Observe, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a healthy server, stop delivers everything and says nothing."""
    pipeline = make_pipeline(flush_interval="60s", exit_timeout="10s")
    for number in range(5_000):
        pipeline.queue.offer(observe(number))
    report = pipeline.stop()

    assert (report.complete, report.waiting, report.dropped) == (True, 0, {})
    assert pipeline.ledger() == books(5_000, 5_000)
    assert capsys.readouterr().err == ""


def test_stop_gives_a_server_that_was_away_one_chance(
    server: FaultServer, make_pipeline: Make, observe: Observe
) -> None:
    """While the breaker is open, stop still tries once and delivers if the server is back."""
    server.behave = times(1, Reply(503, headers={"Retry-After": "200"}))
    pipeline = make_pipeline()
    pipeline.queue.offer(observe())
    pipeline.flush(0.3)
    assert pipeline.ledger().waiting == 1
    pipeline.stop()

    assert pipeline.ledger() == books(1, 1)


def test_stop_is_idempotent_and_works_before_start(make_pipeline: Make, observe: Observe) -> None:
    """Stop before the first record, stop twice, stop from several threads: nothing happens but the stop."""
    pipeline = make_pipeline()
    assert pipeline.stop().complete
    threads = [threading.Thread(target=pipeline.stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    pipeline.queue.offer(observe())
    assert pipeline.ledger() == books(1, 0, already_stopped=1)
    assert pipeline.flush(0.2).complete


def test_a_full_queue_drops_the_newest_success_and_keeps_errors(
    make_pipeline: Make, observe: Observe
) -> None:
    """Successes cannot push out errors; what does not fit is counted."""
    absent = FaultServer()
    absent.close()
    pipeline = make_pipeline(url=absent.url, exit_timeout="100ms")
    pipeline.queue._wake = lambda: None
    for number in range(SUCCESSES + 10):
        pipeline.queue.offer(observe(number))
    for number in range(REST + 5):
        pipeline.queue.offer(observe(number, outcome="error"))

    assert pipeline.ledger() == books(SUCCESSES + REST + 15, 0, queue_full=15)
    assert pipeline.queue.successes[-1][4] == SUCCESSES - 1


def test_callers_in_many_threads_are_all_counted(
    server: FaultServer, make_pipeline: Make, observe: Observe
) -> None:
    """Every record of every thread is accounted for, those that did not fit included."""
    pipeline = make_pipeline()
    server.behave = lambda received: (time.sleep(0.01), stored(len(received.rows)))[1]

    def call() -> None:
        for number in range(5_000):
            pipeline.queue.offer(observe(number))

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pipeline.flush(10).complete
    ledger = pipeline.ledger()
    assert ledger.balanced
    assert ledger.accepted == 30_000
    assert len(server.delivered) == ledger.delivered == 30_000 - ledger.lost


def test_flush_reports_what_it_could_not_do(
    server: FaultServer, make_pipeline: Make, observe: Observe
) -> None:
    """A flush that runs out of time says so and what still waits; it is never a bare True."""
    server.behave = lambda _: Hang()
    pipeline = make_pipeline(exit_timeout="100ms")
    pipeline.queue.offer(observe())
    report = pipeline.flush(0.2)

    assert (report.complete, report.delivered, report.waiting) == (False, 0, 1)
    assert 0.2 <= report.seconds < 1.2


def test_a_failing_step_is_counted_and_the_pipeline_goes_on(
    make_pipeline: Make, observe: Observe, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records in a step that fails are lost as internal; the next ones arrive."""
    row, failures = RowBuilder.encoded, [RuntimeError("out of memory")]

    def failing(*arguments: Any) -> bytes:
        if failures:
            raise failures.pop()
        return row(*arguments)

    monkeypatch.setattr(RowBuilder, "encoded", failing)
    pipeline = make_pipeline()
    pipeline.queue.offer(observe())
    while pipeline.ledger().lost == 0:
        time.sleep(0.01)
    pipeline.queue.offer(observe())
    assert pipeline.flush(5).complete

    assert pipeline.ledger() == books(2, 1, internal=1)
    assert "A step of the telemetry pipeline failed" in caplog.text


def test_timestamps_are_wall_clock_microseconds(
    server: FaultServer, make_pipeline: Make, observe: Observe
) -> None:
    """A record's time is when its dispatch ended, not when it was sent."""
    pipeline = make_pipeline()
    now = time.time_ns() // 1000
    pipeline.queue.offer(observe(ended=time.monotonic_ns() - 60 * 10**9))
    pipeline.flush(5)

    assert abs(server.delivered[0]["_timestamp"] - (now - 60_000_000)) < 1_000_000


def test_what_is_too_old_is_never_sent(server: FaultServer, make_pipeline: Make, observe: Observe) -> None:
    """Records that the server would silently refuse for their age expire here, counted."""
    pipeline = make_pipeline()
    old = time.monotonic_ns() - 5 * 3600 * 10**9
    pipeline.queue.offer(observe(1, ended=old))
    pipeline.queue.offer(observe(2))
    assert pipeline.flush(5).complete

    assert pipeline.ledger() == books(2, 1, expired=1)
    assert [int(row["message_id"], 16) for row in server.delivered] == [2]


def test_requests_are_plain_json_with_the_credentials(
    server: FaultServer, make_pipeline: Make, observe: Observe
) -> None:
    """Basic credentials, gzip, JSON, no cookies."""
    server.behave = lambda received: Reply(
        200,
        stored(len(received.rows)).body,
        {"Set-Cookie": "auth_tokens=x", "Content-Type": "application/json"},
    )
    pipeline = make_pipeline()
    for number in range(3):
        pipeline.queue.offer(observe(number))
        pipeline.flush(5)
    headers = [received.headers for received in server.received]

    assert Counter(h["authorization"].split()[0] for h in headers) == {"Basic": 3}
    assert all(h["content-encoding"] == "gzip" and h["content-type"] == "application/json" for h in headers)
    assert not any("cookie" in h for h in headers)
    assert json.loads(server.received[0].body)[0]["service_name"]


def test_a_flush_ends_while_callers_go_on(make_pipeline: Make, observe: Observe) -> None:
    """It waits for what was there before it, not for a queue that never empties."""
    pipeline = make_pipeline()
    ending = threading.Event()

    def call() -> None:
        while not ending.is_set():
            pipeline.queue.offer(observe())
            pipeline.queue.offer(observe(outcome="error"))
            time.sleep(0.0005)

    caller = threading.Thread(target=call)
    caller.start()
    reports = [pipeline.flush(2) for _ in range(20)]
    ending.set()
    caller.join()

    assert [report.complete for report in reports] == [True] * 20
    assert sum(report.seconds for report in reports) < 5


def test_threads_that_cannot_start_are_tried_again(
    server: FaultServer, make_pipeline: Make, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more threads for a moment: the caller notices nothing, and nothing is lost once there are."""
    pipeline = make_pipeline(batch_size=1)
    start, refusals = threading.Thread.start, [True, False, True]

    def starting(thread: threading.Thread) -> None:
        if thread.name.startswith("cqrs-") and refusals and refusals.pop():
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starting)
    for number in range(4):
        pipeline.queue.offer(observe(number))

    assert pipeline.flush(5).complete
    assert len(server.delivered) == 4
    assert sum(thread.name.startswith("cqrs-") for thread in threading.enumerate()) == 2


def test_threads_that_never_start_lose_records_as_internal(
    make_pipeline: Make, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the end of the interpreter: counted and said, not raised."""

    def refusing(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    pipeline = make_pipeline(batch_size=1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refusing)
        pipeline.queue.offer(observe())
        pipeline.stop()

    assert pipeline.ledger() == books(1, 0, internal=1)


def test_a_worker_that_died_while_it_was_called_is_replaced(make_pipeline: Make, observe: Observe) -> None:
    """Callers that find it called already do not look whether it lives; but now and then one of them does."""
    pipeline = make_pipeline(batch_size="1", flush_interval="1h")
    pipeline.queue.offer(observe())
    worker = pipeline._crew._threads["worker"]
    worker._step = lambda: False
    pipeline._wake.set()
    worker.join(10)
    assert not worker.alive

    pipeline._wake.set()
    for number in range(99):
        pipeline.queue.offer(observe(number))
    assert pipeline._crew.restarts == 1
    assert pipeline.flush(10).complete
