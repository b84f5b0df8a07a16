"""From any Python value to what a record can hold: total, bounded, and without running a line of the user's code.

Nothing is consumed, no method of a user's class is called, no property is read: what a value is made of is taken
from where Python itself keeps it. What is not known is named by its class.
"""

import base64
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import islice
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Final, Protocol, cast, final
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import orjson

from cqrs.secret import Secret
from cqrs_openobserve.redaction import HIDDEN, LONGEST_TEXT, as_unicode, is_denied, redact

DEEPEST: Final = 8
BROADEST: Final = 100
MOST_PARTS: Final = 1_000
_LONGEST_KEY: Final = 100
_WIDEST: Final = 14_000  # bits of an integer; Python refuses to write more than 4 300 digits

Tree = str | int | float | bool | list["Tree"] | dict[str, "Tree"] | None
Scalar = str | int | float | bool | None


def text_of(value: object, most: int = LONGEST_TEXT) -> str | None:
    """Give a value as one text, redacted and cut; None for None.

    Args:
        value: anything; one that is made of others becomes JSON.
        most: the cap, in characters.
    """
    tree = tree_of(value, most)
    if tree is None or isinstance(tree, str):
        return tree
    if isinstance(tree, bool):
        return "true" if tree else "false"
    if isinstance(tree, int | float):
        return repr(tree)
    written = orjson.dumps(tree).decode()
    return written if len(written) <= most else f"{written[:most]}… ({len(written)} characters)"


def tree_of(value: object, most: int = LONGEST_TEXT) -> Tree:
    """Give a value as plain JSON: at most 8 deep, 100 broad and 1 000 parts, texts redacted.

    Args:
        value: anything. Numbers that JSON cannot hold become texts.
        most: the cap of all texts in it together, in characters.
    """
    return _Walk(most).form(value, 0)


def name_of(kind: type) -> str:
    """Give the name of a class, whatever its metaclass says.

    Args:
        kind: the class.
    """
    return as_unicode(str(type.__dict__["__qualname__"].__get__(kind)))[:_LONGEST_KEY]


class _NumpyScalar(Protocol):
    def item(self) -> object: ...


@final
@attrs.frozen
class _Parts:
    """What a value is made of, at most ``BROADEST`` of it; names are None for a sequence."""

    items: list[object]
    size: int
    names: list[object] | None = None


@final
class _Walk:
    def __init__(self, most: int) -> None:
        self._room = most
        self._open: set[int] = set()
        self._left = MOST_PARTS

    def form(self, value: object, depth: int) -> Tree:
        self._left -= 1
        if self._left < 0:
            return "<more>"
        try:
            return self._form(value, depth)
        except Exception as error:  # noqa: BLE001  # changed while it was read, or it lies about itself
            return f"<unreadable {name_of(type(value))}: {name_of(type(error))}>"

    def text(self, text: str) -> str:
        # One budget for all texts of a value: what is looked at stays within the cap, however many there are.
        most = max(0, self._room)
        self._room -= min(len(text), most)
        return redact(text, most)

    def _form(self, value: object, depth: int) -> Tree:
        kind = type(value)
        for known, form in _SCALARS.items():
            if issubclass(kind, known):
                plain = form(value)
                return self.text(plain) if isinstance(plain, str) else plain
        return self._compound(value, kind, depth)

    def _compound(self, value: object, kind: type, depth: int) -> Tree:
        if kind.__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            return self.form(cast("_NumpyScalar", value).item(), depth)
        parts = _parts(value, kind)
        if parts is None:
            return f"<{name_of(kind)}>"
        if id(value) in self._open:
            return "<cycle>"
        if depth >= DEEPEST:
            return f"<{name_of(kind)} deeper than {DEEPEST}>"
        self._open.add(id(value))
        forms = self._mapping(parts, depth) if parts.names is not None else self._sequence(parts, depth)
        self._open.discard(id(value))
        return forms

    def _sequence(self, parts: _Parts, depth: int) -> Tree:
        forms = [self.form(part, depth + 1) for part in parts.items]
        more = parts.size - len(forms)
        return [*forms, f"<{more} more>"] if more > 0 else forms

    def _mapping(self, parts: _Parts, depth: int) -> Tree:
        forms: dict[str, Tree] = {}
        for key, value in zip(parts.names or (), parts.items, strict=True):
            name = self._name(key, depth)
            while name in forms:
                name += "_"
            forms[name] = HIDDEN if value is HIDDEN or is_denied(name) else self.form(value, depth + 1)
        more = parts.size - len(parts.items)
        return forms | {"<more>": more} if more > 0 else forms

    def _name(self, key: object, depth: int) -> str:
        if type(key) is str:
            return redact(key, _LONGEST_KEY)
        form = self.form(key, depth + 1)
        return (form if isinstance(form, str) else orjson.dumps(form).decode())[:_LONGEST_KEY]


def _integer(value: object) -> Scalar:
    number = int.__int__(cast("int", value))
    if -(2**63) <= number < 2**63:
        return number
    return str(number) if number.bit_length() <= _WIDEST else hex(number)


