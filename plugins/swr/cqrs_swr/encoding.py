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


def writer_of(cls: type) -> Callable[..., bytes]:
    """Give what encodes the part of a key that stands for a value: encoded already, or plain.

    Args:
        cls: the value's class.
    """
    return _WRITERS[cls] if cls in PLAIN else _encoded


def _encoded(part: bytes) -> bytes:
    return part


def framed(tag: bytes, content: bytes) -> bytes:
    """Put a tag of one byte and the length before some content."""
    return b"%c%d:%b" % (tag, len(content), content)


def _sequence(tag: bytes, parts: Iterable[bytes]) -> bytes:
    return framed(tag, b"".join(parts))


def _write_none(value: None) -> bytes:
    del value
    return b"0"


def _write_uuid(value: UUID) -> bytes:
    return framed(b"u", value.bytes)


def _write_bool(value: object) -> bytes:
    return b"?1" if value is True else b"?0"


def _write_int(number: int) -> bytes:
    if -(2**63) <= number < 2**63:
        digits = b"%d" % number
        return b"i%d:%b" % (len(digits), digits)  # framed, without its call: most keys hold one
    return framed(b"I", number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def _write_float(number: float) -> bytes:
    if math.isnan(number):
        return framed(b"f", b"nan")
    return framed(b"f", (number + 0.0).hex().encode())  # + 0.0: -0.0 equals 0.0


def _write_str(text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(content), content)


def _write_bytes(value: bytes) -> bytes:
    return framed(b"b", value)


def _write_decimal(number: Decimal) -> bytes:
    if not number.is_finite():
        return framed(b"d", str(number).encode())
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    if not kept:
        return framed(b"d", b"0")
    return framed(b"d", f"{sign}{kept}e{int(exponent) + len(text) - len(kept)}".encode())


def _write_datetime(moment: datetime) -> bytes:
    if moment.utcoffset() is None:
        raise Unkeyable("a datetime without a time zone, which is another moment on another machine")
    return framed(b"D", b"%d" % ((moment - _EPOCH) // _MICROSECOND))


def _write_date(value: date) -> bytes:
    return framed(b"a", value.isoformat().encode())


def _write_time(value: time) -> bytes:
    return framed(b"t", value.isoformat().encode())


def _write_timedelta(value: timedelta) -> bytes:
    return framed(b"l", b"%d" % (value // _MICROSECOND))


def _write_tuple(value: tuple[object, ...]) -> bytes:
    content = b"".join([_encode(part) for part in value])
    return b"(%d:%b" % (len(content), content)


def _write_list(value: list[object]) -> bytes:
    return _sequence(b"[", map(_encode, value))


def _write_set(value: set[object]) -> bytes:
    return _sequence(b"{", sorted(map(_encode, value)))


def _write_frozenset(value: frozenset[object]) -> bytes:
    return _sequence(b"<", sorted(map(_encode, value)))


def _write_mapping(value: Mapping[object, object]) -> bytes:
    pairs = value.items()
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


_WRITERS: Final[Mapping[type, Callable[..., bytes]]] = {  # each is given what its class says
    type(None): _write_none,
    bool: _write_bool,
    int: _write_int,
    float: _write_float,
    str: _write_str,
    bytes: _write_bytes,
    Decimal: _write_decimal,
    UUID: _write_uuid,
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
