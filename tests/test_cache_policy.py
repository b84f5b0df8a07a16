import ast
import inspect
import math
from typing import Any

import pytest

from cqrs import cache_policy
from cqrs.cache_policy import TENANT, CachePolicy, mistakes


def test_a_policy_without_words_says_nothing_and_is_right() -> None:
    """What was not said is None, which is another thing than 0, and the defaults are without mistakes."""
    policy = CachePolicy()

    assert (policy.ttl, policy.stale, policy.fail_safe) == (None, None, None)
    assert policy.scope is TENANT
    assert list(mistakes(policy)) == []


@pytest.mark.parametrize(
    "words",
    [
        {"ttl": 0},
        {"ttl": 0.0, "stale": 0, "fail_safe": 0},
        {"ttl": math.inf},
        {"ttl": lambda _query, _value: 1.0},
        {"ttl": 30, "stale": 300, "fail_safe": 300},
        {"ttl": 30, "stale": 300, "fail_safe": 0},
        {
            "ttl": 30,
            "fail_safe": 60,
            "jitter": 0,
            "eager": 0.9,
            "soft_timeout": 30,
            "negative": {KeyError: 0},
        },
    ],
)
def test_policies_that_can_be_kept(words: dict[str, Any]) -> None:
    """0 is "off", a window may be given alone, and a soft timeout may equal the hard one."""
    assert list(mistakes(CachePolicy(**words))) == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"ttl": -1}, "ttl=-1"),
        ({"ttl": math.nan}, "ttl=nan"),
        ({"stale": -0.5}, "stale=-0.5"),
        ({"stale": math.nan}, "stale=nan"),
        ({"stale": math.inf}, "stale=inf"),
        ({"fail_safe": math.inf}, "fail_safe=inf"),
        ({"negative": {KeyError: -1}}, "negative[KeyError]=-1"),
        ({"negative": {KeyError: math.inf}}, "negative[KeyError]=inf"),
        ({"jitter": 1}, "jitter=1"),
        ({"jitter": -0.1}, "jitter=-0.1"),
        ({"jitter": math.nan}, "jitter=nan"),
        ({"eager": 1.0}, "eager=1.0"),
        ({"soft_timeout": -1}, "soft_timeout=-1"),
        ({"soft_timeout": 31}, "soft_timeout=31"),
        ({"hard_timeout": 0}, "hard_timeout=0"),
        ({"hard_timeout": math.inf}, "hard_timeout=inf"),
        ({"hard_timeout": math.nan}, "hard_timeout=nan"),
        ({"backoff": (0, 1)}, "backoff=(0, 1)"),
        ({"backoff": (2, 1)}, "backoff=(2, 1)"),
        ({"backoff": (1, math.nan)}, "backoff=(1, nan)"),
        ({"max_bytes": 0}, "max_bytes=0"),
        ({"ttl": 0, "stale": 5}, "ttl is 0"),
        ({"ttl": 0.0, "fail_safe": 5}, "ttl is 0"),
        ({"ttl": 1, "stale": 9, "fail_safe": 5}, "fail_safe=5"),
    ],
)
def test_a_policy_that_cannot_be_kept_names_its_number(words: dict[str, Any], named: str) -> None:
    """Negative, not a number, endless and contradictory windows are told by name and value."""
    (told,) = mistakes(CachePolicy(**words))

    assert told.startswith(named)


def test_every_mistake_is_told_at_once() -> None:
    """One look lists everything."""
    told = list(mistakes(CachePolicy(ttl=-1, stale=-2, jitter=3, backoff=(0, 0))))

    assert [text.partition("=")[0] for text in told] == ["stale", "ttl", "jitter", "backoff"]


def test_no_number_of_a_policy_is_read_as_true_or_false() -> None:
    """0 and "not said" are told apart everywhere: no test in the module is a bare name or attribute of a number."""
    tests = [
        node.test
        for node in ast.walk(ast.parse(inspect.getsource(cache_policy)))
        if isinstance(node, ast.If | ast.IfExp | ast.While)
    ]

    assert tests
    assert [ast.unparse(t) for t in tests if isinstance(t, ast.Name | ast.Attribute)] == []
