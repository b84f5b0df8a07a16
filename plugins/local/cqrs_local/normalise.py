"""Stream names, field names and flattening as the server does them (pure)."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, cast

import attrs
import orjson

from cqrs_local.column_types import LARGEST_INT64, Row, Scalar

JsonObject = dict[str, object]

FLATTEN_DEPTH: Final = 3
_SCALARS: Final[frozenset[type]] = frozenset({str, float, bool, int})
_REMEMBERED_KEYS: Final = 128
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
    if len(record) <= _REMEMBERED_KEYS:
        form = _form_of(tuple(record), tuple(map(type, record.values())))
        if form is not None:
            return form.row_of(record)
    row: Row = {}
    for key, value in record.items():
        if _deeper_than(value, nesting):
            raise NestingError
        _expand(row, field_name(key), value, depth=1)
    return row


@attrs.frozen
class _Form:
    """What records with the same keys and the same types of scalars have in common.

    Attributes:
        names: of the columns, in the order of the keys; None if the keys are the names.
        integers: the columns with integers, the only values that may not fit.
    """

    names: tuple[str, ...] | None
    integers: tuple[str, ...]

    def row_of(self, record: Mapping[str, object]) -> Row:
        values = cast("Mapping[str, Scalar]", record)
        row = dict(values) if self.names is None else dict(zip(self.names, values.values(), strict=True))
        for name in self.integers:
            number = row[name]
            if isinstance(number, int) and number > LARGEST_INT64:
                row[name] = float(number)
        return row


@lru_cache(maxsize=1024)
def _form_of(keys: tuple[str, ...], types: tuple[type, ...]) -> _Form | None:
    """The form of records without nulls and containers; most records of a program have one of a few."""
    if not _SCALARS.issuperset(types):
        return None
    names = tuple(field_name(key) for key in keys)
    integers = tuple(dict.fromkeys(name for name, kind in zip(names, types, strict=True) if kind is int))
    return _Form(None if names == keys else names, integers)


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
    level = _containers([value])
    for _ in range(limit + 1):
        level = [inner for container in level for inner in _containers(_children(container))]
        if not level:
            return False
    return True


def _children(container: object) -> Iterable[object]:
    if isinstance(container, dict):
        return cast("JsonObject", container).values()
    return cast("Iterable[object]", container)


def _containers(values: Iterable[object]) -> list[object]:
    return [value for value in values if isinstance(value, (dict, list))]
