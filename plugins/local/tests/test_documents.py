"""Documents in SQLite."""

from pathlib import Path

import pytest
from cqrs_local.answers import RefusedError
from cqrs_local.documents import FILE_NAME, Documents


def test_documents_are_there_after_a_restart_in_the_order_they_were_made(tmp_path: Path) -> None:
    """A replaced one keeps its place; organisations and kinds do not see one another."""
    first = Documents(tmp_path)
    for key in ("b", "a", "c"):
        first.put("default", "kind", key, {"key": key})
    first.put("default", "kind", "b", {"key": "new"})
    first.put("other", "kind", "b", {"key": "other"})
    first.delete("default", "kind", "a")
    first.close()
    again = Documents(tmp_path)

    assert again.listed("default", "kind") == [("b", {"key": "new"}), ("c", {"key": "c"})]
    assert again.get("default", "kind", "a") is None
    assert again.get("other", "kind", "b") == {"key": "other"}
    assert [(org, key) for org, key, _ in again.everywhere("kind")] == [
        ("default", "b"), ("default", "c"), ("other", "b"),
    ]  # fmt: skip
    again.close()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """The server does not start over it."""
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)

    with pytest.raises(ValueError, match=FILE_NAME):
        Documents(tmp_path)


def test_a_write_that_fails_is_answered(tmp_path: Path) -> None:
    """503 with the reason; what was there stays."""
    documents = Documents(tmp_path)
    documents.put("default", "kind", "a", {"n": 1})
    documents._database.execute("PRAGMA query_only = ON")

    with pytest.raises(RefusedError) as refused:
        documents.put("default", "kind", "a", {"n": 2})
    assert refused.value.answer.status == 503
    assert documents.get("default", "kind", "a") == {"n": 1}
    documents.close()