def _number(value: object) -> Scalar:
    number = float.__float__(cast("float", value))
    if math.isfinite(number):
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"  # noqa: PLR0124  # NaN is not itself


def _bytes(value: object) -> Scalar:
    data = memoryview(cast("bytes", value)).cast("B")
    text = base64.b64encode(data[: LONGEST_TEXT * 3 // 4]).decode()
    return text if len(data) <= LONGEST_TEXT * 3 // 4 else f"{text}… ({len(data)} bytes)"


def _datetime(value: object) -> Scalar:
    moment = cast("datetime", value)
    zone = datetime.tzinfo.__get__(moment)
    known = zone is None or type(zone) in {timezone, ZoneInfo}
    return datetime.isoformat(moment if known else datetime.replace(moment, tzinfo=None))


def _time(value: object) -> Scalar:
    return time.isoformat(time.replace(cast("time", value), tzinfo=None))


def _enum(value: object) -> Scalar:
    return str(kept(value, "_name_"))


def _uuid(value: object) -> Scalar:
    return str(UUID(int=cast("int", kept(value, "int"))))


# What is one value on the wire; a subclass is read as its base, with the base's own code. Order matters.
_SCALARS: Final[dict[type, Callable[[object], Scalar]]] = {
    type(None): lambda _: None,
    Secret: lambda _: HIDDEN,
    Enum: _enum,
    str: lambda value: str.__getitem__(cast("str", value), slice(None)),
    bool: lambda value: value is True,
    int: _integer,
    float: _number,
    complex: lambda value: complex.__repr__(cast("complex", value)),
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    datetime: _datetime,
    date: lambda value: date.isoformat(cast("date", value)),
    time: _time,
    timedelta: lambda value: timedelta.total_seconds(cast("timedelta", value)),
    Decimal: lambda value: Decimal.__str__(cast("Decimal", value)),
    Fraction: lambda value: Fraction.__str__(cast("Fraction", value)),
    UUID: _uuid,
    PurePath: lambda value: PurePath.__str__(cast("PurePath", value)),
    type: lambda value: name_of(cast("type", value)),
    FunctionType: lambda value: f"<function {cast('FunctionType', value).__qualname__}>",
    BuiltinFunctionType: lambda value: f"<function {cast('BuiltinFunctionType', value).__qualname__}>",
    ModuleType: lambda _: "<module>",
}
_SEQUENCES: Final[tuple[type, ...]] = (list, tuple, set, frozenset, deque)


def _parts(value: object, kind: type[object]) -> _Parts | None:
    for known in _SEQUENCES:
        if issubclass(kind, known):
            items, size = _methods(known, "__iter__", "__len__")
            first = islice(cast("Iterator[object]", items(value)), BROADEST)
            return _Parts(list(first), cast("int", size(value)))
    if issubclass(kind, cast("type[object]", dict)):
        return _pairs(value)
    names = _fields(kind)
    if names is None:
        return None
    shown = [(name, kept(value, name) if plain else HIDDEN) for name, plain in names[:BROADEST]]
    return _Parts([part for _, part in shown], len(names), [name for name, _ in shown])


def _methods(kind: type, *names: str) -> tuple[Callable[[object], object], ...]:
    return tuple(cast("Callable[[object], object]", getattr(kind, name)) for name in names)


def _pairs(value: object) -> _Parts:
    items, size = _methods(dict, "items", "__len__")
    pairs = list(islice(cast("Iterable[tuple[object, object]]", items(value)), BROADEST))
    return _Parts([part for _, part in pairs], cast("int", size(value)), [key for key, _ in pairs])


def _fields(kind: type) -> list[tuple[str, bool]] | None:
    # Names, and whether the class lets them be shown: attrs, dataclasses, pydantic.
    declared = _static(kind, "__attrs_attrs__")
    if isinstance(declared, tuple):
        fields = cast("tuple[attrs.Attribute[object], ...]", declared)
        return [(field.name, field.repr is not False) for field in fields]
    for where in ("__dataclass_fields__", "__pydantic_fields__"):
        declared = _static(kind, where)
        if isinstance(declared, dict):
            named = cast("dict[str, object]", declared)
            return [(name, getattr(field, "repr", True) is not False) for name, field in named.items()]
    return None


def kept(value: object, name: str) -> object:
    """Give an attribute from where an instance keeps it; None if it is not kept there, as with a property.

    Args:
        value: the instance.
        name: the attribute's name.
    """
    kind = type(value)
    member = _static(kind, name)
    if type(member) is MemberDescriptorType:
        try:
            return cast("object", member.__get__(value, kind))
        except AttributeError:  # a slot that was never filled
            return None
    held = _static(kind, "__dict__")
    if type(held) is not GetSetDescriptorType:
        return None
    return cast("dict[str, object]", held.__get__(value, kind)).get(name)


def _static(kind: type, name: str) -> object:
    for each in type.__dict__["__mro__"].__get__(kind):
        if name in each.__dict__:
            return cast("object", each.__dict__[name])
    return None
