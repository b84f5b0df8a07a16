"""The one table of metrics."""

import re

from cqrs_openobserve.metric_catalogue import CATALOGUE, DURATION_BOUNDS


def test_names_are_unique_also_as_the_server_stores_them() -> None:
    """Each metric is a stream of its own on the server, whose name has underscores for dots."""
    names = [metric.name.replace(".", "_") for metric in CATALOGUE]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


def test_histograms_have_buckets_and_the_others_have_none() -> None:
    """Buckets are explicit and grow; durations can be cut at the two usual thresholds."""
    for metric in CATALOGUE:
        assert bool(metric.bounds) is (metric.type == "histogram"), metric.name
        assert list(metric.bounds) == sorted(set(metric.bounds))
    assert {0.3, 0.5} <= set(DURATION_BOUNDS)


def test_no_attribute_is_an_identity() -> None:
    """Attributes come from code: no ids, no payload."""
    known = {
        "cqrs.message", "cqrs.outcome", "error.type", "cqrs.cache.status", "cqrs.subscriber", "cqrs.kind",
        "cqrs.signal", "cqrs.reason", "cpu.mode", "cpython.gc.generation",
    }  # fmt: skip

    assert {attribute for metric in CATALOGUE for attribute in metric.attributes} <= known
    assert all(metric.doc.endswith(".") for metric in CATALOGUE)
