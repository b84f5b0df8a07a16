"""From an observation to a row."""

import json
from typing import Any

import pytest
from cqrs_openobserve.columns import columns_of
from cqrs_openobserve.field_columns import FieldColumns
from cqrs_openobserve.observations import More, Observation, Subject
from cqrs_openobserve.records import Anchor, RowBuilder, error_text, level_of, level_of_observation
from cqrs_openobserve.service import Service

from cqrs import HandlerCrashed, TimedOut

SECOND = 10**9
SERVICE = Service("orders", "1.2", "production", "host-1")
ANCHOR = Anchor(wall_ns=1_700_000_000 * SECOND, monotonic_ns=50 * SECOND)


def observation(
    outcome: Any = "success",
    *,
    record: Any = "handled",
    kind: Any = "command",
    duration: int = 2_500_000,
    more: More | None = None,
    **changed: Any,
) -> Observation:
    """Make one with these numbers."""
    fields = changed.pop("fields", ())
    subject = Subject(
        kind, record, "PlaceOrder", "shop.place", changed.pop("subscriber", None), 10**12, fields
    )
    numbers = (0xA, 0xB, changed.pop("causation", None), 0xC, 0xD, changed.pop("parent", 0))
    return (subject, outcome, 49 * SECOND, duration, *numbers, changed.pop("sampled", False), more)


def row_of(seen: Observation, service: Service = SERVICE, instance: str = "inst") -> dict[str, Any]:
    """Make its row and read it as the server would; no name may stand in it twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    row: dict[str, Any] = json.loads(
        RowBuilder(service, instance).encoded(seen, level_of_observation(seen), ANCHOR),
        object_pairs_hook=once,
    )
    return row


def test_a_row_says_everything_that_is_known() -> None:
    """Every column of a handled command that succeeded."""
    assert row_of(observation(causation=0xF, parent=0xE)) == {
        "_timestamp": 1_699_999_999_000_000,
        "level": "INFO",
        "message": "command PlaceOrder succeeded",
        "record": "handled",
        "kind": "command",
        "message_type": "PlaceOrder",
        "handler": "shop.place",
        "outcome": "success",
        "duration_ms": 2.5,
        "retry_count": 0,
        "message_id": f"{0xA:032x}",
        "correlation_id": f"{0xB:032x}",
        "causation_id": f"{0xF:032x}",
        "trace_id": f"{0xC:032x}",
        "span_id": f"{0xD:016x}",
        "parent_span_id": f"{0xE:016x}",
        "sampled": False,
        "service_name": "orders",
        "service_version": "1.2",
        "service_instance_id": "inst",
        "deployment_environment": "production",
        "host_name": "host-1",
        "record_id": "inst-1",
    }


def test_rows_have_no_names_that_are_no_columns() -> None:
    """What the table does not know never leaves the process."""
    told = More(
        "E",
        "code",
        "text",
        2,
        1,
        notes={"cache_status": "hit", "cache_hit": True, "cache_age_ms": 5.0, "x": 1},
    )
    for kind in ("command", "query", "event"):
        allowed = {column.name for column in columns_of(kind)} | {"subscribers"}
        for seen in (
            observation(kind=kind),
            observation(kind=kind, more=told),
            observation("start", kind=kind),
        ):
            assert set(row_of(seen)) <= allowed
        assert set(row_of(observation(kind=kind, record="probe"))) == {
            column.name for column in columns_of(kind)
        }


def test_what_few_rows_have() -> None:
    """An error, its texts, retries, what the edge said and what a cache noted; texts are redacted."""
    notes = {"cache_status": "stale", "cache_hit": True, "cache_age_ms": 12.5}
    more = More(
        "OutOfStock",
        "a@b.example",
        {"to": "bob@example.com"},
        None,
        2,
        None,
        notes,
        None,
        "req-1",
        "acme",
        "bob@example.com",
    )
    row = row_of(observation("rejected", kind="query", more=more, sampled=True))

    assert {
        "error_type": "OutOfStock",
        "error_code": "<email>",
        "error_message": '{"to":"<email>"}',
        "retry_count": 2,
        "cache_status": "stale",
        "cache_hit": True,
        "cache_age_ms": 12.5,
        "correlation_id": "req-1",
        "tenant": "acme",
        "principal": "<email>",
        "sampled": True,
        "level": "WARN",
    }.items() <= row.items()


def test_notes_are_columns_of_queries_only() -> None:
    """A command has no cache."""
    assert "cache_status" not in row_of(observation(more=More(notes={"cache_status": "hit"})))


def test_fields_of_the_message_are_columns_beside_the_others() -> None:
    """Prefixed, so that none can be taken for another column."""

    class Order:
        _timestamp: int

    Order.__annotations__["_timestamp"] = int
    message = Order()
    message._timestamp = 5
    row = row_of(observation(more=More(message=message), fields=FieldColumns().of(Order, ("_timestamp",))))

    assert row["field__timestamp"] == 5
    assert row["_timestamp"] == 1_699_999_999_000_000


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, None),
        ("no bob@example.com", "no <email>"),
        (ValueError("password=x", 2), '["password=<redacted>",2]'),
        (KeyError("k"), "k"),
        (
            HandlerCrashed("M", "h", "handler", "KeyError", "call +49 171 1234567", "tb", KeyError()),
            "call <phone>",
        ),
        (TimedOut("h", 1.5), '{"handler":"h","seconds":1.5}'),
    ],
    ids=repr,
)
def test_the_text_of_an_error_runs_none_of_its_code(error: object, text: str | None) -> None:
    """A crash's text is there already; others are written as values are."""
    assert error_text(error) == text


