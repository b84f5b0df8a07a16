"""Column types and how a stray value widens them for ever (pure)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

Scalar = str | int | float | bool
Row = dict[str, Scalar]

LARGEST_INT64: Final = 2**63 - 1
TIMESTAMP: Final = "_timestamp"


class ColumnType(StrEnum):
    """The types a stream's column can have, by the names the API uses."""

    INT64 = "Int64"
    UINT64 = "UInt64"
    FLOAT64 = "Float64"
    BOOLEAN = "Boolean"
    UTF8 = "Utf8"


_HOLDS: Final[Mapping[ColumnType, frozenset[type]]] = {
    ColumnType.INT64: frozenset({int}),
    ColumnType.UINT64: frozenset(),  # depends on the sign: decided by widen
    ColumnType.FLOAT64: frozenset({float, int}),
    ColumnType.BOOLEAN: frozenset({bool}),
    ColumnType.UTF8: frozenset({str, int, float, bool}),
}
_NOTHING: Final[frozenset[type]] = frozenset()
_NUMBERS: Final = frozenset({ColumnType.INT64, ColumnType.UINT64, ColumnType.FLOAT64})


def widened(columns: Mapping[str, ColumnType], rows: Iterable[Row]) -> dict[str, ColumnType]:
    """The columns that `rows` add or change, with the type they must have from now on."""
    holds = {name: _HOLDS[column] for name, column in columns.items()}
    alike = ColumnType.UINT64 not in columns.values()  # there it is the value that decides
    seen: set[tuple[object, ...]] = set()
    changed: dict[str, ColumnType] = {}
    for row in rows:
        form = (*row, *map(type, row.values()))
        if alike and form in seen:
            continue
        seen.add(form)
        for name, value in row.items():
            if type(value) in holds.get(name, _NOTHING):
                continue
            before = changed.get(name, columns.get(name))
            after = widen(before, value)
            if after is not before:
                changed[name] = after
            holds[name] = _HOLDS[after]
    return changed


def widen(column: ColumnType | None, value: Scalar) -> ColumnType:
    """The narrowest type that holds both what the column held and `value`."""
    own = _type_of(value)
    if column is None or column is own:
        return own
    if column is ColumnType.UTF8 or own is ColumnType.UTF8:
        return ColumnType.UTF8
    if column in _NUMBERS and own in _NUMBERS:
        return _widen_number(column, value)
    return ColumnType.UTF8


def _widen_number(column: ColumnType, value: Scalar) -> ColumnType:
    if column is ColumnType.UINT64 and isinstance(value, int) and value >= 0:
        return column
    return ColumnType.FLOAT64


def _type_of(value: Scalar) -> ColumnType:
    match value:
        case bool():
            return ColumnType.BOOLEAN
        case int():
            return ColumnType.INT64
        case float():
            return ColumnType.FLOAT64
        case str():
            return ColumnType.UTF8


def text_of(value: Scalar) -> str:
    """How a value looks in a column that became text: `1.0` is `1`, never with an exponent."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return format(Decimal(repr(value)), "f").removesuffix(".0")
        case int():
            return str(value)
        case str():
            return value
