"""What several callers may be handed, and how much memory it takes. Pure."""

import sys
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final, cast
from uuid import UUID

import attrs

from cqrs_swr.encoding import every_field

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
    if cls in _FLAT or isinstance(value, Enum):
        return True
    if depth > _DEEPEST:
        return False
    parts = parts_of(value)
    return parts is not None and all(is_immutable(part, depth + 1) for part in parts)


def parts_of(value: object) -> Iterable[object] | None:
    """Give what an unchangeable value is made of; None if it can be changed, or does not say."""
    cls: type = type(value)
    if cls is tuple or cls is frozenset:
        return cast("Iterable[object]", value)
    names = every_field(cls) if _is_frozen(cls) else None
    return None if names is None else [getattr(value, name) for name in names]


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
