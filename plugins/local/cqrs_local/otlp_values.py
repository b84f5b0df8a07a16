"""Values of OTLP messages as the values of columns (pure)."""

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue

from cqrs_local.column_types import text_of
from cqrs_local.normalise import field_name

_SCOPE: Final = "instrumentation_library"


def value_of(value: AnyValue) -> object:
    """The JSON value of an attribute.

    Bytes become hexadecimal digits; an empty value and a number that JSON cannot hold become None.
    """
    match value.WhichOneof("value"):
        case "array_value":
            return [value_of(inner) for inner in value.array_value.values]
        case "kvlist_value":
            return {pair.key: value_of(pair.value) for pair in value.kvlist_value.values}
        case "double_value":
            return value.double_value if isfinite(value.double_value) else None
        case _:
            return _simple(value)


def _simple(value: AnyValue) -> str | int | bool | None:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "bytes_value":
            return value.bytes_value.hex()
        case _:
            return None


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, object]:
    """Attributes by the names that their columns get; the last of equal names counts."""
    return {field_name(pair.key): value_of(pair.value) for pair in pairs}


def text_of_value(value: object) -> str | None:
    """An attribute as text, containers as JSON; None for an empty value."""
    match value:
        case None:
            return None
        case str() | int() | float():
            return text_of(value)
        case _:
            return json_text(value)


def texts_of(values: Mapping[str, object]) -> dict[str, str]:
    """Attributes as texts, without the empty ones."""
    texts = {name: text_of_value(value) for name, value in values.items()}
    return {name: text for name, text in texts.items() if text is not None}


def json_text(value: object) -> str:
    """JSON as it is stored in a text column."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def scope_columns(scope: InstrumentationScope) -> dict[str, str]:
    """The columns that name the library that measured; none if it is not named."""
    columns = {f"{_SCOPE}_name": scope.name, f"{_SCOPE}_version": scope.version}
    return {name: text for name, text in columns.items() if text}


def microseconds(nanoseconds: int) -> int:
    """A time of OTLP in the unit of `_timestamp`."""
    return nanoseconds // 1_000
