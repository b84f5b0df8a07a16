"""What the engine says, in the words of the server."""

import json

import pytest
from cqrs_local.engine import NO_STREAM, EngineProblem
from cqrs_local.search_problems import planning_failed, refused_statement


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (
            "Error during planning: table 'datafusion.public.a.b' not found",
            {"code": 20002, "message": "Search stream not found: b"},
        ),
        (
            "Schema error: No field named x.nofield. Did you mean 's.a'?\nValid fields are s.a.",
            {"code": 20004, "message": "unknown field 'nofield'", "hint": "valid fields: a, b"},
        ),
        ('Schema error: No field named "No Field".', {"code": 20004, "message": "unknown field 'No Field'"}),
        (
            "Error during planning: Invalid function 'nofn'.\nDid you mean 'now'?",
            {"code": 20005, "suggestions": ["now"]},
        ),
        ("Error during planning: Invalid function 'nofn'.", {"code": 20005, "suggestions": []}),
        ('SQL error: ParserError("x")', {"code": 400, "message": 'Error# SQL error: ParserError("x")'}),
        (NO_STREAM, {"code": 400, "message": "Error# Stream name is empty"}),
        (
            "Something new",
            {"code": 20008, "message": "Search SQL execute error", "error_detail": "Something new"},
        ),
    ],
)
def test_each_kind_of_problem_has_its_code(said: str, content: dict[str, object]) -> None:
    """What is not known is an execution error with the engine's words as detail."""
    answer = planning_failed(EngineProblem(said, running=False), ["b", "a"])
    told = json.loads(answer.body)

    assert answer.status == 400
    assert {key: told.get(key) for key in content} == content


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("CREATE EXTERNAL TABLE t STORED AS CSV", "Search stream not found: t"),
        ('create table if not exists "T x"(a int)', "Search stream not found: T"),
        ("DROP TABLE t", "Search SQL execute error"),
    ],
)
def test_a_statement_is_refused(sql: str, message: str) -> None:
    """A table that is created is one that does not exist."""
    assert json.loads(refused_statement(sql, "verb").body)["message"] == message
