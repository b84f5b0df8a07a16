import ast
import inspect
import math
from typing import Any

import attrs
import cqrs_swr.cached_query
import cqrs_swr.commits
import cqrs_swr.freshness
import pytest
from cqrs_swr.freshness import (
    REFUSE,
    WAIT,
    Decision,
    Phase,
    Stamps,
    Validity,
    Windows,
    controlled,
    decide,
    failed,
    negative,
    outcome_of,
    phase_of,
    quiet_until,
    success,
)

from cqrs.caching import ONLY_IF_CACHED, REFRESH, max_age

WINDOWS = Windows(ttl=10, stale=20, fail_safe=50)
ENTRY = Stamps(committed=100.0, fresh=10, stale=20, fail_safe=50)


@pytest.mark.parametrize(
    ("now", "phase"),
    [
        (100.0, Phase.FRESH),
        (109.999, Phase.FRESH),
        (110.0, Phase.STALE),
        (129.999, Phase.STALE),
        (130.0, Phase.ERROR_ONLY),
        (159.999, Phase.ERROR_ONLY),
        (160.0, Phase.ABSENT),
    ],
)
def test_the_intervals_are_half_open(now: float, phase: Phase) -> None:
    """At the instant when a window ends, the next one has begun; both are counted from the end of freshness."""
    assert phase_of(ENTRY, WINDOWS, now) is phase


@pytest.mark.parametrize(
    ("windows", "now", "phase"),
    [
        (Windows(ttl=5, stale=20, fail_safe=50), 105.0, Phase.STALE),
        (Windows(ttl=5, stale=20, fail_safe=50), 125.0, Phase.ERROR_ONLY),
        (Windows(ttl=99, stale=99, fail_safe=99), 110.0, Phase.STALE),
        (Windows(ttl=10, stale=0, fail_safe=0), 110.0, Phase.ABSENT),
        (Windows(ttl=10, stale=20, fail_safe=0), 130.0, Phase.ABSENT),
    ],
)
def test_the_shorter_of_then_and_now_counts(windows: Windows, now: float, phase: Phase) -> None:
    """A policy that was shortened shortens what is held; one that was lengthened does not lengthen it."""
    assert phase_of(ENTRY, windows, now) is phase


@pytest.mark.parametrize(
    ("validity", "now", "phase"),
    [
        (Validity.EXPIRED, 100.0, Phase.ERROR_ONLY),
        (Validity.EXPIRED, 120.0, Phase.ERROR_ONLY),
        (Validity.EXPIRED, 160.0, Phase.ABSENT),
        (Validity.REMOVED, 100.0, Phase.ABSENT),
    ],
)
def test_an_invalidated_entry_serves_errors_alone_or_nothing(
    validity: Validity, now: float, phase: Phase
) -> None:
    """What was expired may still stand in if refreshing fails, what was removed never."""
    assert phase_of(ENTRY, WINDOWS, now, validity) is phase


@pytest.mark.parametrize("validity", list(Validity))
def test_a_negative_entry_has_its_own_time_and_no_other(validity: Validity) -> None:
    """It is never served stale, nor because refreshing failed (I14)."""
    entry = negative(5, 100.0)

    assert phase_of(entry, WINDOWS, 105.0, validity) is Phase.ABSENT
    assert (phase_of(entry, WINDOWS, 104.9, validity) is Phase.FRESH) == (validity is Validity.VALID)


@pytest.mark.parametrize(
    ("now", "next_refresh", "decision"),
    [
        (105.0, -math.inf, Decision(serve="fresh")),
        (115.0, -math.inf, Decision(serve="stale", start=True)),
        (115.0, 115.0, Decision(serve="stale", start=True)),
        (115.0, 115.1, Decision(serve="stale")),
        (140.0, -math.inf, Decision(fallback=True)),
        (140.0, 140.1, Decision(serve="stale_error")),
        (160.0, -math.inf, WAIT),
    ],
)
def test_what_a_look_up_does(now: float, next_refresh: float, decision: Decision) -> None:
    """Nobody waits while there is something to serve; nothing is refreshed before its time (I7, I8)."""
    assert decide(attrs.evolve(ENTRY, next_refresh=next_refresh), WINDOWS, now) == decision


def test_a_soft_timeout_limits_the_wait_in_the_error_window() -> None:
    """Without one, whoever could get an old answer waits until the new one is there."""
    windows = attrs.evolve(WINDOWS, soft_timeout=0.5)

    assert decide(ENTRY, windows, 140.0) == Decision(fallback=True, timeout=0.5)


@pytest.mark.parametrize(("now", "starts"), [(105.0, False), (108.0, True), (109.9, True)])
def test_an_eager_policy_refreshes_before_freshness_ends(now: float, starts: bool) -> None:  # noqa: FBT001 - a table
    """From its share of freshness on, a look-up that is answered fresh also starts a refresh."""
    windows = attrs.evolve(WINDOWS, eager=0.8)

    assert decide(ENTRY, windows, now) == Decision(serve="fresh", start=starts)


