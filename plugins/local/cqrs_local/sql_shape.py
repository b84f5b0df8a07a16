"""What kind of query a text is, as far as the server's additions to it depend on that (pure).

The server gives a plain query of one stream its `_timestamp` column and the order by it; anything else
it leaves as it is.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import attrs

from cqrs_local.column_types import TIMESTAMP
from cqrs_local.sql_tokens import Kind, Token, code_of, tokenize

_AGGREGATES: Final = frozenset(
    [
        "approx_distinct",
        "approx_median",
        "approx_percentile_cont",
        "approx_percentile_cont_with_weight",
        "array_agg",
        "avg",
        "bit_and",
        "bit_or",
        "bit_xor",
        "bool_and",
        "bool_or",
        "corr",
        "count",
        "covar",
        "covar_pop",
        "covar_samp",
        "first_value",
        "grouping",
        "last_value",
        "max",
        "mean",
        "median",
        "min",
        "nth_value",
        "percentile_cont",
        "regr_avgx",
        "regr_avgy",
        "regr_count",
        "regr_intercept",
        "regr_r2",
        "regr_slope",
        "regr_sxx",
        "regr_sxy",
        "regr_syy",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "string_agg",
        "sum",
        "var",
        "var_pop",
        "var_samp",
        "var_population",
        "var_sample",
    ]
)
_NOT_PLAIN: Final = frozenset(
    ["distinct", "group", "having", "union", "intersect", "except", "minus", "join", "over", "window"]
)
_AFTER_WHERE: Final = frozenset(["order", "limit", "offset", "fetch"])


@attrs.frozen
class Shape:
    """What a query is.

    Attributes:
        statements: how many statements the text holds.
        verb: the first word, in lower case.
        names: every name in it: the streams it reads are among them.
        calls: those that are followed by a parenthesis: the functions it calls are among them.
        reads: whether it has a FROM at all.
        plain: one SELECT from one stream without grouping, joining or windows.
        aggregated: whether its rows are no longer records.
        limited: whether it limits its rows itself.
        order: what it sorts by at the outermost level, with the direction.
        nested: whether it has a sub-select or a WITH.
    """

    statements: int
    verb: str
    names: frozenset[str]
    calls: frozenset[str]
    reads: bool
    plain: bool
    aggregated: bool
    limited: bool
    order: tuple[tuple[str, str], ...]
    nested: bool


def shape_of(sql: str) -> Shape:
    """Look at a query."""
    code = code_of(tokenize(sql))
    top = [token for token in code if token.depth == 0]
    words = {token.word for token in top}
    first = next((token.word for token in code if token.text != "("), "")
    nested = first == "with" or any(token.word == "select" and token.depth > 0 for token in code)
    aggregated = "group" in words or "having" in words or "distinct" in words or _has_aggregate(code)
    reads_one = _reads_one(top)
    return Shape(
        statements=_statements(top),
        verb=first,
        names=frozenset(token.name for token in code if token.kind in (Kind.WORD, Kind.QUOTED)),
        calls=frozenset(
            token.name.lower() for token, after in pairwise(code) if token.name and after.text == "("
        ),
        reads=any(token.word == "from" for token in code),
        plain=first == "select" and reads_one and not aggregated and not words & _NOT_PLAIN,
        aggregated=aggregated,
        limited="limit" in words or "fetch" in words,
        order=_order(top),
        nested=nested,
    )


def with_timestamp(sql: str) -> str:
    """A plain query with its `_timestamp` column and the order by it, where it does not have them."""
    tokens = [token for token in tokenize(sql) if token.kind is not Kind.COMMENT or "\n" in token.text]
    ends = [at for at, token in enumerate(tokens) if token.text == ";" and token.depth == 0]
    tokens = tokens[: ends[0]] if ends else tokens
    pieces = [token.text for token in tokens]
    words = [token.word if token.depth == 0 else "" for token in tokens]
    if "order" not in words:
        at = next((i for i, word in enumerate(words) if word in _AFTER_WHERE), len(pieces))
        pieces.insert(at, f' ORDER BY "{TIMESTAMP}" DESC ')
    if not _selects_timestamp(tokens, words):
        pieces[words.index("select")] += f' "{TIMESTAMP}", '
    return "".join(pieces)


def _selects_timestamp(tokens: Sequence[Token], words: Sequence[str]) -> bool:
    selected = code_of(tokens[words.index("select") + 1 : words.index("from")])
    return any(
        token.name == TIMESTAMP or (token.text == "*" and _is_wildcard(selected, at))
        for at, token in enumerate(selected)
        if token.depth == 0
    )


def _is_wildcard(selected: Sequence[Token], at: int) -> bool:
    return at == 0 or selected[at - 1].text in (",", ".")


def _statements(top: Sequence[Token]) -> int:
    parts: list[list[Token]] = [[]]
    for token in top:
        if token.text == ";" and token.kind is Kind.SYMBOL:
            parts.append([])
        else:
            parts[-1].append(token)
    return sum(1 for part in parts if part)


def _has_aggregate(code: Sequence[Token]) -> bool:
    return any(token.word in _AGGREGATES and following.text == "(" for token, following in pairwise(code))


def _reads_one(top: Sequence[Token]) -> bool:
    at = next((i for i, token in enumerate(top) if token.word == "from"), None)
    if at is None or at + 1 >= len(top) or not top[at + 1].name:
        return False
    rest = top[at + 2 :]
    clause = next((i for i, token in enumerate(rest) if token.word in {"where", *_AFTER_WHERE}), len(rest))
    return not any(token.text in (",", "(") for token in rest[:clause])


def _order(top: Sequence[Token]) -> tuple[tuple[str, str], ...]:
    at = next((i for i, token in enumerate(top) if token.word == "order"), None)
    if at is None:
        return ()
    keys: list[tuple[str, str]] = []
    for token in top[at + 2 :]:
        if token.word in _AFTER_WHERE or token.text == ";":
            break
        if token.word == "desc" and keys:
            keys[-1] = (keys[-1][0], "desc")
        elif token.name and token.word not in ("asc", "nulls", "first", "last"):
            keys.append((token.name, "asc"))
    return tuple(keys)
