"""What is sent, and how it is recognised."""

from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.plan import Queues
from cqrs_openobserve.verify.probes import PROBE, Identity, new_identity, offer, probes_of

from cqrs.clock import SystemClock

Configure = Callable[..., Configuration]
IDENTITY = Identity(0xAB, 0xCD)


def test_there_is_a_probe_for_every_signal(configure: Configure) -> None:
    """One per stream; a log line only where lines are sent."""
    found = [(probe.signal, probe.stream) for probe in probes_of(configure(stream_logs="app-logs"), IDENTITY)]
    assert found == [
        ("logs", "cqrs_commands"),
        ("logs", "cqrs_queries"),
        ("logs", "cqrs_events"),
        ("logs", "app_logs"),
        ("metrics", "cqrs_verify"),
        ("metrics", "cqrs_metrics"),
        ("traces", "traces"),
    ]
    assert len(probes_of(configure(), IDENTITY)) == 6


def test_queries_hold_nothing_but_names_and_ids(configure: Configure) -> None:
    """Whatever a name was written like, it is normalised before."""
    configuration = configure(stream_commands="A.b-c", stream_traces="T.r")
    for probe in probes_of(configuration, IDENTITY):
        assert IDENTITY.text in probe.sql
        assert f'"{probe.stream}"' in probe.sql
        assert probe.sql.count("'") == 2
        assert probe.stream == probe.stream.lower()


def test_identities_are_never_zero_and_never_the_same() -> None:
    """A zero id is invalid to OpenTelemetry."""
    many = [new_identity() for _ in range(50)]
    assert all(each.number and each.span for each in many)
    assert len({each.text for each in many}) == 50
    assert (IDENTITY.text, IDENTITY.span_text) == ("ab".zfill(32), "cd".zfill(16))


def offered(configuration: Configuration, *streams: str) -> dict[str, Any]:
    queues = Queues(lambda: None)
    offer(configuration, queues, IDENTITY, SystemClock(), set(streams))
    return {
        "observations": queues.observations.take(9),
        "spans": list(queues.spans.take(9)),
        "lines": list(queues.lines.take(9)),
        "readings": [reading for source in queues.sources for reading in source()],
    }


def test_probes_are_put_where_an_app_puts_its_own(configure: Configure) -> None:
    """The record of the command and the span have the same trace and span."""
    configuration = configure(stream_logs="app-logs")
    found = offered(configuration, *(probe.stream for probe in probes_of(configuration, IDENTITY)))
    assert [each[0].kind for each in found["observations"]] == ["command", "query", "event"]
    assert {each[0].record for each in found["observations"]} == {"probe"}
    (span,) = found["spans"]
    assert (span.context.trace_id, span.context.span_id) == found["observations"][0][7:9]
    assert span.context.trace_flags.sampled
    assert found["readings"] == [(PROBE, 1.0, ("probe", IDENTITY.text))]
    (line,) = found["lines"]
    assert line.correlation_id == IDENTITY.text


def test_what_is_not_due_is_not_sent(configure: Configure) -> None:
    """A stream that does not exist is not made by a probe."""
    found = offered(configure(), "cqrs_queries")
    assert [each[0].kind for each in found.pop("observations")] == ["query"]
    assert set(map(len, found.values())) == {0}


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        ({"value": 1.0, "service_name": "shop"}, ""),
        ({"value": None, "service_name": "shop"}, "missing value"),
        ({}, "missing value, service_name"),
    ],
    ids=["whole", "null", "empty"],
)
def test_fields_that_are_missing_are_named(configure: Configure, row: dict[str, object], flaw: str) -> None:
    """Null counts as missing."""
    assert probes_of(configure(), IDENTITY)[3].flaw(row) == flaw


def test_types_that_are_wrong_are_named(configure: Configure) -> None:
    """A text where a number should be, and what is missing."""
    record = probes_of(configure(), IDENTITY)[0]
    flaw = record.flaw({"duration_ms": "1.5", "outcome": "success"})
    assert flaw.startswith("duration_ms is a str, not Float64; missing _timestamp, ")
