"""What travels in one request."""

import gzip
import json

import pytest
from cqrs_openobserve import payloads
from cqrs_openobserve.payloads import (
    JSON,
    LONGEST_SPAN_NS,
    MOST_BYTES,
    MOST_RECORDS,
    OTLP,
    Filling,
    Payload,
    compressed,
    halves,
    json_payloads,
)


def rows(count: int) -> list[tuple[bytes, int]]:
    return [(json.dumps({"n": n}).encode(), n) for n in range(count)]


def read(payload: Payload) -> list[int]:
    return [row["n"] for row in json.loads(gzip.decompress(payload.body))]


def test_rows_become_requests_of_their_stream() -> None:
    """A JSON array each, with the count and the age of the oldest."""
    (made,) = json_payloads("cqrs_commands", [(b'{"n":1}', 7), (b'{"n":2}', 5)])
    assert (made.signal, made.path, made.headers) == ("logs", "/cqrs_commands/_json", JSON)
    assert (made.records, made.oldest_ns, made.is_otlp) == (2, 5, False)
    assert gzip.decompress(made.body) == b'[{"n":1},{"n":2}]'


@pytest.mark.parametrize(("records", "size"), [(1_000, 512 * 1024), (7, 512 * 1024), (1_000, 30)])
def test_requests_are_bounded(monkeypatch: pytest.MonkeyPatch, records: int, size: int) -> None:
    """By records and by bytes; a record that is larger alone still goes, alone."""
    monkeypatch.setattr(payloads, "MOST_RECORDS", records)
    monkeypatch.setattr(payloads, "MOST_BYTES", size)
    made = list(json_payloads("s", [*rows(20), (b'{"n":20,"text":"' + b"x" * 100 + b'"}', 20)]))

    assert [n for payload in made for n in read(payload)] == list(range(21))
    assert all(payload.records == len(read(payload)) <= records for payload in made)
    assert all(payload.records == 1 or len(gzip.decompress(payload.body)) <= size for payload in made)


def test_records_of_one_request_are_of_one_time() -> None:
    """At most five minutes apart, so that a request expires as a whole without losing what is young."""
    ages = [0, LONGEST_SPAN_NS, LONGEST_SPAN_NS + 1, 3 * LONGEST_SPAN_NS, 0]
    made = json_payloads("s", [(b"{}", age) for age in ages])
    assert [(payload.records, payload.oldest_ns) for payload in made] == [
        (2, 0),
        (1, LONGEST_SPAN_NS + 1),
        (1, 3 * LONGEST_SPAN_NS),
        (1, 0),
    ]


def test_a_request_comes_apart_into_two() -> None:
    """Nothing is lost and the order is kept."""
    (made,) = json_payloads("s", rows(5))
    first, second = halves(made)
    assert (read(first), first.records) == ([0, 1], 2)
    assert (read(second), second.records) == ([2, 3, 4], 3)
    assert (second.path, second.oldest_ns) == (made.path, made.oldest_ns)


@pytest.mark.parametrize(
    "body", [b"", b"no gzip", compressed(b"[{}"), compressed(b"[{}]"), compressed(b"{}")[:-3]]
)
def test_what_cannot_be_read_does_not_come_apart(body: bytes) -> None:
    """A damaged body, or one that holds another number of records."""
    assert halves(Payload("logs", "/s/_json", JSON, body, 2, 0)) == ()
    assert halves(Payload("traces", "/v1/traces", OTLP, body, 2, 0)) == ()


def test_a_body_is_shown_nowhere() -> None:
    """A payload in a traceback or log does not show its records."""
    assert "secret" not in repr(Payload("logs", "/s/_json", JSON, b"secret", 1, 0))


def test_how_many_rows_fill_a_request_is_learnt() -> None:
    """At first as many as a request may hold; then so many that it is filled, and one more batch is not cut in two."""
    filling = Filling()
    assert filling.most() == MOST_RECORDS
    row = b"x" * 700
    filling.learn([(row, 0)])
    most = filling.most()

    assert most < MOST_RECORDS
    assert [payload.records for payload in json_payloads("s", [(row, 0)] * most)] == [most]
    assert len(list(json_payloads("s", [(row, 0)] * MOST_RECORDS))) == 2
    assert most * len(row) > 0.9 * MOST_BYTES


def test_small_rows_are_believed_slowly_and_large_ones_at_once() -> None:
    """A row that is seldom large costs a second request once, not each time."""
    filling = Filling()
    filling.learn([(b"x" * 5_000, 0)])
    least = filling.most()
    filling.learn([(b"x", 0)])
    assert least < filling.most() < MOST_RECORDS
    for _ in range(99):
        filling.learn([(b"x", 0)])
    assert filling.most() == MOST_RECORDS
