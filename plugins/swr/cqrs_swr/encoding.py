"""The canonical encoding of values in keys: equal if and only if the values are equal and of one type. Pure.

Each value is a tag, a length and its content, so that no two values run into one another; nothing depends on hash
seeds, on the order of sets and mappings, or on a process. What has no such encoding is ``Unkeyable``.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final, cast
from uuid import UUID

import attrs

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Unkeyable(Exception):  # noqa: N818 - a verdict between encoder and key, no error that users see
    """A value has no canonical encoding; the text says which and why."""


def fields_of(cls: type) -> tuple[str, ...] | None:
    """Name the fields that make two instances equal; None if the class does not say.

    Args:
        cls: an attrs class, a dataclass, or one of msgspec or pydantic.
    """
    named: object = cls
    if attrs.has(cls):
        return tuple(field.name for field in attrs.fields(cls) if field.eq)
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls) if field.compare)
    listed: object = getattr(named, "__struct_fields__", None) or getattr(named, "model_fields", None)
    return tuple(cast("Iterable[str]", listed)) if isinstance(listed, tuple | dict) else None


def every_field(cls: type) -> tuple[str, ...] | None:
    """Name the fields that an instance is made of; None if the class does not say.

    Args:
        cls: an attrs class, a dataclass, or one of msgspec or pydantic.
    """
    any_class: type[object] = cls
    if attrs.has(cls):
        return tuple(field.name for field in attrs.fields(cls))
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    return fields_of(any_class)


def as_class(hint: object) -> type[object] | None:
    """Give an annotation as the class that it is; None if it is none."""
    return cast("type[object]", hint) if isinstance(hint, type) else None


def type_name(cls: type) -> str:
    """Name a class by where it is defined."""
    return f"{cls.__module__}.{cls.__qualname__}"


def encode(value: object) -> bytes:
    """Encode a value.

    Args:
        value: a value of the built-in kinds, or an instance of a class with fields.

    Raises:
        Unkeyable: if it, or something in it, has no canonical encoding.
    """
    try:
        return _encode(value)
    except RecursionError:
        raise Unkeyable(f"a {type_name(type(value))} that is nested too deeply, or holds itself") from None


def _encode(value: object) -> bytes:
    writer = _WRITERS.get(type(value))
    return writer(value) if writer is not None else _write_other(value)


def framed(tag: bytes, content: bytes) -> bytes:
    """Put a tag of one byte and the length before some content."""
    return b"%c%d:%b" % (tag, len(content), content)


def _sequence(tag: bytes, parts: Iterable[bytes]) -> bytes:
    return framed(tag, b"".join(parts))


def _write_bool(value: object) -> bytes:
    return b"?1" if value is True else b"?0"


def _write_int(value: object) -> bytes:
    number = cast("int", value)
    if -(2**63) <= number < 2**63:
        return framed(b"i", b"%d" % number)
    return framed(b"I", number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def _write_float(value: object) -> bytes:
    number = cast("float", value)
    if math.isnan(number):
        return framed(b"f", b"nan")
    return framed(b"f", (number + 0.0).hex().encode())  # + 0.0: -0.0 equals 0.0


def _write_str(value: object) -> bytes:
    return framed(b"s", cast("str", value).encode("utf-8", "surrogatepass"))


def _write_bytes(value: object) -> bytes:
    return framed(b"b", cast("bytes", value))


def _write_decimal(value: object) -> bytes:
    number = cast("Decimal", value)
    if not number.is_finite():
        return framed(b"d", str(number).encode())
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    if not kept:
        return framed(b"d", b"0")
    return framed(b"d", f"{sign}{kept}e{int(exponent) + len(text) - len(kept)}".encode())


def _write_datetime(value: object) -> bytes:
    moment = cast("datetime", value)
    if moment.utcoffset() is None:
        raise Unkeyable("a datetime without a time zone, which is another moment on another machine")
    return framed(b"D", b"%d" % ((moment - _EPOCH) // _MICROSECOND))


def _write_date(value: object) -> bytes:
    return framed(b"a", cast("date", value).isoformat().encode())


def _write_time(value: object) -> bytes:
    return framed(b"t", cast("time", value).isoformat().encode())


def _write_timedelta(value: object) -> bytes:
    return framed(b"l", b"%d" % (cast("timedelta", value) // _MICROSECOND))


def _write_tuple(value: object) -> bytes:
    return _sequence(b"(", map(_encode, cast("tuple[object, ...]", value)))


def _write_list(value: object) -> bytes:
    return _sequence(b"[", map(_encode, cast("list[object]", value)))


def _write_set(value: object) -> bytes:
    return _sequence(b"{", sorted(map(_encode, cast("set[object]", value))))


def _write_frozenset(value: object) -> bytes:
    return _sequence(b"<", sorted(map(_encode, cast("frozenset[object]", value))))


def _write_mapping(value: object) -> bytes:
    pairs = cast("Mapping[object, object]", value).items()
    return _sequence(b"m", sorted(_sequence(b":", (_encode(key), _encode(each))) for key, each in pairs))


def _write_other(value: object) -> bytes:
    cls: type = type(value)
    if isinstance(value, Enum):
        return framed(b"e", f"{type_name(cls)}\0{value.name}".encode())
    names = fields_of(cls)
    if names is None:
        raise Unkeyable(f"a {type_name(cls)}, which is of no known kind")
    head = framed(b"o", type_name(cls).encode())
    return _sequence(b"O", (head, *(_encode(getattr(value, name)) for name in names)))


_WRITERS: Final[Mapping[type, Callable[[object], bytes]]] = {
    type(None): lambda _value: b"0",
    bool: _write_bool,
    int: _write_int,
    float: _write_float,
    str: _write_str,
    bytes: _write_bytes,
    Decimal: _write_decimal,
    UUID: lambda value: framed(b"u", cast("UUID", value).bytes),
    datetime: _write_datetime,
    date: _write_date,
    time: _write_time,
    timedelta: _write_timedelta,
    tuple: _write_tuple,
    list: _write_list,
    set: _write_set,
    frozenset: _write_frozenset,
    dict: _write_mapping,
}

PLAIN: Final = frozenset({type(None), bool, int, str, bytes})
KNOWN: Final = frozenset(_WRITERS)