@pytest.mark.parametrize("stamps", [ENTRY, negative(3, 100.0), attrs.evolve(ENTRY, fresh=7)])
@pytest.mark.parametrize("windows", [WINDOWS, attrs.evolve(WINDOWS, eager=0.8), attrs.evolve(WINDOWS, ttl=4)])
def test_until_it_is_not_quiet_there_is_nothing_to_decide(stamps: Stamps, windows: Windows) -> None:
    """Before, a look-up serves and starts nothing; from that instant on it decides otherwise."""
    end = quiet_until(stamps, windows)
    served = "negative" if stamps.negative else "fresh"

    assert decide(stamps, windows, math.nextafter(end, 0)) == Decision(serve=served)
    assert decide(stamps, windows, end) != Decision(serve=served)


def test_overrides_change_decisions() -> None:
    """REFRESH waits for a new answer, a greatest age refuses older ones, ONLY_IF_CACHED never computes."""
    fresh, stale_error = Decision(serve="fresh"), Decision(serve="stale_error")

    assert controlled(fresh, ENTRY, 105.0, REFRESH) == WAIT
    assert controlled(fresh, ENTRY, 105.0, max_age(5)) == fresh
    assert controlled(fresh, ENTRY, 105.5, max_age(5)) == WAIT
    assert controlled(fresh, ENTRY, 105.0, ONLY_IF_CACHED) == fresh
    assert controlled(stale_error, ENTRY, 140.0, ONLY_IF_CACHED) == REFUSE
    assert controlled(WAIT, None, 0.0, ONLY_IF_CACHED) == REFUSE


@pytest.mark.parametrize(("draw", "fresh"), [(0.0, 10.0), (0.5, 9.5), (0.999, 9.001)])
def test_jitter_only_shortens(draw: float, fresh: float) -> None:
    """Whatever is drawn, an answer is fresh for no longer than its ttl (I1)."""
    assert success(WINDOWS, 10.0, 100.0, draw, 0.1).fresh == pytest.approx(fresh)
    assert success(WINDOWS, math.inf, 100.0, draw, 0.1).fresh == math.inf


def test_the_wait_after_failures_doubles_up_to_the_longest() -> None:
    """A refresh that failed changes nothing but when the next may start; chance takes off up to half of the wait."""
    windows, stamps, waits = attrs.evolve(WINDOWS, shortest=1, longest=4), ENTRY, []
    for _ in range(4):
        stamps = failed(stamps, windows, 115.0, 0.0)
        waits.append(stamps.next_refresh - 115.0)

    assert waits == [0.5, 1.0, 2.0, 2.0]
    assert failed(ENTRY, windows, 115.0, 0.9999).next_refresh == pytest.approx(116.0, abs=0.01)
    assert phase_of(stamps, windows, 115.0) is phase_of(ENTRY, windows, 115.0)
    assert failed(attrs.evolve(ENTRY, failures=5000), windows, 115.0, 0.0).failures == 5001


@pytest.mark.parametrize(
    ("known", "outcome"),
    [
        ({"kept": 5.0, "is_answer": True, "is_transient": True}, "negative"),
        ({"kept": 0.0, "is_answer": False, "is_transient": False}, "negative"),
        ({"kept": None, "is_answer": True, "is_transient": True}, "answer"),
        ({"kept": None, "is_answer": False, "is_transient": True}, "transient"),
        ({"kept": None, "is_answer": False, "is_transient": False}, "answer"),
        (
            {"kept": None, "is_answer": True, "is_transient": False, "classify": lambda _e: "transient"},
            "transient",
        ),
    ],
)
def test_what_a_failure_means(known: dict[str, Any], outcome: str) -> None:
    """A listed class is kept, a correct "no" is an answer, what will pass is not; the policy's own rule wins."""
    assert outcome_of("error", **known) == outcome


NUMBERS = {
    "ttl",
    "stale",
    "fail_safe",
    "eager",
    "soft_timeout",
    "jitter",
    "seconds",
    "fresh",
    "failures",
    "kept",
}


@pytest.mark.parametrize(
    "module", [cqrs_swr.freshness, cqrs_swr.cached_query, cqrs_swr.commits], ids=lambda m: m.__name__
)
def test_no_number_of_a_policy_is_read_as_true_or_false(module: Any) -> None:
    """0 is "off", which is another thing than "not said" (`x or default`, `if x:` would mix them up)."""
    found = []
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        tested = [node.test] if isinstance(node, ast.If | ast.IfExp | ast.While) else []
        tested += node.values if isinstance(node, ast.BoolOp) else []
        tested += [node.operand] if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) else []
        named = [
            t.id if isinstance(t, ast.Name) else t.attr
            for t in tested
            if isinstance(t, ast.Name | ast.Attribute)
        ]
        found += [name for name in named if name in NUMBERS]

    assert found == []