def test_a_parked_letter_is_an_error_that_names_it() -> None:
    """Whoever looks for it finds its id."""
    row = row_of(
        observation("error", record="dead_letter", kind="event", subscriber="mail", more=More(letter="L1"))
    )

    assert (row["level"], row["message"]) == ("ERROR", "event PlaceOrder to mail parked as dead letter L1")


@pytest.mark.parametrize(
    ("outcome", "slow", "level"),
    [
        ("start", False, "DEBUG"),
        ("success", False, "INFO"),
        ("rejected", False, "INFO"),
        ("success", True, "WARN"),
        ("rejected", True, "WARN"),
        ("cancelled", False, "WARN"),
        ("error", False, "ERROR"),
        ("error", True, "ERROR"),
    ],
)
def test_levels(outcome: Any, slow: bool, level: str) -> None:  # noqa: FBT001 - a parameter of the table above
    """Slow raises INFO to WARN; an error is an error."""
    assert level_of(outcome, 100 if slow else 99, 100) == level


def test_what_was_tried_again_is_worth_a_look() -> None:
    """A success after a retry is no plain success."""
    assert [level_of("success", 1, 100, retries) for retries in (0, 1)] == ["INFO", "WARN"]
    assert level_of_observation(observation(more=More(retries=1))) == "WARN"


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (observation("rejected"), "command PlaceOrder was rejected"),
        (observation("error"), "command PlaceOrder failed"),
        (observation("cancelled"), "command PlaceOrder was cancelled"),
        (observation("start"), "command PlaceOrder started"),
        (observation(kind="event", subscriber="mail"), "event PlaceOrder to mail succeeded"),
        (
            observation(kind="event", record="published", more=More(subscribers=2)),
            "event PlaceOrder published",
        ),
    ],
)
def test_sentences(made: Observation, sentence: str) -> None:
    """A person who reads the stream needs no second column."""
    assert row_of(made)["message"] == sentence


def test_a_start_has_no_outcome_yet() -> None:
    """Nor a duration; it would count in rates and percentiles."""
    row = row_of(observation("start"))
    assert (row["record"], "outcome" in row, "duration_ms" in row) == ("start", False, False)


def test_a_configured_instance_id_is_shown_but_records_stay_distinct() -> None:
    """Two workers with the same configured id still have records of their own."""
    service = Service("s", None, None, "h", "configured")
    one, two = (row_of(observation(), service, name) for name in ("a", "b"))
    assert one["service_instance_id"] == two["service_instance_id"] == "configured"
    assert one["record_id"] != two["record_id"]


def test_a_probe_row_fills_every_column() -> None:
    """So that one record makes the server know them all."""
    for kind in ("command", "query", "event"):
        row = RowBuilder(Service("s", None, None, "h"), "i").probe_row(kind, 5, "probe-1")
        assert set(row) == {column.name for column in columns_of(kind)}
        assert None not in row.values()
        assert (row["record"], row["correlation_id"], row["_timestamp"]) == ("probe", "probe-1", 5)
