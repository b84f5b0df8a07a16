"""Group A of the fault catalogue: connections, names, TLS. One test per row, on real sockets."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.testing import FaultServer, Row, rows
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]
Offer = Callable[..., None]
Numbers = Callable[[FaultServer], list[int]]
Play = Callable[[str], Row]


def test_a1_connection_refused_then_up(
    outage_pipeline: Make, offer: Offer, numbers: Numbers, restart: Callable[[FaultServer], FaultServer]
) -> None:
    """Nothing listens, then something does: all records wait on disk and arrive, each once."""
    absent = FaultServer()
    absent.close()
    pipeline = outage_pipeline(url=absent.url)
    for batch in range(12):
        offer(pipeline, 100, 100 * batch)
        pipeline.flush(0.05)
    during = pipeline.ledger()
    with restart(absent) as server:
        assert pipeline.flush(15).complete
        found = numbers(server)

    assert (during.lost, during.delivered, during.spooled + during.waiting) == (0, 0, 1_200)
    assert found == list(range(1_200))
    assert pipeline.ledger().delivered == 1_200


def test_a2_no_name_resolution_at_start(
    outage_pipeline: Make, offer: Offer, caplog: pytest.LogCaptureFixture
) -> None:
    """The host's name is unknown: the start succeeds, records wait, and one line a minute names the variable."""
    pipeline = outage_pipeline(url="http://does-not-exist.invalid")
    for _ in range(5):
        offer(pipeline, 10)
        pipeline.flush(0.3)
    assert (pipeline.ledger().accepted, pipeline.ledger().lost) == (50, 0)
    assert not pipeline.health().ok
    said = [record for record in caplog.records if "OPENOBSERVE_URL" in record.getMessage()]
    assert len(said) == 1


def test_a3_accepts_and_never_answers(play: Play, outage_pipeline: Make, offer: Offer) -> None:
    """A hanging server: the request ends at its total deadline, and the records are sent again."""
    play("A3")
    pipeline = outage_pipeline(timeout="400ms")
    began = time.monotonic()
    offer(pipeline, 10)
    assert pipeline.flush(15).complete
    assert time.monotonic() - began >= 0.4
    assert pipeline.ledger().delivered == 10
    assert pipeline.ledger().ambiguous == 10


@pytest.mark.parametrize("row", [row.id for row in rows("A4")])
def test_a4_drips_its_answer(play: Play, outage_pipeline: Make, offer: Offer, row: str) -> None:
    """A byte now and then, in headers or body: the same total deadline holds."""
    play(row)
    pipeline = outage_pipeline(timeout="400ms")
    began = time.monotonic()
    offer(pipeline, 10)
    assert pipeline.flush(15).complete
    assert 0.4 <= time.monotonic() - began < 8
    assert pipeline.ledger().delivered == 10


@pytest.mark.parametrize("row", [row.id for row in rows("A6")])
def test_a6_resets_the_connection(
    server: FaultServer, play: Play, outage_pipeline: Make, offer: Offer, row: str
) -> None:
    """Before or within its answer: sent again, counted as ambiguous, and duplicates share their record_id."""
    play(row)
    pipeline = outage_pipeline()
    offer(pipeline, 10)
    assert pipeline.flush(15).complete
    books = pipeline.ledger()
    assert (books.delivered, books.lost, books.ambiguous >= 1) == (10, 0, True)
    assert len({str(row["record_id"]) for row in server.delivered}) == 10


def test_a7_keep_alive_closed_between_batches(
    server: FaultServer, play: Play, outage_pipeline: Make, offer: Offer
) -> None:
    """An idle connection is gone: one reconnect at once, which counts as no failure."""
    play("A7")
    pipeline = outage_pipeline()
    for _ in range(2):
        offer(pipeline, 1)
        assert pipeline.flush(15).complete
    assert len(server.received) == 3
    assert (pipeline.ledger().delivered, pipeline.trouble) == (2, "")


