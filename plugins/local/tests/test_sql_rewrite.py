"""The server's own functions as SQL of the engine."""

import pytest
from cqrs_local.sql_rewrite import BAD_SQL, NO_TEXT_FIELD, RewriteProblem, Rewritten, Scope, rewrite
from returns.result import Failure, Success

HOUR = 3_600_000_000
SCOPE = Scope(0, HOUR, ["body", "message"])
BIN = "date_bin(INTERVAL '{} second', to_timestamp_micros({}), TIMESTAMP '2001-01-01T00:00:00')"


@pytest.mark.parametrize(
    ("sql", "after"),
    [
        ("histogram(_timestamp)", BIN.format(30, "_timestamp")),
        ("HISTOGRAM ( _timestamp , '5 minute' )", BIN.format(300, " _timestamp ")),
        ("histogram(\"_timestamp\", '1 hour')", BIN.format(3600, '"_timestamp"')),
        ("str_match(a, 'x')", "(strpos(a,  'x') > 0)"),
        ("str_match_ignore_case(a,'x')", "(strpos(lower(a), lower('x')) > 0)"),
        ("re_match(a,'x.*')", "((a) ~ 'x.*')"),
        ("NOT re_not_match(a,'x')", "NOT ((a) !~ 'x')"),
        ("str_match(coalesce(a, b),'x')", "(strpos(coalesce(a, b), 'x') > 0)"),
    ],
)
def test_a_call_becomes_sql_of_the_engine(sql: str, after: str) -> None:
    """Also with spaces, capitals and further calls as arguments."""
    assert rewrite(sql, SCOPE).unwrap().sql == after


def test_match_all_looks_at_every_text_field() -> None:
    """Without regard to case; quotes in the text stay quotes; the marks of the server's syntax go."""
    sql = rewrite("match_all('*it''s*')", SCOPE).unwrap().sql

    assert (
        sql
        == "(strpos(lower(\"body\"), lower('it''s')) > 0 OR strpos(lower(\"message\"), lower('it''s')) > 0)"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "'histogram(a)'",
        '"histogram"',
        "-- histogram(a)\n1",
        "/* match_all('x') */ 1",
        "histogram",
        "x.y",
        "histogram(a",
        "E'\\'histogram(a)'",
        "$$histogram(a)$$",
    ],
)
def test_what_is_no_call_stays(sql: str) -> None:
    """Literals, comments, quoted names, bare names and unfinished calls are not touched."""
    assert rewrite(sql, SCOPE) == Success(Rewritten(sql))


@pytest.mark.parametrize(
    ("sql", "code", "said"),
    [
        ("histogram()", BAD_SQL, "takes a time column"),
        ("histogram(a, 10)", BAD_SQL, "text in single quotes"),
        ("histogram(a, '10')", BAD_SQL, "Invalid interval '10'"),
        ("histogram(a, '1 minute', 3)", BAD_SQL, "takes a time column"),
        ("match_all()", BAD_SQL, "takes one text"),
        ("match_all(body)", BAD_SQL, "text in single quotes"),
        ("str_match(a)", BAD_SQL, "a field and a text"),
    ],
)
def test_a_wrong_call_is_refused_with_its_reason(sql: str, code: int, said: str) -> None:
    """The reason names the function and what it wants."""
    problem = rewrite(sql, SCOPE).failure()

    assert problem.code == code
    assert said in problem.message


def test_match_all_without_a_text_field_has_its_own_code() -> None:
    """As the server answers."""
    problem = RewriteProblem(NO_TEXT_FIELD, "full text search field not found")

    assert rewrite("match_all('x')", Scope(0, 0)) == Failure(problem)


def test_the_bucket_is_told() -> None:
    """The answer of a search says how long its buckets are."""
    assert rewrite("SELECT histogram(a, '1 minute'), histogram(a)", SCOPE).unwrap().histogram_seconds == 60
