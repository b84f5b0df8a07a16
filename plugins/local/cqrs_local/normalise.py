"""Stream names, field names and flattening as the server does them (pure)."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, cast

import orjson

from cqrs_local.column_types import LARGEST_INT64, Row

JsonObject = dict[str, object]

FLATTEN_DEPTH: Final = 3
_NOT_IN_STREAM_NAME: Final = re.compile(r"[^a-zA-Z0-9_:]+")


class NestingError(ValueError):
    """A value is nested deeper than a request may be."""


def stream_name(raw: str) -> str:
    """The name a stream gets: each run of foreign characters becomes one `_`, then lower case."""
    return _NOT_IN_STREAM_NAME.sub("_", raw).lower()


@lru_cache(maxsize=16_384)
def field_name(raw: str) -> str:
    """The name a column gets: lower case, each character without case that is no digit becomes `_`."""
    return "".join(c if c == "_" or c.islower() or c.isnumeric() else "_" for c in raw.lower())


def flatten(record: Mapping[str, object], nesting: int) -> Row:
    """One flat row out of a record: nulls and empty containers dropped, the last of equal keys kept.

    Args:
        record: a JSON object as parsed.
        nesting: deepest nesting allowed inside the record.

    Raises:
        NestingError: a value is nested deeper than `nesting`.
    """
    row: Row = {}
    for key, value in record.items():
        if isinstance(value, (str, float)):
            row[field_name(key)] = value
        elif isinstance(value, int):
            row[field_name(key)] = value if value <= LARGEST_INT64 else float(value)
        elif value:
            if _deeper_than(value, nesting):
                raise NestingError
            _expand(row, field_name(key), value, depth=1)
    return row


def _expand(row: Row, name: str, value: object, depth: int) -> None:
    if isinstance(value, (str, float)):
        row[name] = value
    elif isinstance(value, int):
        row[name] = value if value <= LARGEST_INT64 else float(value)
    elif isinstance(value, dict) and depth < FLATTEN_DEPTH:
        for key, inner in cast("JsonObject", value).items():
            _expand(row, f"{name}_{field_name(key)}", inner, depth + 1)
    elif value:
        row[name] = orjson.dumps(value).decode()


def _deeper_than(value: object, limit: int) -> bool:
    level: list[object] = [value]
    for _ in range(limit + 1):
        level = [inner for container in level for inner in _children(container)]
        if not level:
            return False
    return True


def _children(container: object) -> list[object]:
    if isinstance(container, dict):
        inner: Iterable[object] = cast("JsonObject", container).values()
    else:
        inner = cast("Iterable[object]", container)
    return [value for value in inner if isinstance(value, (dict, list))]
