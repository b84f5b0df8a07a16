"""Rewriting, for any text."""

from cqrs_local.sql_rewrite import Scope, rewrite
from cqrs_local.sql_tokens import Kind, tokenize
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

SCOPE = Scope(0, 1, ["message"])
CALLS = [
    "histogram(a)",
    "match_all('x')",
    "str_match(a, 'b')",
    "histogram",
    "(",
    ")",
    ",",
    " ",
    "'",
    '"',
    "--",
    "\n",
    "/*",
    "*/",
]
TEXTS = st.lists(st.sampled_from(CALLS) | st.text(max_size=3)).map("".join)


@given(TEXTS)
def test_no_text_raises(sql: str) -> None:
    """Any text is rewritten or refused."""
    rewrite(sql, SCOPE)


@given(TEXTS.filter(lambda sql: not any(name in sql.lower() for name in ("histogram", "match"))))
def test_a_text_without_a_call_stays(sql: str) -> None:
    """Not a character changes."""
    assert rewrite(sql, SCOPE).unwrap().sql == sql


@given(TEXTS)
def test_what_is_quoted_stays(content: str) -> None:
    """A call inside of a literal or a quoted name is part of it."""
    literal, name = "'" + content.replace("'", "''") + "'", '"' + content.replace('"', '""') + '"'
    sql = f"SELECT {literal}, {name} FROM s"

    assert rewrite(sql, SCOPE).unwrap().sql == sql


@given(st.lists(st.sampled_from(["histogram(a)", "str_match(a,'x')", "'histogram(a)'"]), min_size=1))
def test_every_call_is_rewritten_once(parts: list[str]) -> None:
    """None is left, and what replaces them is not rewritten again."""
    after = rewrite(", ".join(parts), SCOPE)

    assert isinstance(after, Success)
    words = [token.word for token in tokenize(after.unwrap().sql) if token.kind is Kind.WORD]
    assert words.count("date_bin") == parts.count("histogram(a)")
    assert words.count("strpos") == parts.count("str_match(a,'x')")
    assert not {"histogram", "str_match"} & set(words)
