"""The mark by which ``init`` knows what it made."""

import pytest
from cqrs_openobserve.provision.ownership import MARK, fingerprint, is_ours, plain_text, stamped


def test_the_fingerprint_is_that_of_the_content() -> None:
    """The same content has the same, another has another, and the order of keys does not count."""
    one = stamped({"a": 1, "description": f"x ({MARK})"})
    assert one == stamped({"description": f"x ({MARK})", "a": 1})
    assert fingerprint(one) != fingerprint(stamped({"a": 2, "description": f"x ({MARK})"}))
    assert len(fingerprint(one)) == 8
    assert plain_text(str(one["description"])) == f"x ({MARK})"


@pytest.mark.parametrize(
    ("value", "ours"),
    [
        (f"anything ({MARK})", True),
        ({"headers": {"X-Made-By": MARK}}, True),
        ([{"a": [MARK]}], True),
        ("made by hand", False),
        ({MARK: "a key is no text"}, False),
        (None, False),
        (7, False),
    ],
)
def test_the_mark_may_stand_in_any_text(value: object, ours: bool) -> None:  # noqa: FBT001 - a table
    """Of an object, a list or by itself."""
    assert is_ours(value) is ours


def test_a_mark_without_a_fingerprint_is_a_mark() -> None:
    """Earlier versions made such ones."""
    assert is_ours(f"x ({MARK})")
    assert fingerprint(f"x ({MARK})") == ""
