"""Group A of the fault catalogue: the network and the server. One test per row, on real sockets."""

import gzip
import socket
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
from cqrs_openobserve.testing import (
    Behaviour,
    Drip,
    FaultServer,
    Hang,
    Received,
    RecordingTransport,
    Reply,
    Reset,
    stored,
)

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]
Until = Callable[..., None]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def first(count: int, *faults: Behaviour) -> Callable[[Received], Behaviour]:
    """Answer a few times with faults in turn, then store everything."""
    left = [fault for fault in faults for _ in range(count)]
    return lambda received: left.pop(0) if left else stored(len(received.rows))


def offer(pipeline: Pipeline, observe: Observe, count: int) -> None:
    for number in range(count):
        pipeline.queue.offer(observe(number))


def numbers(server: FaultServer) -> list[int]:
    return sorted(int(str(row["message_id"]), 16) for row in server.delivered)


def test_a1_connection_refused_then_up(
    outage_pipeline: Make, observe: Observe, restart: Callable[[FaultServer], FaultServer]
) -> None:
    """Nothing listens, then something does: all records wait on disk and arrive, each once."""
    absent = FaultServer()
    absent.close()
    pipeline = outage_pipeline(url=absent.url)
    for batch in range(12):
        offer(pipeline, lambda number, batch=batch: observe(100 * batch + number), 100)
        pipeline.flush(0.05)
    during = pipeline.ledger()
    with restart(absent) as server:
        assert pipeline.flush(15).complete
        found = numbers(server)

    assert (during.lost, during.delivered, during.spooled + during.waiting) == (0, 0, 1_200)
    assert found == list(range(1_200))
    assert pipeline.ledger().delivered == 1_200


def test_a2_no_name_resolution_at_start(
    outage_pipeline: Make, observe: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    """The host's name is unknown: the start succeeds, records wait, and one line a minute names the variable."""
    pipeline = outage_pipeline(url="http://does-not-exist.invalid")
    for _ in range(5):
        offer(pipeline, observe, 10)
        pipeline.flush(0.3)
    assert (pipeline.ledger().accepted, pipeline.ledger().lost) == (50, 0)
    assert not pipeline.health().ok
    said = [record for record in caplog.records if "OPENOBSERVE_URL" in record.getMessage()]
    assert len(said) == 1


def test_a3_accepts_and_never_answers(server: FaultServer, outage_pipeline: Make, observe: Observe) -> None:
    """A hanging server: the request ends at its total deadline, and the records are sent again."""
    server.behave = first(1, Hang())
    pipeline = outage_pipeline(timeout="400ms")
    began = time.monotonic()
    offer(pipeline, observe, 10)
    assert pipeline.flush(15).complete
    assert time.monotonic() - began >= 0.4
    assert pipeline.ledger().delivered == 10
    assert pipeline.ledger().ambiguous == 10


@pytest.mark.parametrize(
    "text", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"]
)
def test_a4_drips_its_answer(
    server: FaultServer, outage_pipeline: Make, observe: Observe, text: bytes
) -> None:
    """A byte now and then, in headers or body: the same total deadline holds."""
    server.behave = first(1, Drip(0.02, text))
    pipeline = outage_pipeline(timeout="400ms")
    began = time.monotonic()
    offer(pipeline, observe, 10)
    assert pipeline.flush(15).complete
    assert 0.4 <= time.monotonic() - began < 8
    assert pipeline.ledger().delivered == 10


@pytest.mark.parametrize(
    "fault", [Reset(), Reset(b"HTTP/1.1 200 OK\r\nContent-Le"), Reset(b"HTTP/1.1 200 OK\r\n\r\n{")]
)
def test_a6_resets_the_connection(
    server: FaultServer, outage_pipeline: Make, observe: Observe, fault: Behaviour
) -> None:
    """Before or within its answer: sent again, counted as ambiguous, and duplicates share their record_id."""
    server.behave = first(1, fault)
    pipeline = outage_pipeline()
    offer(pipeline, observe, 10)
    assert pipeline.flush(15).complete
    books = pipeline.ledger()
    assert (books.delivered, books.lost, books.ambiguous >= 1) == (10, 0, True)
    assert len({str(row["record_id"]) for row in server.delivered}) == 10


def test_a7_keep_alive_closed_between_batches(
    server: FaultServer, outage_pipeline: Make, observe: Observe
) -> None:
    """An idle connection is gone: one reconnect at once, which counts as no failure."""
    pipeline = outage_pipeline()
    offer(pipeline, observe, 1)
    assert pipeline.flush(15).complete
    seen = len(server.received)
    server.behave = lambda received: (
        Reset() if len(server.received) == seen + 1 else stored(len(received.rows))
    )
    offer(pipeline, observe, 1)
    assert pipeline.flush(15).complete
    assert len(server.received) == seen + 2
    assert (pipeline.ledger().delivered, pipeline.trouble) == (2, "")


def test_a8_some_records_refused(server: FaultServer, outage_pipeline: Make, observe: Observe) -> None:
    """200 that counts k refused: k are lost as rejected_record, and the server's text is told."""
    server.behave = lambda received: stored(len(received.rows) - 1, 1, "Too old data")
    pipeline = outage_pipeline()
    offer(pipeline, observe, 50)
    pipeline.flush(15)
    books = pipeline.ledger()
    assert books.dropped == {"rejected_record": len(server.received)}
    assert books.delivered == 50 - len(server.received)
    assert "Too old data" in pipeline.trouble


def test_a9_counted_nothing(server: FaultServer, outage_pipeline: Make, observe: Observe) -> None:
    """200 with 0 stored and 0 refused: retried, then unaccounted, never delivered."""
    server.behave = lambda _: stored(0)
    pipeline = outage_pipeline(max_retries=1)
    offer(pipeline, observe, 5)
    assert pipeline.flush(15).complete
    assert (pipeline.ledger().delivered, pipeline.ledger().dropped) == (0, {"unaccounted": 5})


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"", b'{"code":200,"status":[{"succ'])
def test_a10_something_else_answers(
    server: FaultServer, outage_pipeline: Make, observe: Observe, body: bytes
) -> None:
    """200 from a captive portal, empty or torn: unaccounted, and the hint says that it may be no OpenObserve."""
    server.behave = lambda _: Reply(200, body)
    pipeline = outage_pipeline(max_retries=1)
    offer(pipeline, observe, 5)
    assert pipeline.flush(15).complete
    assert (pipeline.ledger().delivered, pipeline.ledger().dropped) == (0, {"unaccounted": 5})
    assert "is OPENOBSERVE_URL an OpenObserve server" in pipeline.trouble


