"""The answer of a search."""

import json

from cqrs_local.search_answers import Answered, Search, answer_of, partial_answer
from cqrs_local.sql_rewrite import Rewritten
from cqrs_local.sql_shape import shape_of


def content(sql: str, histogram: int | None = None) -> dict[str, object]:
    asked = Search(sql, 0, 1, skip=2, size=5)
    answered = Answered(asked, shape_of(sql), Rewritten(sql, histogram), {}, 3_999_999)
    told: dict[str, object] = json.loads(answer_of(answered, [{"a": 1}]).body)
    return told


def test_what_was_asked_comes_back() -> None:
    """With the number of rows and the milliseconds."""
    told = content("SELECT a FROM s")

    assert (told["from"], told["size"], told["total"], told["took"], told["hits"]) == (2, 5, 1, 3, [{"a": 1}])


def test_the_order_is_told() -> None:
    """That of the text, that of the time for records, none for groups."""
    assert content("SELECT a FROM s ORDER BY b DESC, c")["order_by_metadata"] == [["b", "desc"], ["c", "asc"]]
    assert content("SELECT a FROM s")["order_by"] == "desc"
    assert "order_by" not in content("SELECT count(*) FROM s")


def test_the_bucket_is_told_if_there_is_one() -> None:
    """In seconds."""
    assert content("SELECT 1 FROM s", 30)["histogram_interval"] == 30
    assert "histogram_interval" not in content("SELECT 1 FROM s")


def test_a_partial_answer_has_no_rows_and_two_reasons() -> None:
    """The second is the same for all."""
    told = json.loads(partial_answer(Search("x", 0, 1), "why").body)

    assert (told["is_partial"], told["hits"], told["function_error"][0]) == (True, [], "why")
