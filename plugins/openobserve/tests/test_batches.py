"""From observations to payloads."""

import gzip
import json
from collections.abc import Callable

import pytest
from cqrs_openobserve import batches
from cqrs_openobserve.batches import record_encoder
from cqrs_openobserve.feeds import Account, Batch
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.payloads import Payload
from cqrs_openobserve.records import Anchor, RowBuilder
from cqrs_openobserve.service import Service

STREAMS = {"command": "c", "query": "q", "event": "e"}


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def encode(account: Account) -> Callable[[list[Observation]], list[Payload]]:
    encoded = record_encoder(STREAMS, RowBuilder(Service("s", None, None, "h"), "i"))
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
    monkeypatch.setattr(batches, "LARGEST_RECORD", 10)

    assert encode([observe(), observe()]) == []
    assert account.dropped == {"record_too_large": 2}