def test_a11_only_a_body_that_counts_delivers(
    server: FaultServer, outage_pipeline: Make, observe: Observe
) -> None:
    """206 with counts is read like 200; 204 says nothing and delivers nothing."""
    server.behave = lambda received: Reply(206, stored(len(received.rows) - 1, 1).body)
    pipeline = outage_pipeline(max_retries=0)
    offer(pipeline, observe, 1)
    assert pipeline.flush(15).complete
    assert pipeline.ledger().dropped == {"rejected_record": 1}
    server.behave = lambda _: Reply(204)
    offer(pipeline, observe, 1)
    assert pipeline.flush(15).complete
    assert pipeline.ledger().dropped == {"rejected_record": 1, "unaccounted": 1}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a12_redirects(server: FaultServer, outage_pipeline: Make, observe: Observe, status: int) -> None:
    """Not followed: another host never sees the token; records are kept, and the target is told."""
    with FaultServer() as elsewhere:
        server.behave = lambda _: Reply(status, headers={"Location": f"{elsewhere.url}/x?secret=1"})
        pipeline = outage_pipeline()
        offer(pipeline, observe, 5)
        pipeline.flush(0.5)
        assert elsewhere.received == []
        assert (pipeline.ledger().lost, pipeline.ledger().delivered) == (0, 0)
        assert elsewhere.url in pipeline.trouble
        assert "secret=1" not in pipeline.trouble


def poisoned(status: int, bad: int) -> Callable[[Received], Behaviour]:
    def behave(received: Received) -> Behaviour:
        found = any(int(str(row["message_id"]), 16) == bad for row in received.rows)
        return Reply(status, b'{"code":400,"message":"bad"}') if found else stored(len(received.rows))

    return behave


