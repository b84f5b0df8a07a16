"""What several callers may be handed, and how much memory it takes. Pure."""

import sys
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from types import UnionType
from typing import Final, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs

from cqrs_swr.encoding import as_class, every_field

_DEEPEST: Final = 64
_FLAT: Final = frozenset(
    {type(None), bool, int, float, complex, str, bytes, Decimal, UUID, date, datetime, time, timedelta}
)


def is_immutable(value: object, depth: int = 0) -> bool:
    """Tell whether a value can be handed to several callers, since none of them can change it.

    Args:
        value: the value.
        depth: how far down it is.
    """
    cls: type = type(value)
    if cls in _FLAT:
        return True
    if depth > _DEEPEST:
        return isinstance(value, Enum)
    parts = parts_of(value)
    if parts is None:
        return isinstance(value, Enum)
    return all(type(part) in _FLAT or is_immutable(part, depth + 1) for part in parts)


def never_changes(declared: object, seen: tuple[object, ...] = ()) -> bool:
    """Tell whether every value of a type can be handed to several callers; False if that cannot be told.

    Args:
        declared: the type, as an annotation.
        seen: the types that it is part of.
    """
    if declared is None or declared in seen:
        return True
    origin, arguments = get_origin(declared), get_args(declared)
    if origin in (tuple, frozenset, Union, UnionType):
        return all(part is ... or never_changes(part, seen) for part in arguments)
    cls = as_class(declared)
    if cls in _FLAT:
        return True
    names = every_field(cls) if cls is not None and _is_frozen(cls) else None
    if cls is None or names is None:
        return False
    try:
        hints = get_type_hints(cls)
    except (NameError, TypeError, AttributeError):
        return False
    return all(never_changes(hints.get(name, object), (*seen, cls)) for name in names)


def parts_of(value: object) -> Iterable[object] | None:
    """Give what an unchangeable value is made of; None if it can be changed, or does not say."""
    cls: type = type(value)
    if cls is tuple or cls is frozenset:
        return cast("Iterable[object]", value)
    read = _reader(cls)
    return None if read is None else read(value)


@lru_cache(maxsize=1024)
def _reader(cls: type) -> Callable[[object], Iterable[object]] | None:
    """Make what gives the fields of an instance; None if it can be changed, or does not say."""
    names = every_field(cls) if _is_frozen(cls) else None
    if names is None:
        return None
    if len(names) > 1:
        return cast("Callable[[object], Iterable[object]]", attrgetter(*names))
    return lambda value: [getattr(value, name) for name in names]


def _is_frozen(cls: type) -> bool:
    if attrs.has(cls):
        return attrs.inspect(cls).is_frozen
    parameters: object = getattr(cls, "__dataclass_params__", None)
    return getattr(parameters, "frozen", False) is True


def footprint(value: object, depth: int = 0) -> int:
    """Estimate the bytes that an unchangeable value takes.

    Args:
        value: the value.
        depth: how far down it is.
    """
    parts = parts_of(value) if depth <= _DEEPEST and type(value) not in _FLAT else None
    return sys.getsizeof(value) + sum(footprint(part, depth + 1) for part in parts or ())
