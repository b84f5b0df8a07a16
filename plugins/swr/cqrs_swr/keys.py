"""Keys: which look-ups share an entry. Within a process a tuple of values and types, between processes a hash. Pure."""

from collections.abc import Callable, Mapping
from enum import Enum
from hashlib import blake2b
from operator import attrgetter
from types import NoneType, UnionType
from typing import Final, Union, final, get_args, get_origin, get_type_hints

from cqrs.caching import AnyQuery, CacheScope
from cqrs_swr.encoding import (
    KNOWN,
    PLAIN,
    Unkeyable,
    as_class,
    encode,
    fields_of,
    framed,
    type_name,
    writer_of,
)

# Who asks: the tenant and the principal of the dispatch, where the scope needs them.
Owner = tuple[str, ...]

SHARED_OWNER: Final[Owner] = ()
_NOBODY: Final = encode(SHARED_OWNER)
_VERSION: Final = framed(b"v", b"1")


def owner_of(scope: CacheScope, tenant: str | None, principal: str | None) -> Owner | None:
    """Say whose entry a look-up may see; None if the dispatch does not say who asks.

    Args:
        scope: the policy's.
        tenant: the dispatch's.
        principal: the dispatch's.
    """
    if scope is CacheScope.SHARED:
        return SHARED_OWNER
    if scope is CacheScope.TENANT:
        return None if tenant is None else (tenant,)
    # A principal without a tenant is one of the whole app, which is another one than that of a tenant "".
    return None if principal is None else ((principal,) if tenant is None else (principal, tenant))


@final
class _Shape:
    """The classes of a query's fields: one object for each combination, which stands for the query class as well.

    Args:
        types: the classes.

    Attributes:
        is_plain: whether values of these classes are part of a key as they are; others are encoded in it.
        writers: what gives the encoding of each part of a key.
    """

    __slots__ = ("is_plain", "writers")

    def __init__(self, types: tuple[type, ...]) -> None:
        self.is_plain = PLAIN.issuperset(types)
        self.writers = tuple(map(writer_of, types))


# The fields' classes, who asks, the fields, and what else tells answers apart.
LocalKey = tuple[_Shape, Owner, tuple[object, ...], bytes]


@final
class Keys:
    """Makes the keys of one query class; those within a process are of use with the same ``Keys`` alone.

    Args:
        query: the class.
        type_id: its stable name.
        scope: who shares an entry.
        vary: gives what else tells two answers apart.

    Raises:
        Unkeyable: if the class does not say what its fields are.
    """

    def __init__(
        self, query: type, type_id: str, scope: CacheScope, vary: Callable[[AnyQuery], object] | None
    ) -> None:
        names = fields_of(query)
        if names is None:
            raise Unkeyable(f"{type_name(query)} does not say what its fields are")
        self._prefix = b"".join((_VERSION, framed(b"q", type_id.encode()), framed(b"c", scope.encode())))
        self._fields = attrgetter(*names) if len(names) > 1 else _none
        self._field = attrgetter(names[0]) if len(names) == 1 else None
        self._vary = vary
        self._shapes: dict[tuple[type, ...], _Shape] = {}

    def local(self, query: AnyQuery, owner: Owner) -> LocalKey:
        """Give the key within this process.

        Args:
            query: the query.
            owner: whose entry it is.

        Raises:
            Unkeyable: if a field, or what ``vary`` gives, has no canonical encoding.
        """
        if self._field is not None:  # most queries have one
            part: object = self._field(query)
            parts: tuple[object, ...] = (part,)
            types: tuple[type, ...] = (type(part),)
        else:
            parts = self._fields(query)
            types = tuple(map(type, parts))
        shape = self._shapes.get(types)
        if shape is None:
            shape = self._shapes.setdefault(types, _Shape(types))
        if not shape.is_plain:
            parts = tuple(part if type(part) in PLAIN else encode(part) for part in parts)
        return (shape, owner, parts, b"" if self._vary is None else self._varied(query))

    def shared(self, query: AnyQuery, owner: Owner) -> bytes:
        """Give the key between processes: 16 bytes.

        Args:
            query: the query.
            owner: whose entry it is.

        Raises:
            Unkeyable: if a field, or what ``vary`` gives, has no canonical encoding.
        """
        return self.shared_of(self.local(query, owner))

    def shared_of(self, key: LocalKey) -> bytes:
        """Give the key between processes of a key within this one.

        Args:
            key: one that ``local`` gave.
        """
        shape, owner, parts, varied = key
        fields = b"".join([write(part) for write, part in zip(shape.writers, parts, strict=True)])
        asking = encode(owner) if owner else _NOBODY
        varying = framed(b"y", varied) if varied else b""
        content = b"%b%b%b(%d:%b" % (self._prefix, asking, varying, len(fields), fields)
        return blake2b(content, digest_size=16).digest()

    def _varied(self, query: AnyQuery) -> bytes:
        assert self._vary is not None  # noqa: S101 - asked by those who have one
        try:
            return encode(self._vary(query))
        except Unkeyable:
            raise
        except Exception as error:
            raise Unkeyable(f"what it varies by: {type(error).__name__}: {error}"[:300]) from error


def _none(_query: object) -> tuple[object, ...]:
    return ()


def unkeyable_fields(query: type) -> dict[str, str]:
    """Name the fields of a query class whose annotation says that they cannot be part of a key.

    Args:
        query: the class.

    Returns:
        What is wrong, by field; empty as well where annotations do not tell, which is found out at look-ups.
    """
    return _wrong_fields(query, ())


def _wrong_fields(cls: type, seen: tuple[type, ...]) -> dict[str, str]:
    try:
        hints: Mapping[str, object] = get_type_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}
    names = fields_of(cls) or ()
    found = {name: _wrong(hints[name], (*seen, cls)) for name in names if name in hints}
    return {name: text for name, text in found.items() if text is not None}


_UNTOLD: Final = frozenset({object, Enum, NoneType})


def _wrong(hint: object, seen: tuple[type, ...]) -> str | None:
    origin: object = get_origin(hint)
    if origin is not None:
        return _wrong_parts(hint, origin, seen)
    supertype: object = getattr(hint, "__supertype__", None)
    if supertype is not None:
        return _wrong(supertype, seen)
    cls = as_class(hint)
    if cls is None or cls in KNOWN or cls in _UNTOLD or cls in seen or issubclass(cls, Enum):
        return None
    is_abstract = getattr(cls, "_is_protocol", False) or getattr(cls, "__abstractmethods__", None)
    if cls.__module__ == "typing" or is_abstract:
        return None  # what will be given is another class
    if fields_of(cls) is None:
        return f"{type_name(cls)} is of no kind that a key can be made of"
    return next(iter(_wrong_fields(cls, seen).values()), None)


def _wrong_parts(hint: object, origin: object, seen: tuple[type, ...]) -> str | None:
    if origin is Union or origin is UnionType:
        # One that can be given is enough: a look-up decides.
        wrong = [_wrong(part, seen) for part in get_args(hint) if part is not NoneType]
        return wrong[0] if wrong and None not in wrong else None
    if isinstance(origin, type) and origin in KNOWN:
        return next((text for part in get_args(hint) if (text := _wrong(part, seen)) is not None), None)
    is_function = getattr(origin, "__name__", "") == "Callable"
    return "a function is of no kind that a key can be made of" if is_function else None


def type_id_of(query: type) -> str:
    """Give the stable name of a query class: what ``@type_id`` has given it, or where it is defined.

    Args:
        query: the class.
    """
    given: object = query.__dict__.get("__type_id__")
    return given if isinstance(given, str) else type_name(query)
