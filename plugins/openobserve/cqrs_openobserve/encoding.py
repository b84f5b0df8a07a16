"""From a row to JSON, totally: no value raises, no value changes a column's type, nothing is ever NaN."""

import math
from collections.abc import Callable, Mapping
from typing import Final, cast

import orjson

from cqrs_openobserve.columns import COLUMNS, ColumnType
from cqrs_openobserve.wire_forms import Scalar

LONGEST_TEXT: Final = 512
_LEAST, _MOST = -(2**63), 2**63 - 1


def encode(row: Mapping[str, object], fields: Mapping[str, Scalar] | None = None) -> bytes:
    """Write a row as one JSON object; columns without a value are left out.

    Args:
        row: values by column name. A value that is not of its column's type counts as none;
            names that are no column are left out.
        fields: columns of payload fields, each of its type already.
    """
    typed: dict[str, object] = {}
    for name, value in row.items():
        convert = _CONVERTERS.get(name)
        if convert is not None and value is not None:
            converted = convert(value)
            if converted is not None:
                typed[name] = converted
    return orjson.dumps({**typed, **fields} if fields else typed)


def as_text(value: object) -> str | None:
    """Give a text that JSON can hold, cut at 512 characters; None for anything that is no text.

    Args:
        value: any value; a lone surrogate in it becomes ``?``.
    """
    if not issubclass(type(value), str):  # isinstance() would believe an object that lies about its __class__
        return None
    value = cast("str", value)
    text = str.__getitem__(value, slice(LONGEST_TEXT))
    return text if text.isascii() else str.encode(text, "utf-8", "replace").decode()


def _as_integer(value: object) -> int | None:
    return value if type(value) is int and _LEAST <= value <= _MOST else None


def _as_number(value: object) -> float | None:
    if type(value) is int and abs(value) < 2**1023:
        return float(value)
    return value if type(value) is float and math.isfinite(value) else None


def _as_boolean(value: object) -> bool | None:
    return value if type(value) is bool else None


def _as_long_text(value: object) -> str | None:
    # Texts that our own code has cut and redacted already; cut again they would lose their end mark.
    return value if type(value) is str else as_text(value)


_BY_TYPE: Final[dict[ColumnType, Callable[[object], object]]] = {
    "Utf8": as_text,
    "Int64": _as_integer,
    "Float64": _as_number,
    "Boolean": _as_boolean,
}
_CONVERTERS: Final = {column.name: _BY_TYPE[column.type] for column in COLUMNS} | {
    "error_message": _as_long_text
}
