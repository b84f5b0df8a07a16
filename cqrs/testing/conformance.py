"""What a message class declares, and whether a value is of a declared type."""

import sys
import typing
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from types import SimpleNamespace, UnionType
from typing import (
    Annotated,
    Final,
    Literal,
    NewType,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import get_original_bases

from cqrs.messages import Message

_MOST_ITEMS: Final = 100


def declared(message: type) -> tuple[object, object]:
    """Give the value and error types that a command or query class names; ``object`` where it names none.

    Args:
        message: the message class.
    """
    found = _arguments(message, {})
    return found if found is not None else (object, object)


def _arguments(cls: type, known: Mapping[object, object]) -> tuple[object, object] | None:
    for base in get_original_bases(cls):
        origin: type = get_origin(base) or base
        if not _is_message(origin):
            continue
        resolving, named = _resolving(cls), cast("tuple[object, ...]", get_args(base))
        arguments = [_substituted(resolving(each), known) for each in named]
        if origin.__module__ == Message.__module__:
            return (arguments[0], arguments[1]) if arguments else (object, object)
        parameters: tuple[object, ...] = getattr(origin, "__parameters__", ())
        inner: dict[object, object] = dict(zip(parameters, arguments, strict=False))
        return _arguments(origin, inner)
    return None


def _is_message(cls: type) -> bool:
    return issubclass(cls, Message)


def _substituted(annotation: object, known: Mapping[object, object]) -> object:
    inner: tuple[object, ...] = (
        () if isinstance(annotation, type) else getattr(annotation, "__parameters__", ())
    )
    if not inner:
        return known.get(annotation, annotation)
    generic = cast("Mapping[object, object]", annotation)
    return generic[tuple(known.get(each, each) for each in inner)]


def _resolving(cls: type) -> Callable[[object], object]:
    names = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}

    def resolved(annotation: object) -> object:
        holder = SimpleNamespace(__annotations__={"it": annotation})
        try:
            return get_type_hints(holder, globalns=dict(names), include_extras=True)["it"]
        except (NameError, TypeError, AttributeError):
            return annotation

    return resolved


def conforms(value: object, annotation: object) -> bool:
    """Tell whether a value is of a type; what cannot be told at run time counts as true.

    Looks into unions, literals, lists, tuples, sets and mappings; of a long collection, at its first 100 items.

    Args:
        value: the value.
        annotation: a type as it stands in an annotation.
    """
    if annotation is None:
        return value is None
    if annotation is typing.Any or annotation is object or isinstance(annotation, TypeVar | str):
        return True
    if isinstance(annotation, NewType):
        return conforms(value, annotation.__supertype__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None:
        return not isinstance(annotation, type) or _is_instance(value, annotation)
    return _conforms_to_generic(value, origin, arguments)


def _conforms_to_generic(value: object, origin: object, arguments: tuple[object, ...]) -> bool:
    if origin is Annotated:
        return conforms(value, arguments[0])
    if origin is Union or origin is UnionType:
        return any(conforms(value, each) for each in arguments)
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in arguments)
    if not isinstance(origin, type):
        return True
    return _is_instance(value, origin) and _holds(value, origin, arguments)


def _holds(value: object, origin: type, arguments: tuple[object, ...]) -> bool:
    if isinstance(value, Mapping) and len(arguments) == 2:
        mapping = cast("Mapping[object, object]", value)
        return _all(mapping, arguments[0]) and _all(mapping.values(), arguments[1])
    if origin is tuple:
        return _conforms_to_tuple(cast("tuple[object, ...]", value), arguments)
    if isinstance(value, Collection) and len(arguments) == 1:
        return _all(cast("Collection[object]", value), arguments[0])
    return True


def _conforms_to_tuple(value: tuple[object, ...], arguments: tuple[object, ...]) -> bool:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return _all(value, arguments[0])
    return len(value) == len(arguments) and all(map(conforms, value, arguments))


def _all(values: Collection[object], annotation: object) -> bool:
    return all(conforms(value, annotation) for value in islice(values, _MOST_ITEMS))


def _is_instance(value: object, cls: type) -> bool:
    # The numeric tower of PEP 484: an int is a float where a type checker looks.
    if cls is float:
        return isinstance(value, float | int)
    try:
        return isinstance(value, cls)
    except TypeError:  # a protocol that cannot be looked at while running
        return True
