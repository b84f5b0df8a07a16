"""Group A of the fault catalogue: what the server answers. One test per row, on a real socket."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.testing import (
    POISON,
    FaultServer,
    Reply,
    Row,
    rows,
)

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]
Offer = Callable[..., None]
Numbers = Callable[[FaultServer], list[int]]
Play = Callable[[str], Row]


def test_a8_some_records_refused(play: Play, outage_pipeline: Make, offer: Offer) -> None:
    """200 that counts one refused: it is lost as rejected_record, and the server's text is told."""
    row = play("A8")
    pipeline = outage_pipeline()
    offer(pipeline, 50)
    pipeline.flush(15)
    assert row.differs(50, pipeline.ledger()) == ""
    assert "Too old data" in pipeline.trouble


def test_a9_counted_nothing(play: Play, outage_pipeline: Make, offer: Offer) -> None:
    """200 with 0 stored and 0 refused: retried, then unaccounted, never delivered."""
    row = play("A9")
    pipeline = outage_pipeline(max_retries=1)
    offer(pipeline, 5)
    assert pipeline.flush(15).complete
    assert row.differs(5, pipeline.ledger()) == ""


@pytest.mark.parametrize("row", [row.id for row in rows("A10")])
def test_a10_something_else_answers(play: Play, outage_pipeline: Make, offer: Offer, row: str) -> None:
    """200 from a captive portal, empty or torn: unaccounted, and the hint says that it may be no OpenObserve."""
    played = play(row)
    pipeline = outage_pipeline(max_retries=1)
    offer(pipeline, 5)
    assert pipeline.flush(15).complete
    assert played.differs(5, pipeline.ledger()) == ""
    assert "is OPENOBSERVE_URL an OpenObserve server" in pipeline.trouble


def test_a11_only_a_body_that_counts_delivers(play: Play, outage_pipeline: Make, offer: Offer) -> None:
    """206 with counts is read like 200; 204 says nothing and delivers nothing."""
    play("A11.206")
    pipeline = outage_pipeline(max_retries=0)
    offer(pipeline, 1)
    assert pipeline.flush(15).complete
    assert pipeline.ledger().dropped == {"rejected_record": 1}
    play("A11.204")
    offer(pipeline, 1)
    assert pipeline.flush(15).complete
    assert pipeline.ledger().dropped == {"rejected_record": 1, "unaccounted": 1}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a12_redirects(server: FaultServer, outage_pipeline: Make, offer: Offer, status: int) -> None:
    """Not followed: another host never sees the token; records are kept, and the target is told."""
    with FaultServer() as elsewhere:
        server.behave = lambda _: Reply(status, headers={"Location": f"{elsewhere.url}/x?secret=1"})
        pipeline = outage_pipeline()
        offer(pipeline, 5)
        pipeline.flush(0.5)
        assert elsewhere.received == []
        assert (pipeline.ledger().lost, pipeline.ledger().delivered) == (0, 0)
        assert elsewhere.url in pipeline.trouble
        assert "secret=1" not in pipeline.trouble


@pytest.mark.parametrize("size", [100, 1_000])
def test_a14_one_bad_record(
    server: FaultServer, play: Play, outage_pipeline: Make, offer: Offer, *, size: int, tmp_path: Path
) -> None:
    """A 400 for one record of N costs that record, in at most 2·log₂N + 1 requests, and it is kept in rejected/."""
    row = play("A14")
    pipeline = outage_pipeline(flush_interval="60s", batch_size=10_000)
    offer(pipeline, 1)
    assert pipeline.flush(15).complete
    seen = len(server.received)
    offer(pipeline, size, 1)
    assert pipeline.flush(15).complete

    assert row.differs(size + 1, pipeline.ledger()) == ""
    requests = 1 + (size > 800)  # for all of them, as one request holds at most 512 KiB
    assert len(server.received) - seen <= 2 * (size - 1).bit_length() + requests
    pipeline.stop()
    (kept,) = (tmp_path / "spool").glob("*/rejected/*")
    assert f"{POISON:032x}".encode() in gzip.decompress(kept.read_bytes().partition(b"\n")[2])


@pytest.mark.parametrize("status", [401, 403])
def test_a15_credentials_refused(
    server: FaultServer,
    outage_pipeline: Make,
    offer: Offer,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Kept until too old, few requests, one line that names the variable and not the secret."""
    server.behave = lambda _: Reply(status, b"Unauthorized Access s3cret-canary")
    pipeline = outage_pipeline()
    offer(pipeline, 300)
    pipeline.flush(0.8)
    assert (pipeline.ledger().lost, pipeline.ledger().accepted) == (0, 300)
    assert len(server.received) <= 6
    (line,) = [record.getMessage() for record in caplog.records]
    assert "OPENOBSERVE_TOKEN" in line
    assert "canary" not in line


def test_a16_path_unknown(play: Play, outage_pipeline: Make, offer: Offer) -> None:
    """404: kept until too old, with a hint at the URL's path and the organisation."""
    row = play("A16")
    pipeline = outage_pipeline()
    offer(pipeline, 5)
    pipeline.flush(0.5)
    assert row.differs(5, pipeline.ledger()) == ""
    assert "path in OPENOBSERVE_URL and OPENOBSERVE_ORGANIZATION" in pipeline.trouble


def test_a17_request_too_large(play: Play, outage_pipeline: Make, offer: Offer) -> None:
    """413: halved until it fits; only a record that is too large alone is lost."""
    row = play("A17")
    pipeline = outage_pipeline(flush_interval="60s", batch_size=10_000)
    offer(pipeline, 100)
    assert pipeline.flush(15).complete
    assert row.differs(100, pipeline.ledger()) == ""


@pytest.mark.parametrize("row", [row.id for row in rows("A23")])
def test_a23_bombs(play: Play, outage_pipeline: Make, offer: Offer, row: str) -> None:
    """An answer that unpacks to 200 MB, once or twice packed: cut at 1 MiB, unaccounted, memory stays."""
    played = play(row)
    pipeline = outage_pipeline(max_retries=0)
    offer(pipeline, 5)
    before = _resident()
    assert pipeline.flush(15).complete
    assert played.differs(5, pipeline.ledger()) == ""
    assert _resident() - before < 32 * 1024 * 1024, "the bomb itself is 200 MB"


def _resident() -> int:
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def test_a29_a_server_whose_clock_is_wrong(play: Play, outage_pipeline: Make, offer: Offer) -> None:
    """All "too old" because its clock is 6 h ahead: counted, and the offset is measured and told."""
    row = play("A29")
    pipeline = outage_pipeline()
    offer(pipeline, 5)
    assert pipeline.flush(15).complete
    assert row.differs(5, pipeline.ledger()) == ""
    skew = pipeline.health().clock_skew_s
    assert skew is not None
    assert abs(skew - 6 * 3600) < 60
    assert "the server's clock is +2" in pipeline.trouble
