from typing import Any

import attrs
import pytest
from cqrs_swr.cached_query import LONGEST, cached_query, listed, windows_of
from cqrs_swr.encoding import Unkeyable
from cqrs_swr.settings import Settings
from cqrs_swr.values import NotStorable

from cqrs import HandlerNotFound, Query, Refused, Rejection, TimedOut
from cqrs.caching import CachePolicy
from cqrs.middleware import HandlerInfo


@attrs.frozen
class Find(Query[str, str]):
    """A query."""

    order: int


class No(Rejection):
    """A correct no."""


class Listed(Exception):  # noqa: N818 - a test's own
    """An error that is kept."""


class ListedToo(Listed):
    """An error of a subclass."""


def prepared(**policy: Any) -> Any:
    declared = CachePolicy(**{"ttl": 1, **policy})
    windows = windows_of(declared, Settings())
    assert windows is not None
    return cached_query(HandlerInfo("query", Find, "Find", "find", "shop.py:1"), None, declared, windows)  # type: ignore[arg-type]  # nothing is dispatched


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (No(), "answer"), (Refused(No()), "answer"), ("unlisted", "answer"), (KeyError(), "answer"),
        (TimedOut("find", 1.0), "transient"), (HandlerNotFound("Find", (), ""), "transient"),
        (OSError(), "transient"), (ConnectionError(), "transient"), (TimeoutError(), "transient"),
        (Listed(), "negative"), (ListedToo(), "negative"),
    ],
)  # fmt: skip
def test_failures_are_answers_or_will_pass(error: object, outcome: str) -> None:
    """A no and an error that nobody knows are answers; the machinery's faults and broken connections will pass."""
    assert prepared(negative={Listed: 5}).outcome(error) == outcome


def test_the_policys_own_rule_wins() -> None:
    """But for what is listed."""
    cached = prepared(
        negative={Listed: 5}, classify=lambda error: "transient" if error == "busy" else "answer"
    )

    assert [cached.outcome(each) for each in ("busy", OSError(), Listed())] == [
        "transient",
        "answer",
        "negative",
    ]


def test_windows_come_from_policy_then_settings_then_nothing() -> None:
    """No ttl anywhere is no caching; nothing lives longer than invalidations are remembered."""
    settings = Settings(ttl=5.0, stale=6.0)

    assert windows_of(CachePolicy(), Settings()) is None
    assert windows_of(CachePolicy(ttl=0), settings) is None
    assert windows_of(CachePolicy(), attrs.evolve(settings, ttl=0.0)) is None
    said = windows_of(CachePolicy(stale=0), settings)
    assert said is not None
    assert (said.ttl, said.stale, said.fail_safe) == (5.0, 0, 0.0)
    endless = windows_of(CachePolicy(ttl=float("inf")), settings)
    assert endless is not None
    assert endless.ttl == LONGEST


def test_a_ttl_that_is_no_time_keeps_nothing() -> None:
    """It is told apart from 0, which is meant."""
    cached = prepared(ttl=lambda _query, value: value)

    assert (cached.ttl_of(Find(1), 0), cached.ttl_of(Find(1), float("inf"))) == (0, LONGEST)
    for wrong in (-1.0, float("nan")):
        with pytest.raises(NotStorable):
            cached.ttl_of(Find(1), wrong)


def test_everything_that_can_make_an_answer_invalid_is_a_scope() -> None:
    """All, its class, its tenant, its tags and itself."""
    cached = prepared(tags=lambda query: [f"order:{query.order}", "orders"])

    assert len(set(cached.scopes(Find(1), ("a",), b"k" * 16))) == 6
    assert len(set(cached.scopes(Find(1), (), b"k" * 16))) == 5
    assert set(cached.scopes(Find(1), (), b"k" * 16)) & set(cached.scopes(Find(2), (), b"l" * 16)) != set()


def test_tags_that_cannot_be_told_are_no_tags() -> None:
    """An answer that could not be made invalid is not kept."""
    with pytest.raises(Unkeyable, match="its tags: ZeroDivisionError"):
        prepared(tags=lambda _query: 1 / 0).scopes(Find(1), (), b"k" * 16)


def test_one_text_is_one_tag() -> None:
    """And not as many as it has letters."""
    assert (listed("orders"), listed(["a", "b"])) == (("orders",), ("a", "b"))
