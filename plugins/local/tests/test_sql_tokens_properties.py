"""Cutting SQL into tokens, for any text."""

from cqrs_local.sql_tokens import tokenize
from hypothesis import given
from hypothesis import strategies as st

SQLISH = st.lists(
    st.sampled_from(
        ["'", '"', "--", "/*", "*/", "(", ")", ",", ";", "$$", "e'", "\\", "\n", " ", "histogram", "x", "1"]
    )
    | st.text(max_size=3)
).map("".join)


@given(SQLISH)
def test_the_tokens_of_a_text_are_the_text(sql: str) -> None:
    """Nothing is lost, nothing is added, nothing raises."""
    assert "".join(token.text for token in tokenize(sql)) == sql
