"""What the engine says, in the words and with the codes of the server (pure)."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import uuid4

from cqrs_local.answers import Answer, json_answer, message, text
from cqrs_local.engine import NO_STREAM, EngineProblem

NO_SUCH_STREAM: Final = 20002
UNKNOWN_FIELD: Final = 20004
UNKNOWN_FUNCTION: Final = 20005
NOT_EXECUTABLE: Final = 20008
TOO_LONG: Final = 20010

# A statement that is no query: refused before the engine sees it.
STATEMENTS: Final = frozenset(
    [
        "alter",
        "analyze",
        "attach",
        "begin",
        "call",
        "cache",
        "close",
        "comment",
        "commit",
        "copy",
        "create",
        "deallocate",
        "declare",
        "delete",
        "desc",
        "describe",
        "discard",
        "drop",
        "execute",
        "explain",
        "export",
        "fetch",
        "flush",
        "grant",
        "import",
        "insert",
        "install",
        "kill",
        "listen",
        "load",
        "lock",
        "merge",
        "msck",
        "notify",
        "optimize",
        "prepare",
        "reindex",
        "release",
        "rename",
        "replace",
        "reset",
        "revoke",
        "rollback",
        "savepoint",
        "set",
        "show",
        "start",
        "table",
        "truncate",
        "uncache",
        "unload",
        "unlisten",
        "update",
        "use",
        "vacuum",
        "values",
    ]
)
_CREATED_TABLE: Final = re.compile(
    r"create\s.*?\btable\s+(?:if\s+not\s+exists\s+)?\"?([^\s\"(]+)", re.IGNORECASE | re.DOTALL
)
_TABLE: Final = re.compile(r"table '(?:[^'.]*\.)*([^']*)' not found")
_FIELD: Final = re.compile(r"No field named (.+?)\.(?:\s|$)")
_FUNCTION: Final = re.compile(r"Invalid function '([^']*)'\.(?:\s*Did you mean '([^']*)'\?)?")


def trace_id() -> str:
    """An id as the server puts into every answer of a search."""
    return uuid4().hex


def refused_statement(sql: str, verb: str) -> Answer:
    """The answer to a statement that is no query."""
    created = _CREATED_TABLE.match(sql.strip())
    if created is not None:
        return no_such_stream(created[1])
    return not_executable(f"{verb.upper()} is not supported: a search is one SELECT or WITH")


def no_such_stream(name: str) -> Answer:
    """The answer to a name that no stream has."""
    return _coded(NO_SUCH_STREAM, f"Search stream not found: {name}", error_detail="")


def not_executable(detail: str) -> Answer:
    """The answer to a query that cannot be planned or run."""
    return _coded(NOT_EXECUTABLE, "Search SQL execute error", error_detail=detail)


def took_too_long(seconds: float) -> Answer:
    """The answer to a query that was given up."""
    detail = f"the query was cancelled after {seconds:g} s"
    return _coded(TOO_LONG, "Search query timed out", status=408, error_detail=detail)


def unknown_function(name: str, suggestions: Sequence[str] = ()) -> Answer:
    """The answer to a call of a function that there is not."""
    return _coded(UNKNOWN_FUNCTION, f"unknown function '{name}'", suggestions=list(suggestions))


def planning_failed(problem: EngineProblem, fields: Iterable[str]) -> Answer:
    """The answer to a query that the engine cannot plan.

    Args:
        problem: what the engine said.
        fields: the columns of the streams that the query names.
    """
    said = problem.text
    if said == NO_STREAM or "only supports a single SQL statement" in said or "No SQL statements" in said:
        return message(400, f"Error# {NO_STREAM}")
    if said.startswith("SQL error:"):
        return message(400, f"Error# {said}")
    if table := _TABLE.search(said):
        return no_such_stream(table[1])
    if field := _FIELD.search(said):
        name = field[1].replace('"', "").rpartition(".")[2]
        return _coded(
            UNKNOWN_FIELD, f"unknown field '{name}'", hint=f"valid fields: {', '.join(sorted(fields))}"
        )
    if function := _FUNCTION.search(said):
        return unknown_function(function[1], [function[2]] if function[2] else [])
    return not_executable(said)


def bad_request(detail: str) -> Answer:
    """The 422 of a typed body."""
    return text(422, f"Failed to deserialize the JSON body into the target type: {detail}")


def coded(code: int, content: str) -> Answer:
    """A 400 with one of the server's codes."""
    return _coded(code, content, error_detail="")


def _coded(code: int, content: str, status: int = 400, **more: object) -> Answer:
    return json_answer({"code": code, "message": content, **more, "trace_id": trace_id()}, status)
