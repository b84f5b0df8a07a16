"""How much there is to plan in a text (pure).

The query engine plans a chain of operators in time that grows with the square of its length and on a stack that grows
with its length: some ten thousand take minutes that nobody can cancel, or end the process.
"""

from typing import Final

from cqrs_local.sql_tokens import Kind, Token, tokenize

MOST_OPERATORS: Final = 1000
_JOINING: Final = frozenset(
    ["and", "or", "not", "is", "in", "like", "ilike", "between", "case", "when", "join", "select"]
)


def has_too_many(sql: str) -> bool:
    """Whether a text has more operators, and words that join expressions or tables, than can be planned."""
    return len(sql) > MOST_OPERATORS and sum(map(_joins, tokenize(sql))) > MOST_OPERATORS


def _joins(token: Token) -> bool:
    return token.word in _JOINING or (token.kind is Kind.SYMBOL and token.text not in "(),")
