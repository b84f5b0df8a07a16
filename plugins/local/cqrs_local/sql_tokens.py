"""SQL text as tokens, enough to find words outside of literals, comments and quoted names (pure)."""

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Final

import attrs


class Kind(Enum):
    """What a token is."""

    SPACE = auto()
    COMMENT = auto()
    TEXT = auto()
    QUOTED = auto()
    WORD = auto()
    NUMBER = auto()
    SYMBOL = auto()


@attrs.frozen
class Token:
    """A piece of the text; the pieces of a text, put together, are the text.

    Attributes:
        kind: what it is.
        text: as written.
        depth: how many parentheses it stands in; a parenthesis itself counts as outside.
    """

    kind: Kind
    text: str
    depth: int

    @property
    def word(self) -> str:
        """The key word or plain name that it is, in lower case; empty for anything else."""
        return self.text.lower() if self.kind is Kind.WORD else ""

    @property
    def name(self) -> str:
        """The name that it stands for: quotes resolved, a plain word in lower case, else empty."""
        if self.kind is Kind.QUOTED:
            return self.text[1:-1].replace('""', '"') if len(self.text) > 1 else ""
        return self.word

    @property
    def is_code(self) -> bool:
        """Whether it means anything to the engine."""
        return self.kind not in (Kind.SPACE, Kind.COMMENT)


# An unfinished literal or comment reaches to the end of the text: the engine will say what is wrong.
_TOKEN: Final = re.compile(
    r"""
      (?P<SPACE>\s+)
    | (?P<COMMENT>--[^\n]*|/\*)
    | (?P<TEXT>[eE]'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$))
    | (?P<QUOTED>"(?:[^"]|"")*(?:"|$))
    | (?P<WORD>[^\W\d][\w$]*)
    | (?P<NUMBER>\d[\w.]*)
    | (?P<SYMBOL>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")


def tokenize(sql: str) -> list[Token]:
    """Cut `sql` into tokens."""
    return list(_with_depth(_pieces(sql)))


def code_of(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without spaces and comments."""
    return [token for token in tokens if token.is_code]


def _pieces(sql: str) -> Iterator[tuple[Kind, str]]:
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        assert match is not None, "every character is a symbol if nothing else"  # noqa: S101 - told to the type checker; cannot fail
        kind = Kind[match.lastgroup or "SYMBOL"]
        end = _end_of_comment(sql, at) if match.group() == "/*" else match.end()
        yield kind, sql[at:end]
        at = end


def _end_of_comment(sql: str, at: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)


def _with_depth(pieces: Iterator[tuple[Kind, str]]) -> Iterator[Token]:
    depth = 0
    for kind, text in pieces:
        if kind is Kind.SYMBOL and text == ")":
            depth -= 1
        yield Token(kind, text, depth)
        if kind is Kind.SYMBOL and text == "(":
            depth += 1
