"""Answers as bytes and back: a codec per query class, never a pickle. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final, TypeVar, cast, final, get_args, get_origin, get_type_hints
from uuid import UUID

from cattrs.preconf.json import make_converter

from cqrs import Query
from cqrs_swr.encoding import as_class, every_field, type_name
from cqrs_swr.sharing import never_changes

_TO_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FROM_JSON: Final = json.JSONDecoder().decode  # json.loads looks for options that nobody gives
_DEEPEST: Final = 64

Hook = Callable[[object, object], object]


class NotStorable(Exception):  # noqa: N818 - a verdict between codec and cache, no error that users see
    """An answer cannot be written so that it is read back as it was; the text says why."""


def answer_type(query: type) -> object | None:
    """Give the value type that a query class declares; None if it declares none that can be told.

    Args:
        query: the class.
    """
    for cls in query.__mro__:
        for base in cast("tuple[object, ...]", cls.__dict__.get("__orig_bases__", ())):
            if get_origin(base) is Query:
                value: object = get_args(base)[0]
                return value if _is_concrete(value) else None
    return None


def _is_concrete(hint: object) -> bool:
    untold = (
        isinstance(hint, str | TypeVar) or hint is object or type(hint).__name__ in ("ForwardRef", "_AnyMeta")
    )
    return not untold and all(_is_concrete(part) for part in get_args(hint) if not _is_value(part))


def _is_value(part: object) -> bool:
    return isinstance(part, str | int | bytes | Enum) or part is ... or part is None


@final
class JsonCodec:
    """Writes answers as JSON by their declared type; what would not be read back as it was is refused when written.

    Args:
        declared: the value type.

    Attributes:
        fingerprint: 8 bytes that differ if the type, or a type within it, is another one.
        never_changes: whether what is read can be handed to several callers, whatever it is.

    Raises:
        NotStorable: if there is no way to write values of that type.
    """

    def __init__(self, declared: object) -> None:
        converter = make_converter(forbid_extra_keys=True, detailed_validation=False)
        for cls, (write, read) in _HOOKS.items():
            converter.register_unstructure_hook(cls, write)
            converter.register_structure_hook(cls, read)
        self._kind = cast("type", declared)
        try:
            self._unstructure: Callable[[object], object] = converter.get_unstructure_hook(self._kind)
            self._structure = cast("Hook", converter.get_structure_hook(self._kind))
        except Exception as error:
            raise NotStorable(f"{declared}: {error}"[:300]) from error
        self.never_changes = never_changes(declared)
        self.fingerprint = hashlib.blake2b(described(declared).encode(), digest_size=8).digest()

    def encode(self, value: object) -> bytes:
        """Write a value, and make sure that it is read back equal and of the same types.

        Args:
            value: what the query answered.

        Raises:
            NotStorable: if it would not be.
        """
        try:
            content = _TO_JSON(self._unstructure(value)).encode("utf-8", "surrogatepass")
        except Exception as error:
            raise NotStorable(f"it cannot be written: {type(error).__name__}: {error}"[:300]) from error
        if not same(value, self.decode(content)):
            raise NotStorable("it would be read back as another value")
        return content

    def decode(self, content: bytes) -> object:
        """Read a value.

        Args:
            content: what ``encode`` wrote.

        Raises:
            NotStorable: if it is anything else.
        """
        try:
            return self._structure(_FROM_JSON(content.decode("utf-8", "surrogatepass")), self._kind)
        except Exception as error:
            raise NotStorable(f"it cannot be read: {type(error).__name__}: {error}"[:300]) from error


def same(one: object, other: object, depth: int = 0) -> bool:
    """Tell whether two values are equal and of the same types all the way down.

    Args:
        one: a value.
        other: another.
        depth: how far down they are.
    """
    if type(one) is not type(other) or depth > _DEEPEST:
        return False
    if isinstance(one, list | tuple):
        mine, yours = cast("list[object]", one), cast("list[object]", other)
        return len(mine) == len(yours) and all(
            same(a, b, depth + 1) for a, b in zip(mine, yours, strict=True)
        )
    if isinstance(one, dict):
        return _same_mapping(cast("dict[object, object]", one), cast("dict[object, object]", other), depth)
    names = every_field(type(one))
    if names is not None:
        return all(same(getattr(one, name), getattr(other, name), depth + 1) for name in names)
    return one == other


def _same_mapping(one: Mapping[object, object], other: Mapping[object, object], depth: int) -> bool:
    if {(type(key), key) for key in one} != {(type(key), key) for key in other}:
        return False
    return all(same(one[key], other[key], depth + 1) for key in one)


def described(declared: object, seen: tuple[object, ...] = ()) -> str:
    """Describe a type with everything in it: field names and their types, members of enumerations.

    Args:
        declared: the type.
        seen: the types that it is part of.
    """
    arguments = get_args(declared)
    if arguments:
        return f"{get_origin(declared)}[{','.join(described(part, seen) for part in arguments)}]"
    cls = as_class(declared)
    if cls is None or cls in seen:
        return str(getattr(declared, "__qualname__", declared))
    if issubclass(cls, Enum):
        return f"{type_name(cls)}{{{','.join(f'{m.name}={m.value}' for m in cls)}}}"
    names = every_field(cls)
    if names is None:
        return type_name(cls)
    hints = _hints(cls)
    inner = ",".join(f"{name}:{described(hints.get(name), (*seen, cls))}" for name in names)
    return f"{type_name(cls)}{{{inner}}}"


def _hints(cls: type) -> Mapping[str, object]:
    try:
        return get_type_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}


def _read_time(value: object, _kind: object) -> time:
    return time.fromisoformat(cast("str", value))


def _read_timedelta(value: object, _kind: object) -> timedelta:
    days, seconds, microseconds = cast("list[int]", value)
    return timedelta(days, seconds, microseconds)


def _write_timedelta(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


_HOOKS: Final[Mapping[type, tuple[Callable[[object], object], Hook]]] = {
    Decimal: (str, lambda value, _kind: Decimal(cast("str", value))),
    UUID: (str, lambda value, _kind: UUID(cast("str", value))),
    time: (lambda value: cast("time", value).isoformat(), _read_time),
    timedelta: (lambda value: _write_timedelta(cast("timedelta", value)), _read_timedelta),
}
