"""From an observation to a row."""

from typing import Any

import pytest
from cqrs_openobserve.columns import columns_of
from cqrs_openobserve.observations import Observation, Subject
from cqrs_openobserve.records import Anchor, RowBuilder, level_of
from cqrs_openobserve.service import Service

SECOND = 10**9
SERVICE = Service("orders", "1.2", "production", "host-1")
ANCHOR = Anchor(wall_ns=1_700_000_000 * SECOND, monotonic_ns=50 * SECOND)


def observation(
    outcome: Any = "success",
    *,
    record: Any = "handled",
    kind: Any = "command",
    duration: int = 2_500_000,
    **changed: Any,
) -> Observation:
    """Make one with these numbers."""
    subject = Subject(kind, record, "PlaceOrder", "shop.place", changed.pop("subscriber", None), 10**12)
    numbers = (0xA, 0xB, changed.pop("causation", None), 0xC, 0xD, changed.pop("parent", 0))
    rest = (
        changed.pop("error_type", None),
        changed.pop("error_code", None),
        changed.pop("subscribers", None),
    )
    return (subject, outcome, 49 * SECOND, duration, *numbers, *rest)


def test_a_row_says_everything_that_is_known() -> None:
    """Every column of a handled command that succeeded."""
    row = RowBuilder(SERVICE, "inst").row(observation(causation=0xF, parent=0xE), ANCHOR)

    assert {name: value for name, value in row.items() if value is not None} == {
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
    builder = RowBuilder(SERVICE, "inst")
    for kind in ("command", "query", "event"):
        allowed = {column.name for column in columns_of(kind)} | {"subscriber", "subscribers"}
        assert set(builder.row(observation(kind=kind), ANCHOR)) <= allowed
        assert set(builder.row(observation(kind=kind, record="probe"), ANCHOR)) >= {
            column.name for column in columns_of(kind)
        }


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


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (observation("rejected"), "command PlaceOrder was rejected"),
        (observation("error"), "command PlaceOrder failed"),
        (observation("cancelled"), "command PlaceOrder was cancelled"),
        (observation("start"), "command PlaceOrder started"),
        (observation(kind="event", subscriber="mail"), "event PlaceOrder to mail succeeded"),
        (observation(kind="event", record="published", subscribers=2), "event PlaceOrder published to 2"),
    ],
)
def test_sentences(made: Observation, sentence: str) -> None:
    """A person who reads the stream needs no second column."""
    assert RowBuilder(SERVICE, "i").row(made, ANCHOR)["message"] == sentence


def test_a_start_has_no_outcome_yet() -> None:
    """Nor a duration; it would count in rates and percentiles."""
    row = RowBuilder(SERVICE, "i").row(observation("start"), ANCHOR)
    assert (row["record"], row["outcome"], row["duration_ms"]) == ("start", None, None)


def test_a_configured_instance_id_is_shown_but_records_stay_distinct() -> None:
    """Two workers with the same configured id still have records of their own."""
    service = Service("s", None, None, "h", "configured")
    one, two = (RowBuilder(service, name).row(observation(), ANCHOR) for name in ("a", "b"))
    assert one["service_instance_id"] == two["service_instance_id"] == "configured"
    assert one["record_id"] != two["record_id"]


def test_a_probe_row_fills_every_column() -> None:
    """So that one record makes the server know them all."""
    for kind in ("command", "query", "event"):
        row = RowBuilder(Service("s", None, None, "h"), "i").probe_row(kind, 5, "probe-1")
        assert set(row) == {column.name for column in columns_of(kind)}
        assert None not in row.values()
        assert (row["record"], row["correlation_id"], row["_timestamp"]) == ("probe", "probe-1", 5)
