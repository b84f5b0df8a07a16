"""How much there is to plan in a text."""

import pytest
from cqrs_local.sql_operators import MOST_OPERATORS, has_too_many


def chain(operator: str, length: int) -> str:
    return f"SELECT count(*) FROM s WHERE {operator.join(['a'] * length)}"


@pytest.mark.parametrize("operator", ["+", "||", " AND ", " or ", "::", " Is Not "])
def test_a_chain_has_a_longest_length(operator: str) -> None:
    """Symbols and words alike, in any case."""
    assert not has_too_many(chain(operator, MOST_OPERATORS // 3))
    assert has_too_many(chain(operator, MOST_OPERATORS + 2))


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT a FROM s WHERE a IN ({', '.join(map(str, range(20_000)))})",
        f"SELECT '{'+' * 5000}' FROM s /* {'- ' * 5000} */",
        f"SELECT {', '.join(f'c{at}' for at in range(5000))} FROM s",
    ],
)
def test_a_long_text_may_have_few(sql: str) -> None:
    """Lists of values and columns, literals and comments do not count."""
    assert not has_too_many(sql)
