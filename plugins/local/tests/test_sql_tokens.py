"""Cutting SQL into tokens."""

import pytest
from cqrs_local.sql_tokens import Kind, code_of, tokenize


def kinds(sql: str) -> list[tuple[Kind, str]]:
    return [(token.kind, token.text) for token in code_of(tokenize(sql))]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("'it''s'", Kind.TEXT),
        (r"E'it\'s'", Kind.TEXT),
        ("$$a'b$$", Kind.TEXT),
        ("$x$a$$b$x$", Kind.TEXT),
        ('"a ""b"" c"', Kind.QUOTED),
        ("'unfinished", Kind.TEXT),
        ('"unfinished', Kind.QUOTED),
        ("größe", Kind.WORD),
        ("1.5e3", Kind.NUMBER),
    ],
)
def test_each_of_these_is_one_token(sql: str, kind: Kind) -> None:
    """Quotes inside of quotes do not end them; what is not finished reaches to the end."""
    assert kinds(sql) == [(kind, sql)]


def test_comments_are_no_code() -> None:
    """To the end of the line, or nested; a quote in a comment opens nothing."""
    sql = "a -- it's\nb /* 'x /* y */ */ c"

    assert [text for _, text in kinds(sql)] == ["a", "b", "c"]


def test_depth_counts_parentheses_outside_of_literals() -> None:
    """A parenthesis in a text is a character."""
    depths = {token.text: token.depth for token in code_of(tokenize("f(a, ')', (b)) c"))}

    assert (depths["a"], depths["b"], depths["c"]) == (1, 2, 0)


def test_a_name_is_what_it_stands_for() -> None:
    """Quotes are resolved, a plain word is in lower case."""
    assert [token.name for token in code_of(tokenize('"A ""b""" Plain 1'))] == ['A "b"', "plain", ""]
