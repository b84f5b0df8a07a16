"""A transport without a network."""

from datetime import UTC, datetime

from cqrs_openobserve.answers import Answer, Trouble, meaning
from cqrs_openobserve.payloads import OTLP, Payload, json_payloads
from cqrs_openobserve.testing import RecordingTransport, counted, rows_of, taken

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = next(json_payloads("s", [(b'{"a":1}', 0), (b'{"a":2}', 0)]))


def test_it_stores_everything_by_default() -> None:
    """Of every signal, as the pipeline understands it."""
    transport = RecordingTransport()
    spans = Payload("traces", "/v1/traces", OTLP, b"", 3, 0)
    for payload in (ROWS, spans):
        meant = meaning(transport.send(payload), payload.records, NOW, otlp=payload.is_otlp)
        assert (meant.action, meant.delivered) == ("settle", payload.records)
    assert transport.sent == [ROWS, spans]
    assert rows_of(ROWS) == [{"a": 1}, {"a": 2}]


def test_it_plays_what_it_is_told() -> None:
    """An answer or a trouble, which may change."""
    transport = RecordingTransport(lambda _: counted(1, 1, "too old"))
    assert meaning(transport.send(ROWS), 2, NOW).rejected == 1
    transport.play = lambda _: Trouble("refused", "nobody there")
    assert isinstance(transport.send(ROWS), Trouble)
    transport.play = taken
    assert isinstance(transport.send(ROWS), Answer)
    assert len(transport.sent) == 3


def test_it_takes_note_of_its_life() -> None:
    """For tests of how an exporter ends."""
    transport = RecordingTransport()
    transport.limit(5.0)
    transport.close()
    transport.abandon()
    assert (transport.limited, transport.closed, transport.abandoned) == (5.0, True, True)
