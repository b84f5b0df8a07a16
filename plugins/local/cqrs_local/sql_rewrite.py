"""The server's own SQL functions, rewritten into what the query engine knows (pure).

`histogram`, `match_all`, `str_match`, `str_match_ignore_case`, `re_match` and `re_not_match` are replaced
in the text, outside of literals, comments and quoted names; their arguments may hold further calls.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
from returns.result import Failure, Result, Success

from cqrs_local.histogram_interval import interval_seconds
from cqrs_local.sql_text import literal, quoted
from cqrs_local.sql_tokens import Kind, Token, code_of, tokenize

BAD_SQL: Final = 20001
NO_TEXT_FIELD: Final = 20003
_ORIGIN: Final = "2001-01-01T00:00:00"


@attrs.frozen
class Scope:
    """What a rewrite depends on beside the text.

    Attributes:
        start, end: time range of the query, microseconds.
        text_fields: columns that `match_all` searches.
    """

    start: int
    end: int
    text_fields: Sequence[str] = ()


@attrs.frozen
class Rewritten:
    """A query for the engine.

    Attributes:
        sql: the text.
        histogram_seconds: the bucket of the first `histogram`, None without one.
    """

    sql: str
    histogram_seconds: int | None = None


@attrs.frozen
class RewriteProblem:
    """Why a call cannot be rewritten: the server's code and a text."""

    code: int
    message: str


class _Refusal(Exception):  # noqa: N818 - leaves this module as a value
    def __init__(self, message: str, code: int = BAD_SQL) -> None:
        super().__init__(message)
        self.problem = RewriteProblem(code, message)


def rewrite(sql: str, scope: Scope) -> Result[Rewritten, RewriteProblem]:
    """Replace every call of one of the server's functions."""
    rewriter = _Rewriter(scope)
    try:
        text = rewriter.text_of(tokenize(sql))
    except _Refusal as refusal:
        return Failure(refusal.problem)
    return Success(Rewritten(text, rewriter.histogram_seconds))


class _Rewriter:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.histogram_seconds: int | None = None
        self._functions: Mapping[str, Callable[[str, Sequence[list[Token]]], str]] = {
            "histogram": self._histogram,
            "match_all": self._match_all,
            "str_match": self._str_match,
            "str_match_ignore_case": self._str_match,
            "re_match": self._re_match,
            "re_not_match": self._re_match,
        }

    def text_of(self, tokens: Sequence[Token]) -> str:
        pieces: list[str] = []
        at = 0
        while at < len(tokens):
            call = self._call_at(tokens, at)
            if call is None:
                pieces.append(tokens[at].text)
                at += 1
            else:
                arguments, at_end = call
                name = tokens[at].word
                pieces.append(self._functions[name](name, arguments))
                at = at_end
        return "".join(pieces)

    def _call_at(self, tokens: Sequence[Token], at: int) -> tuple[list[list[Token]], int] | None:
        if tokens[at].word not in self._functions:
            return None
        opening = at + 1
        while opening < len(tokens) and not tokens[opening].is_code:
            opening += 1
        if opening == len(tokens) or tokens[opening].text != "(":
            return None
        return _arguments(tokens, opening)

    def _histogram(self, name: str, arguments: Sequence[list[Token]]) -> str:
        if not 1 <= len(arguments) <= 2:
            raise _Refusal(f"{name} takes a time column and an optional interval such as '1 minute'")
        given = _text_value(name, arguments[1]) if len(arguments) == 2 else None
        seconds = interval_seconds(given, self._scope.end - self._scope.start)
        if seconds is None:
            raise _Refusal(
                f"Invalid interval '{given}' of {name}: write a number and a unit such as '1 minute'"
            )
        self.histogram_seconds = self.histogram_seconds or seconds
        column = self.text_of(arguments[0])
        return f"date_bin(INTERVAL '{seconds} second', to_timestamp_micros({column}), TIMESTAMP '{_ORIGIN}')"

    def _match_all(self, name: str, arguments: Sequence[list[Token]]) -> str:
        if len(arguments) != 1:
            raise _Refusal(f"{name} takes one text")
        if not self._scope.text_fields:
            raise _Refusal("full text search field not found", NO_TEXT_FIELD)
        wanted = literal(re.sub(r"^(re:)?\**|\**$", "", _text_value(name, arguments[0])))
        tests = [f"strpos(lower({quoted(field)}), lower({wanted})) > 0" for field in self._scope.text_fields]
        return f"({' OR '.join(tests)})"

    def _str_match(self, name: str, arguments: Sequence[list[Token]]) -> str:
        field, wanted = self._two(name, arguments)
        if name.endswith("ignore_case"):
            return f"(strpos(lower({field}), lower({wanted})) > 0)"
        return f"(strpos({field}, {wanted}) > 0)"

    def _re_match(self, name: str, arguments: Sequence[list[Token]]) -> str:
        field, pattern = self._two(name, arguments)
        return f"(({field}) {'!~' if name == 're_not_match' else '~'} {pattern})"

    def _two(self, name: str, arguments: Sequence[list[Token]]) -> tuple[str, str]:
        if len(arguments) != 2:
            raise _Refusal(f"{name} takes a field and a text")
        return self.text_of(arguments[0]), self.text_of(arguments[1])


def _arguments(tokens: Sequence[Token], opening: int) -> tuple[list[list[Token]], int] | None:
    """The arguments of the call whose parenthesis opens at `opening`, and where the call ends."""
    inside = tokens[opening].depth + 1
    arguments: list[list[Token]] = [[]]
    for at in range(opening + 1, len(tokens)):
        token = tokens[at]
        if token.text == ")" and token.depth == inside - 1 and token.kind is Kind.SYMBOL:
            return ([] if not code_of(arguments[0]) and len(arguments) == 1 else arguments), at + 1
        if token.text == "," and token.depth == inside:
            arguments.append([])
        elif token.is_code or token.kind is Kind.SPACE:
            arguments[-1].append(token)
    return None


def _text_value(name: str, argument: Sequence[Token]) -> str:
    code = code_of(argument)
    if len(code) != 1 or code[0].kind is not Kind.TEXT or not code[0].text.startswith("'"):
        raise _Refusal(
            f"{name} wants a text in single quotes, not {''.join(token.text for token in argument)}"
        )
    return code[0].text[1:-1].replace("''", "'")
