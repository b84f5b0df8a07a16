"""Payload fields as columns: which a handler asked for, of which type each is for ever, and a message's values."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, final, get_type_hints

import attrs

from cqrs_openobserve.columns import ColumnType
from cqrs_openobserve.redaction import HIDDEN, is_denied
from cqrs_openobserve.wire_forms import Scalar, kept, text_of, tree_of

MOST_FIELDS: Final = 400
MOST_BYTES: Final = 48 * 1024

_NO_COLUMN: Final = re.compile(r"[^a-z0-9_]+")
_DECLARED: Final[Mapping[object, ColumnType]] = {
    int: "Int64",
    float: "Float64",
    bool: "Boolean",
    int | None: "Int64",
    float | None: "Float64",
    bool | None: "Boolean",
}


@final
@attrs.frozen
class FieldColumn:
    """The column of one field.

    Attributes:
        field: the message's attribute.
        name: the column.
        type: what the field is declared as: Int64, Float64 or Boolean; anything else is a text.
        other: the column of values that are of another type.
    """

    field: str
    name: str
    type: ColumnType
    other: str


@final
class FieldColumns:
    """All field columns of one stream: two messages that declare a name differently get two columns."""

    def __init__(self) -> None:
        self._types: dict[str, ColumnType] = {}

    def of(self, message: type, fields: Iterable[str]) -> tuple[FieldColumn, ...]:
        """Give the columns of a handler's fields.

        Args:
            message: the message class; how it declares a field decides the column's type.
            fields: names of its attributes.
        """
        declared = _hints(message)
        return tuple(self._column(field, declared.get(field)) for field in list(fields)[:MOST_FIELDS])

    def _column(self, field: str, annotation: object) -> FieldColumn:
        name = column_name(field)
        kind: ColumnType = _DECLARED.get(annotation, "Utf8") if _hashable(annotation) else "Utf8"
        if self._types.setdefault(name, kind) != kind:
            name, kind = f"{name}_text", "Utf8"
        self._types.setdefault(name, kind)
        return FieldColumn(field, name, kind, name if kind == "Utf8" else f"{name}_text")


def column_name(field: str) -> str:
    """Give the name that a field's column has, as the server would write it.

    Args:
        field: the field's own name.
    """
    return f"field_{_NO_COLUMN.sub('_', field[:100].lower())}"


def values(message: object, columns: Iterable[FieldColumn]) -> dict[str, Scalar]:
    """Read a message's fields: each value in the column of its type, all together within 48 KiB.

    Args:
        message: the message; nothing of its code is run.
        columns: what to read.
    """
    found: dict[str, Scalar] = {}
    room = MOST_BYTES
    for column in columns:
        name, value = _placed(column, kept(message, column.field))
        size = len(value) if isinstance(value, str) else 8
        if value is not None and name not in found and size <= room:
            room -= size
            found[name] = value
    return found


def _placed(column: FieldColumn, value: object) -> tuple[str, Scalar]:
    if value is None:
        return column.name, None
    if is_denied(column.field):
        return column.other, HIDDEN
    if column.type != "Utf8":
        form = tree_of(value)
        if column.type == "Float64" and type(form) in {int, float}:
            return column.name, float(form)  # type: ignore[arg-type]  # it is a number
        if (column.type, type(form)) in {("Int64", int), ("Boolean", bool)}:
            return column.name, form  # type: ignore[return-value]  # it is an integer or a truth value
    return column.other, text_of(value)


def _hints(message: type) -> Mapping[str, object]:
    try:
        return get_type_hints(message)
    except Exception:  # noqa: BLE001  # an annotation that names what does not exist: every field is a text
        return {}


def _hashable(annotation: object) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True
