"""The mark by which ``init`` knows what it made."""

from typing import Any

import pytest
from cqrs_openobserve.provision.ownership import MARK, fingerprint, is_ours, plain_text, stamped


def test_the_fingerprint_is_that_of_the_content() -> None:
    """The same content has the same, another has another, and the order of keys does not count."""
    one = stamped({"a": 1, "description": f"x ({MARK})"}, "alert", "n")
    assert one == stamped({"description": f"x ({MARK})", "a": 1}, "alert", "n")
    assert fingerprint(one) != fingerprint(stamped({"a": 2, "description": f"x ({MARK})"}, "alert", "n"))
    assert one["description"] == f"x ({MARK} as alert n, {fingerprint(one)})"
    assert plain_text(str(one["description"])) == f"x ({MARK})"


@pytest.mark.parametrize(
    ("value", "ours"),
    [
        (f"anything ({MARK} as alert n, 01234567)", True),
        ({"headers": {"X-Made-By": f"{MARK} as alert n, 01234567"}}, True),
        ([{"a": ["x", f"{MARK} as alert n, 01234567", "y"]}], True),
        (f"{MARK} as alert other, 01234567; {MARK} as alert n, 01234567", True),
        (f"{MARK} as alert other, 01234567", False),
        (f"{MARK} as dashboard n, 01234567", False),
        (f"{MARK} as alert n or so, 01234567", False),
        (f"{MARK} as alert n", False),
        (MARK, False),
        ("made by hand", False),
        ({f"{MARK} as alert n, 01234567": "a key is no text"}, False),
        (None, False),
        (7, False),
    ],
)
def test_the_mark_may_stand_in_any_text_and_names_what_it_is_of(value: object, ours: bool) -> None:  # noqa: FBT001 - a table
    """Of an object, a list or by itself; that of another thing is none, since a copy keeps it."""
    assert is_ours(value, "alert", "n") is ours


@pytest.mark.parametrize("name", ['quoted "name"', "back\\slash", "Ünïcode, 1", "a (b)"])
def test_any_name_may_be_marked(name: str) -> None:
    """Whatever characters it has."""
    assert is_ours(stamped({"description": f"x ({MARK})"}, "dashboard", name), "dashboard", name)


def test_values_may_be_nested_as_deeply_as_a_server_likes() -> None:
    """Far beyond what a recursion would survive."""
    deep: Any = f"{MARK} as alert n, 01234567"
    for _ in range(100_000):
        deep = [deep]
    assert is_ours(deep, "alert", "n")
    assert fingerprint(deep) == "01234567"
    while isinstance(deep, list):  # freed level by level
        deep = deep.pop()
