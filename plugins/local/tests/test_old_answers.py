"""Forms and wordings of 0.16."""

import pytest
from cqrs_local.answers import Answer, bare, json_answer, message, text, unauthorised
from cqrs_local.bodies import NO_JSON, WRONG
from cqrs_local.old_answers import as_0_16

BASIC = b"Basic eDp5"


@pytest.mark.parametrize(
    ("newest", "status", "said"),
    [
        (bare(405, {"allow": "GET"}), 404, ""),
        (unauthorised("Not Supported"), 403, "Not Supported"),
        (unauthorised("Unauthorized Access"), 401, "Unauthorized Access"),
        (message(401, "Unauthorized Access"), 401, "Unauthorized Access"),
        (text(422, f"{WRONG}missing field `sql`"), 400, "Json deserialize error: missing field `sql`"),
        (text(400, f"{NO_JSON}EOF"), 400, "Json deserialize error: EOF"),
        (
            text(400, "Failed to buffer the request body: Invalid gzip header"),
            400,
            "payload reached EOF before",
        ),
        (message(400, "Error# SQL error: ParserError"), 500, '"code":500'),
        (json_answer({"code": 20004, "message": "unknown field 'a'", "trace_id": "t"}, 400), 400, "20008"),
        (
            json_answer(
                {
                    "code": 20004,
                    "message": "unknown field 'a'",
                    "hint": "valid fields: b, c",
                    "trace_id": "t",
                },
                400,
            ),
            400,
            "Schema error: No field named a. Valid fields are b, c.",
        ),
        (
            json_answer({"code": 20005, "message": "unknown function 'f'", "trace_id": "t"}, 400),
            400,
            "not defined: f",
        ),
        (message(404, "stream not found"), 404, "stream not found"),
        (text(413, "too large"), 413, "too large"),
        (json_answer({"status": "error"}, 400), 400, "error"),
        (message(200, "Error# SQL error"), 200, "Error# SQL error"),
    ],
)
def test_each_answer_that_differs_is_put_in_the_old_form(newest: Answer, status: int, said: str) -> None:
    """Any other stays as it is."""
    old = as_0_16(newest, BASIC)

    assert (old.status, said in old.body.decode()) == (status, True), old


def test_another_scheme_is_refused_without_a_word() -> None:
    """The header that asks for a scheme stays."""
    old = as_0_16(unauthorised("Unauthorized Access"), b"basic eDp5")

    assert (old.status, old.body, old.headers[0][0]) == (401, b"", b"www-authenticate")
