"""Findings, and the JSON that programs read."""

import json

import pytest
from cqrs_openobserve.verify.findings import Finding, all_proven, as_json

PROVEN = Finding("logs", "cqrs_commands", "proven", "read back after 3 ms", delay_ms=3.0)
NOTE = Finding("installation", "alerts", "warning", "no channel", "set one.")
MISSED = Finding("traces", "traces", "missed", "gone", "off.")


@pytest.mark.parametrize(
    ("findings", "proven"),
    [((PROVEN,), True), ((PROVEN, NOTE), True), ((PROVEN, MISSED), False), ((), False)],
    ids=["proven", "note", "missed", "none"],
)
def test_one_miss_is_enough(findings: tuple[Finding, ...], proven: object) -> None:
    """And nothing at all proves nothing."""
    assert all_proven(findings) is proven


def test_json_has_the_documented_keys() -> None:
    """The schema is stable."""
    assert json.loads(as_json("http://h", "default", "ab", (PROVEN,))) == {
        "version": 1,
        "proven": True,
        "url": "http://h",
        "organization": "default",
        "probe": "ab",
        "findings": [
            {
                "proof": "logs",
                "subject": "cqrs_commands",
                "outcome": "proven",
                "text": "read back after 3 ms",
                "cause": "",
                "delay_ms": 3.0,
            }
        ],
    }
