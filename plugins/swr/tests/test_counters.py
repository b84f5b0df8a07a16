from cqrs_swr.counters import Counters
from cqrs_swr.memory import Memory


def test_counts_become_one_value() -> None:
    """A copy: it does not change when the counting goes on."""
    counters = Counters()
    counters.lookups["fresh"] += 3
    counters.refreshes["stale", "success"] += 1
    counters.l2_errors["busy"] += 2
    counters.unkeyable += 1
    stats = counters.stats(Memory(), flights=4)
    counters.lookups["fresh"] += 1

    assert stats.lookups == {"fresh": 3}
    assert stats.refreshes == {("stale", "success"): 1}
    assert (stats.l2_errors, stats.unkeyable, stats.flights) == ({"busy": 2}, 1, 4)
