"""Keys: which look-ups share an entry. Within a process a tuple of values and types, between processes a hash. Pure."""

import hashlib
from collections.abc import Callable, Mapping
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Final, Union, final, get_args, get_origin, get_type_hints

from cqrs.caching import AnyQuery, CacheScope
from cqrs_swr.encoding import KNOWN, PLAIN, Unkeyable, as_class, encode, fields_of, framed, type_name

# Who asks: the tenant and the principal of the dispatch, where the scope needs them.
Owner = tuple[str, ...]
LocalKey = tuple[object, ...]

SHARED_OWNER: Final[Owner] = ()
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
class Keys:
    """Makes the keys of one query class.

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
        self._head = (query, scope)
        self._prefix = b"".join((_VERSION, framed(b"q", type_id.encode()), framed(b"c", scope.encode())))
        self._fields = _reader(names)
        self._vary = vary
        self._plain: dict[tuple[type, ...], bool] = {}

    def local(self, query: AnyQuery, owner: Owner) -> LocalKey:
        """Give the key within this process.

        Args:
            query: the query.
            owner: whose entry it is.

        Raises:
            Unkeyable: if a field, or what ``vary`` gives, has no canonical encoding.
        """
        parts = self._fields(query)
        types = tuple(map(type, parts))
        plain = self._plain.get(types)
        if plain is None:
            plain = self._plain[types] = PLAIN.issuperset(types)
        if not plain:
            parts = tuple(part if type(part) in PLAIN else encode(part) for part in parts)
        if self._vary is None:
            return (*self._head, owner, parts, types)
        return (*self._head, owner, parts, types, encode(self._vary(query)))

    def shared(self, query: AnyQuery, owner: Owner) -> bytes:
        """Give the key between processes: 16 bytes.

        Args:
            query: the query.
            owner: whose entry it is.

        Raises:
            Unkeyable: if a field, or what ``vary`` gives, has no canonical encoding.
        """
        varied = b"" if self._vary is None else framed(b"y", encode(self._vary(query)))
        content = self._prefix + encode(owner) + varied + encode(self._fields(query))
        return hashlib.blake2b(content, digest_size=16).digest()


def _reader(names: tuple[str, ...]) -> Callable[[object], tuple[object, ...]]:
    if not names:
        return lambda _query: ()
    if len(names) == 1:
        read = attrgetter(names[0])
        return lambda query: (read(query),)
    return attrgetter(*names)


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
