"""Bodies of typed calls."""

import pytest
from cqrs_local.answers import RefusedError
from cqrs_local.bodies import field, json_body, objects, optional_int

WRONG = "Failed to deserialize the JSON body into the target type: "


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"{", 400), (b"[]", 422), (b"1", 422), (b"null", 422)]
)
def test_a_body_that_is_no_object_is_refused(body: bytes, status: int) -> None:
    """400 for what is no JSON, 422 for JSON of another type, in plain text."""
    with pytest.raises(RefusedError) as refused:
        json_body(body)

    assert refused.value.answer.status == status


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (None, "null"),
        (True, "boolean `true`"),
        (1.5, "floating point `1.5`"),
        ("x", 'string "x"'),
        ([], "sequence"),
        ({}, "map"),
    ],
)
def test_a_value_of_another_type_is_named(value: object, named: str) -> None:
    """Path, what it is, what it should be; truth is no number."""
    with pytest.raises(RefusedError) as refused:
        field({"n": value}, "n", int, "i64", "query")

    assert refused.value.answer.body.decode() == f"{WRONG}query.n: invalid type: {named}, expected i64"


def test_a_missing_field_is_named() -> None:
    """With its place."""
    with pytest.raises(RefusedError) as refused:
        field({}, "start_time", int, "i64", "query")

    assert refused.value.answer.body.decode() == f"{WRONG}query: missing field `start_time`"


def test_an_optional_number_may_be_missing_or_null() -> None:
    """It is 0 then; another type is still refused."""
    assert [optional_int(content, "n") for content in ({}, {"n": None}, {"n": 3})] == [0, 0, 3]
    with pytest.raises(RefusedError):
        optional_int({"n": "3"}, "n")


def test_a_list_of_objects_holds_objects() -> None:
    """An element of another type is named."""
    assert objects({"fields": [{"a": 1}]}, "fields") == [{"a": 1}]
    with pytest.raises(RefusedError) as refused:
        objects({"fields": [1]}, "fields")

    assert b"fields[]: invalid type: integer `1`" in refused.value.answer.body
