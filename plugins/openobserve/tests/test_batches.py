"""From observations to payloads."""

import gzip
import json
from collections.abc import Callable

import pytest
from cqrs_openobserve import batches
from cqrs_openobserve.batches import compressed, payloads
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.records import Anchor, RowBuilder
from cqrs_openobserve.service import Service

STREAMS = {"command": "c", "query": "q", "event": "e"}


@pytest.fixture
def rows() -> RowBuilder:
    return RowBuilder(Service("s", None, None, "h"), "i")


def test_payloads_hold_one_stream_each_in_order(
    rows: RowBuilder, observe: Callable[..., Observation]
) -> None:
    """With the age of every record."""
    seen = [
        observe(n, kind=kind, ended=n + 1) for n, kind in enumerate(["command", "query", "command", "event"])
    ]
    made = {payload.stream: payload for payload in payloads(seen, STREAMS, rows, Anchor(0, 0))}

    assert {stream: payload.ages for stream, payload in made.items()} == {"c": (1, 3), "q": (2,), "e": (4,)}
    body = json.loads(gzip.decompress(made["c"].body or b""))
    assert [int(row["message_id"], 16) for row in body] == [0, 2]
    assert [json.dumps(row) for row in body] == [json.dumps(json.loads(row)) for row in made["c"].rows]


@pytest.mark.parametrize(("records", "size"), [(1_000, 512 * 1024), (7, 512 * 1024), (1_000, 1_500)])
def test_payloads_are_bounded(
    rows: RowBuilder,
    observe: Callable[..., Observation],
    monkeypatch: pytest.MonkeyPatch,
    records: int,
    size: int,
) -> None:
    """By records and by bytes; a record that is larger alone still goes, alone."""
    monkeypatch.setattr(batches, "MOST_RECORDS", records)
    monkeypatch.setattr(batches, "MOST_BYTES", size)
    made = list(payloads([observe(n) for n in range(20)], STREAMS, rows, Anchor(0, 0)))

    assert sum(map(len, made)) == 20
    assert all(len(payload) <= records for payload in made)
    assert all(len(payload) == 1 or len(gzip.decompress(payload.body or b"")) <= size for payload in made)


def test_nothing_gives_nothing(rows: RowBuilder) -> None:
    """No empty request is ever sent."""
    assert list(payloads([], STREAMS, rows, Anchor(0, 0))) == []
    assert gzip.decompress(compressed([b"{}", b"{}"])) == b"[{},{}]"
