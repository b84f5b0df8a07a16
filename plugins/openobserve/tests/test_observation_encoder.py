"""From observations to payloads."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from cqrs_openobserve import observation_encoder
from cqrs_openobserve.bus_metrics import BusMetrics
from cqrs_openobserve.feeds import Account, Batch
from cqrs_openobserve.metric_cells import MetricCells
from cqrs_openobserve.observation_encoder import NEVER, ObservationEncoder, needs_late_span
from cqrs_openobserve.observations import Observation, Subject
from cqrs_openobserve.payloads import MOST_BYTES, MOST_RECORDS, Payload
from cqrs_openobserve.records import LEVELS, Anchor, RowBuilder
from cqrs_openobserve.service import Service

STREAMS = {"command": "c", "query": "q", "event": "e"}
ROWS = RowBuilder(Service("s", None, None, "h"), "i")


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def encode(account: Account) -> Callable[[list[Observation]], list[Payload]]:
    encoded = ObservationEncoder(STREAMS, ROWS, LEVELS["INFO"])
    return lambda seen: list(encoded(Batch(seen, Anchor(0, 0), account)))


def test_payloads_hold_one_stream_each_in_order(
    encode: Callable[[list[Observation]], list[Payload]], observe: Callable[..., Observation]
) -> None:
    """With the age of the oldest."""
    seen = [
        observe(n, kind=kind, ended=n + 1) for n, kind in enumerate(["command", "query", "command", "event"])
    ]
    made = {payload.path: payload for payload in encode(seen)}

    assert {path: (payload.oldest_ns, payload.records) for path, payload in made.items()} == {
        "/c/_json": (1, 2),
        "/q/_json": (2, 1),
        "/e/_json": (4, 1),
    }
    body = json.loads(gzip.decompress(made["/c/_json"].body))
    assert [int(row["message_id"], 16) for row in body] == [0, 2]


def test_nothing_gives_nothing(encode: Callable[[list[Observation]], list[Payload]]) -> None:
    """No empty request is ever sent."""
    assert encode([]) == []


def test_a_record_that_is_too_large_is_told(
    encode: Callable[[list[Observation]], list[Payload]],
    observe: Callable[..., Observation],
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It costs itself, and the account knows why."""
    monkeypatch.setattr(observation_encoder, "LARGEST_RECORD", 10)

    assert encode([observe(), observe()]) == []
    assert account.dropped == {"record_too_large": 2}


@pytest.mark.parametrize(
    ("least", "records"), [("DEBUG", 4), ("INFO", 3), ("WARN", 2), ("ERROR", 1), (None, 0)]
)
def test_everything_is_measured_and_logged_from_its_level_on(
    observe: Callable[..., Observation], account: Account, least: str | None, records: int
) -> None:
    """What is below the level is told to be no record."""
    metrics = MetricCells()
    encoder = ObservationEncoder(STREAMS, ROWS, LEVELS[least] if least else NEVER, BusMetrics(metrics))
    seen = [observe(outcome=outcome) for outcome in ("start", "success", "cancelled", "error")]
    made = list(encoder(Batch(seen, Anchor(0, 0), account)))

    assert sum(payload.records for payload in made) == records
    assert account.skipped == 4 - records
    assert sum(series.cell.count for series in metrics.series()) == 3


@pytest.mark.parametrize(
    ("outcome", "milliseconds", "sampled", "late"),
    [
        ("success", 1, False, False),
        ("success", 2_000, False, True),
        ("rejected", 1, False, False),
        ("cancelled", 1, False, False),
        ("error", 1, False, True),
        ("error", 1, True, False),
        ("start", 2_000, False, False),
    ],
)
def test_what_fails_or_is_slow_gets_a_span_afterwards(
    outcome: Any,
    milliseconds: int,
    sampled: bool,  # noqa: FBT001 - a table
    late: bool,  # noqa: FBT001 - a table
) -> None:
    """If it has none."""
    subject = Subject("command", "handled", "M", slow_ns=10**9)
    seen = (subject, outcome, 0, milliseconds * 10**6, 1, 1, None, 1, 1, 0, sampled, None)

    assert needs_late_span(seen) is late


def test_late_spans_are_made_of_what_needs_them(
    observe: Callable[..., Observation], account: Account
) -> None:
    """They travel beside the records."""

    class Late:
        def late(self, observations: Sequence[Observation], anchor: Anchor, /) -> Iterator[Payload]:
            """Say how many."""
            del anchor
            yield Payload("traces", "/t", {}, b"", len(observations), 0)

    encoder = ObservationEncoder(STREAMS, ROWS, NEVER, None, Late())
    seen = [observe(outcome=outcome) for outcome in ("success", "error", "error")]

    assert [(p.signal, p.records) for p in encoder(Batch(seen, Anchor(0, 0), account))] == [("traces", 2)]
    assert list(encoder(Batch(seen[:1], Anchor(0, 0), account))) == []


def test_it_learns_how_many_observations_fill_a_request(observe: Callable[..., Observation]) -> None:
    """From the rows that it made, so that the next round takes no more than one request holds."""
    encoder = ObservationEncoder(STREAMS, ROWS, LEVELS["INFO"])
    made = list(encoder(Batch([observe(n) for n in range(10)], Anchor(0, 0), Account())))
    size = len(gzip.decompress(made[0].body)) / 10
    assert encoder.filling.most() == min(MOST_RECORDS, round(0.97 * MOST_BYTES / size))
