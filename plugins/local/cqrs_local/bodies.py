"""Bodies of typed calls: what they must hold, and the server's words when they do not (pure)."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar, cast

import orjson

from cqrs_local.answers import RefusedError, text

T = TypeVar("T")
JsonObject = Mapping[str, object]

MANAGEMENT_BODY: Final = 4 * 1024 * 1024
NO_JSON: Final = "Failed to parse the request body as JSON: "
WRONG: Final = "Failed to deserialize the JSON body into the target type: "
_MISSING: Final = object()


def json_body(body: bytes) -> JsonObject:
    """The object that a body holds.

    Raises:
        RefusedError: it is no JSON (400) or no object (422).
    """
    try:
        content: object = orjson.loads(body)
    except ValueError as error:
        raise RefusedError(text(400, f"{NO_JSON}{error}")) from None
    if not isinstance(content, dict):
        raise RefusedError(text(422, f"{WRONG}invalid type: {_named(content)}, expected an object"))
    return cast("JsonObject", content)


def field(content: JsonObject, name: str, kind: type[T], wanted: str, place: str = "") -> T:
    """A required field.

    Args:
        content: the object that must have it.
        name: of the field.
        kind: the Python type of its value.
        wanted: what the server calls that type.
        place: path of `content` in the body.

    Raises:
        RefusedError: it is missing or of another type (422).
    """
    value = content.get(name, _MISSING)
    if value is _MISSING:
        raise RefusedError(text(422, f"{WRONG}{f'{place}: ' if place else ''}missing field `{name}`"))
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        path = f"{place}.{name}" if place else name
        raise RefusedError(text(422, f"{WRONG}{path}: invalid type: {_named(value)}, expected {wanted}"))
    return value


def optional_int(content: JsonObject, name: str, place: str = "") -> int:
    """A number that may be missing or null, which is 0 then."""
    return 0 if content.get(name) is None else field(content, name, int, "i64", place)


def objects(content: JsonObject, name: str) -> Sequence[JsonObject]:
    """A required list of objects."""
    entries = cast("list[object]", field(content, name, list, "a sequence"))
    for entry in entries:
        if not isinstance(entry, dict):
            raise RefusedError(
                text(422, f"{WRONG}{name}[]: invalid type: {_named(entry)}, expected an object")
            )
    return cast("list[JsonObject]", entries)


def _named(value: object) -> str:
    match value:
        case list() | dict():
            return "sequence" if isinstance(value, list) else "map"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{value}`"
        case str():
            return f'string "{value[:100]}"'
        case _:
            return "null"