@pytest.mark.parametrize("size", [100, 500])
def test_a14_one_bad_record(
    server: FaultServer, outage_pipeline: Make, observe: Observe, size: int, tmp_path: Path
) -> None:
    """A 400 for one record of N costs that record, in at most 2·log₂N + 1 requests, and it is kept in rejected/."""
    server.behave = poisoned(400, size // 3)
    pipeline = outage_pipeline(flush_interval="60s", batch_size=10_000)
    offer(pipeline, observe, 1)
    assert pipeline.flush(15).complete
    seen = len(server.received)
    offer(pipeline, lambda number: observe(number + 1), size)
    assert pipeline.flush(15).complete

    books = pipeline.ledger()
    assert (books.delivered, books.dropped) == (size, {"rejected_record": 1})
    assert len(server.received) - seen <= 2 * (size - 1).bit_length() + 1
    pipeline.stop()
    (kept,) = (tmp_path / "spool").glob("*/rejected/*")
    assert f"{size // 3:032x}".encode() in gzip.decompress(kept.read_bytes().partition(b"\n")[2])


@pytest.mark.parametrize("status", [401, 403])
def test_a15_credentials_refused(
    server: FaultServer,
    outage_pipeline: Make,
    observe: Observe,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Kept until too old, few requests, one line that names the variable and not the secret."""
    server.behave = lambda _: Reply(status, b"Unauthorized Access s3cret-canary")
    pipeline = outage_pipeline()
    offer(pipeline, observe, 300)
    pipeline.flush(0.8)
    assert (pipeline.ledger().lost, pipeline.ledger().accepted) == (0, 300)
    assert len(server.received) <= 6
    (line,) = [record.getMessage() for record in caplog.records]
    assert "OPENOBSERVE_TOKEN" in line
    assert "canary" not in line


def test_a16_path_unknown(server: FaultServer, outage_pipeline: Make, observe: Observe) -> None:
    """404: kept until too old, with a hint at the URL's path and the organisation."""
    server.behave = lambda _: Reply(404, b"Organization not found")
    pipeline = outage_pipeline()
    offer(pipeline, observe, 5)
    pipeline.flush(0.5)
    assert pipeline.ledger().lost == 0
    assert "path in OPENOBSERVE_URL and OPENOBSERVE_ORGANIZATION" in pipeline.trouble


def test_a17_request_too_large(server: FaultServer, outage_pipeline: Make, observe: Observe) -> None:
    """413: halved until it fits; only a record that is too large alone is lost."""
    server.behave = lambda received: Reply(413) if len(received.rows) > 7 else poisoned(413, 5)(received)
    pipeline = outage_pipeline(flush_interval="60s", batch_size=10_000)
    offer(pipeline, observe, 100)
    assert pipeline.flush(15).complete
    assert (pipeline.ledger().delivered, pipeline.ledger().dropped) == (99, {"rejected_record": 1})


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
    server: FaultServer, outage_pipeline: Make, observe: Observe
) -> None:
    """The wait is real, ends by itself, and a stop interrupts it."""
    server.behave = first(1, Reply(429, headers={"Retry-After": "1"}))
    pipeline = outage_pipeline()
    began = time.monotonic()
    offer(pipeline, observe, 5)
    assert pipeline.flush(15).complete
    assert time.monotonic() - began >= 1.0
    assert pipeline.ledger().delivered == 5

    server.behave = lambda _: Reply(429, headers={"Retry-After": "200"})
    offer(pipeline, observe, 1)
    pipeline.flush(0.3)
    began = time.monotonic()
    pipeline.stop()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a19_stumbles_twice(
    server: FaultServer, outage_pipeline: Make, observe: Observe, status: int
) -> None:
    """5xx twice, then well: sent again with growing delays, delivered, nothing lost."""
    server.behave = first(2, Reply(status))
    pipeline = outage_pipeline()
    offer(pipeline, observe, 20)
    assert pipeline.flush(15).complete
    assert (pipeline.ledger().delivered, pipeline.ledger().lost) == (20, 0)


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


def test_a21_server_slower_than_its_callers(
    server: FaultServer, make_pipeline: Make, observe: Observe
) -> None:
    """Callers are not held up: 99 of 100 enqueue in under 1 ms of their thread; what does not fit is counted."""
    server.behave = lambda received: (time.sleep(0.2), stored(len(received.rows)))[1]
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


def test_a22_a_burst(server: FaultServer, outage_pipeline: Make, observe: Observe) -> None:
    """10 000 records at once: none is lost, and they are sent by number, not by timer."""
    pipeline = outage_pipeline(flush_interval="3600s", batch_size=1_000)
    offer(pipeline, observe, 10_000)
    until_delivered = time.monotonic() + 15
    while pipeline.ledger().delivered < 9_000 and time.monotonic() < until_delivered:
        time.sleep(0.02)
    assert pipeline.ledger().delivered >= 9_000
    assert pipeline.flush(15).complete
    assert numbers(server) == list(range(10_000))


@pytest.mark.parametrize("encodings", ["gzip", "gzip, gzip"])
def test_a23_bombs(server: FaultServer, outage_pipeline: Make, observe: Observe, encodings: str) -> None:
    """An answer that unpacks to 200 MB, once or twice packed: cut at 1 MiB, unaccounted, memory stays."""
    packed = gzip.compress(b"\0" * 200_000_000, 9)
    bomb = gzip.compress(packed) if "," in encodings else packed
    server.behave = lambda _: Reply(200, bomb, {"Content-Encoding": encodings})
    pipeline = outage_pipeline(max_retries=0)
    offer(pipeline, observe, 5)
    before = _resident()
    assert pipeline.flush(15).complete
    assert pipeline.ledger().dropped == {"unaccounted": 5}
    assert _resident() - before < 32 * 1024 * 1024, "the bomb itself is 200 MB"


def _resident() -> int:
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@pytest.mark.parametrize("fault", ["expired", "other host", "unknown issuer", "old version"])
def test_a26_tls_that_does_not_fit(
    outage_pipeline: Make, observe: Observe, authority: Any, fault: str
) -> None:
    """Expired, wrong host, unknown issuer, TLS 1.0: nothing is sent, never in the clear, and the reason is told."""
    if fault == "old version":
        listener = _old_tls()
        url = f"https://localhost:{listener.getsockname()[1]}"
    else:
        made = authority.context(
            "elsewhere.example" if fault == "other host" else "localhost",
            expired=fault == "expired",
            lead=fault != "unknown issuer",
        )
        running = FaultServer(tls=made)
        running.__enter__()
        url = running.url
    pipeline = outage_pipeline(url=url, ca_file=authority.file, timeout="2s")
    offer(pipeline, observe, 5)
    pipeline.flush(2)
    if fault == "old version":
        listener.close()
    else:
        assert running.received == []
        running.close()
    assert (pipeline.ledger().lost, pipeline.ledger().delivered) == (0, 0)
    assert "did not agree on TLS" in pipeline.trouble or fault == "old version"
    assert pipeline.trouble != ""


def _old_tls() -> socket.socket:
    """Answer every hello with an alert of TLS 1.0: the version is not spoken here."""
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

    threading.Thread(target=serve, name="old-tls", daemon=True).start()
    return listener


def test_a26_a_certificate_that_changes_while_it_runs(
    outage_pipeline: Make, observe: Observe, authority: Any
) -> None:
    """Renewed by the same authority: the next connection takes it."""
    with FaultServer(tls=authority.context()) as before:
        pipeline = outage_pipeline(url=before.url, ca_file=authority.file)
        offer(pipeline, observe, 5)
        assert pipeline.flush(15).complete
    with FaultServer(tls=authority.context(), port=before.port) as renewed:
        offer(pipeline, observe, 5)
        assert pipeline.flush(15).complete
        assert len(renewed.delivered) == 5
    assert pipeline.ledger().delivered == 10


def test_a27_surroundings_are_not_used(
    server: FaultServer,
    outage_pipeline: Make,
    observe: Observe,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Proxies of the environment, .netrc and the server's cookies: not used; no proxy sees the token."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with FaultServer() as proxy:
        for variable in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        server.behave = lambda received: Reply(
            200, stored(len(received.rows)).body, {"Set-Cookie": "auth_tokens=x"}
        )
        pipeline = outage_pipeline()
        for _ in range(2):
            offer(pipeline, observe, 1)
            assert pipeline.flush(15).complete
        assert proxy.received == []
    assert len({received.headers["authorization"] for received in server.received}) == 1
    assert not any("cookie" in received.headers for received in server.received)


def test_a29_a_server_whose_clock_is_wrong(
    server: FaultServer, outage_pipeline: Make, observe: Observe
) -> None:
    """All "too old" because its clock is 6 h ahead: counted, and the offset is measured and told."""
    date = format_datetime(datetime.now(UTC) + timedelta(hours=6), usegmt=True)
    server.behave = lambda received: Reply(
        200, stored(0, len(received.rows), "Too old data").body, {"Date": date}
    )
    pipeline = outage_pipeline()
    offer(pipeline, observe, 5)
    assert pipeline.flush(15).complete
    assert pipeline.ledger().dropped == {"rejected_record": 5}
    skew = pipeline.health().clock_skew_s
    assert skew is not None
    assert abs(skew - 6 * 3600) < 60
    assert "the server's clock is +2" in pipeline.trouble


def test_a30_delivered_twice_after_a_timeout(
    server: FaultServer, outage_pipeline: Make, observe: Observe
) -> None:
    """The server stored it but did not say so in time: it gets it again, under the same record_id."""
    server.behave = first(1, Hang())
    pipeline = outage_pipeline(timeout="300ms")
    offer(pipeline, observe, 10)
    assert pipeline.flush(15).complete
    copies = [str(row["record_id"]) for row in server.delivered]
    assert len(copies) > len(set(copies)) == 10
    assert pipeline.ledger().ambiguous == len(copies) - 10
