"""Events as JSON and back: attrs classes and dataclasses, with the types that the standard library offers for fields."""

import json
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

import attrs
from returns.result import Failure, Result, Success

from cqrs.messages import Event

if TYPE_CHECKING:
    from cattrs.preconf.json import JsonConverter

_MOST_TEXT: Final = 500

# Written as their text.
_TEXTS: Final[Mapping[type, Callable[[str], object]]] = {UUID: UUID, Decimal: Decimal, Path: Path}

EventType = TypeVar("EventType", bound=Event)


def encode(event: Event) -> Result[str, str]:
    """Write an event as a JSON object.

    Args:
        event: an instance of an attrs class or a dataclass.

    Returns:
        The text, or why it cannot be written: what would not be read back as it is, is not written either.
    """
    kind: type[Event] = type(event)
    if not _is_record(kind):
        return Failure(f"{kind.__qualname__} is neither an attrs class nor a dataclass")
    try:
        payload = json.dumps(_converter().unstructure(event), allow_nan=False)
        read = decode(payload, kind)
        same = isinstance(read, Failure) or _same(read.unwrap(), event)
    except Exception as error:  # hooks, properties and comparisons of the user's own may raise anything
        return Failure(f"{type(error).__name__}: {error}"[:_MOST_TEXT])
    if isinstance(read, Failure):
        return Failure(f"it would not be read back: {read.failure()}")
    return (
        Success(payload)
        if same
        else Failure("a field holds what its type does not say: another event would be read back")
    )


def unstorable(event: type[Event]) -> str:
    """Say why events of a class cannot be stored; empty if they can.

    Args:
        event: the class.
    """
    if not _is_record(event):
        return "it is neither an attrs class nor a dataclass"
    try:
        _converter().get_structure_hook(event)
    except Exception as error:  # an annotation that cannot be read, a type that nothing is known of
        return f"{type(error).__name__}: {error}"[:_MOST_TEXT]
    return ""


def decode(payload: str, event: type[EventType]) -> Result[EventType, str]:
    """Read an event from a JSON object.

    Args:
        payload: what ``encode`` has written.
        event: the class, perhaps not quite the same as then: a field more needs a default, a field less does no harm.

    Returns:
        The event, or why it does not fit the class, field by field; values do not stand in that text.
    """
    from cattrs import transform_error

    try:
        fields: object = json.loads(payload)
        if not isinstance(fields, dict):
            return Failure("it is no JSON object")
        return Success(_converter().structure(fields, event))
    except json.JSONDecodeError as error:
        return Failure(f"it is no JSON: {error}")
    except Exception as error:  # whatever the user's own __init__ and validators raise
        return Failure("; ".join(transform_error(error))[:_MOST_TEXT])


@cache
def _converter() -> "JsonConverter":
    # Loaded with the first letter: an app without a store of dead letters does not pay for it.
    from cattrs.preconf.json import make_converter

    converter = make_converter()
    for kind, read in _TEXTS.items():
        converter.register_unstructure_hook(kind, str)
        converter.register_structure_hook(kind, _reading(read))
    converter.register_unstructure_hook(timedelta, _microseconds)
    converter.register_structure_hook(timedelta, _reading(lambda number: timedelta(microseconds=int(number))))
    return converter


def _reading(kind: Callable[[str], object]) -> Callable[[str, object], object]:
    def read(value: str, _: object) -> object:
        return kind(value)

    return read


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _same(read: object, event: object) -> bool:
    return type(event).__eq__ is object.__eq__ or bool(read == event)


def _is_record(kind: type) -> bool:
    return attrs.has(kind) or is_dataclass(kind)