@pytest.mark.parametrize("fault", ["expired", "other host", "unknown issuer", "old version"])
def test_a26_tls_that_does_not_fit(outage_pipeline: Make, offer: Offer, authority: Any, fault: str) -> None:
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
    offer(pipeline, 5)
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
    outage_pipeline: Make, offer: Offer, authority: Any
) -> None:
    """Renewed by the same authority: the next connection takes it."""
    with FaultServer(tls=authority.context()) as before:
        pipeline = outage_pipeline(url=before.url, ca_file=authority.file)
        offer(pipeline, 5)
        assert pipeline.flush(15).complete
    with FaultServer(tls=authority.context(), port=before.port) as renewed:
        offer(pipeline, 5)
        assert pipeline.flush(15).complete
        assert len(renewed.delivered) == 5
    assert pipeline.ledger().delivered == 10


def test_a27_surroundings_are_not_used(
    server: FaultServer,
    play: Play,
    outage_pipeline: Make,
    offer: Offer,
    *,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Proxies of the environment, .netrc and the server's cookies: not used; no proxy sees the token."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with FaultServer() as proxy:
        for variable in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        play("A27")
        pipeline = outage_pipeline()
        for _ in range(2):
            offer(pipeline, 1)
            assert pipeline.flush(15).complete
        assert proxy.received == []
    assert len({received.headers["authorization"] for received in server.received}) == 1
    assert not any("cookie" in received.headers for received in server.received)


def test_a30_delivered_twice_after_a_timeout(
    server: FaultServer, play: Play, outage_pipeline: Make, offer: Offer
) -> None:
    """The server stored it but did not say so in time: it gets it again, under the same record_id."""
    play("A30")
    pipeline = outage_pipeline(timeout="300ms")
    offer(pipeline, 10)
    assert pipeline.flush(15).complete
    copies = [str(row["record_id"]) for row in server.delivered]
    assert len(copies) > len(set(copies)) == 10
    assert pipeline.ledger().ambiguous == len(copies) - 10


def test_a31_only_the_endpoint_of_traces_is_down(
    play: Play, outage_pipeline: Make, offer: Offer, until: Callable[..., None]
) -> None:
    """Its breaker is its own: records are delivered meanwhile, and spans wait for their server."""
    row = play("A31")
    pipeline = outage_pipeline(tracing_enabled="true", tracing_sampling_rate="1")
    for number in range(20):
        pipeline.queues.spans.offer(
            ReadableSpan(f"span {number}", SpanContext(1, number + 1, is_remote=False))
        )
    until(lambda: "traces" in pipeline.health().outages)
    offer(pipeline, 50)
    until(lambda: pipeline.ledger().delivered == 50)
    assert row.differs(50, pipeline.ledger("logs")) == ""
    traces = pipeline.ledger("traces")
    assert (traces.delivered, traces.waiting + traces.spooled, traces.lost) == (0, 20, 0)
    assert "logs" not in pipeline.health().outages


def test_a32_an_address_that_leads_nowhere(
    server: FaultServer, outage_pipeline: Make, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a host with several addresses one is not there and one swallows what it gets: each costs only its share."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as hole:
        place = hole.getsockname()
        waiting = [_knocking(place) for _ in range(3)]  # nobody accepts, and its queue is full
        nowhere = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0))
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", each) for each in (place, ("127.0.0.1", server.port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [nowhere, *found])
        pipeline = outage_pipeline(url="http://both.example:5080", timeout="1s")
        offer(pipeline, 5)
        assert pipeline.flush(15).complete
        for each in waiting:
            each.close()
    assert (pipeline.ledger().delivered, pipeline.ledger().ambiguous, pipeline.trouble) == (5, 0, "")


def _knocking(place: tuple[str, int]) -> socket.socket:
    sock = socket.socket()
    sock.settimeout(0)
    sock.connect_ex(place)
    return sock
