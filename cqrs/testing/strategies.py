"""Strategies for messages: what their types and validators allow, with their defaults and without."""

import inspect
import sys
from collections.abc import Mapping
from typing import Final, TypeVar, cast, get_type_hints

import attrs
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, ResolutionFailed
from hypothesis.strategies import SearchStrategy

from cqrs.testing.validators import narrowed

Cls = TypeVar("Cls")

# What a parameter without a type may get: nothing that its code could not meet.
_ANYTHING_SIMPLE: Final = st.none() | st.booleans() | st.integers() | st.text()


def messages(cls: type[Cls], **fields: SearchStrategy[object]) -> SearchStrategy[Cls]:
    """Draw instances of a message class: attrs, dataclass, msgspec, pydantic or plain.

    A field is drawn from its type, narrowed by its attrs validators; one with a default is left out or drawn. What
    the class refuses with a ``ValueError`` or ``TypeError`` is never given out.

    Args:
        cls: the class.
        fields: strategies by field name, instead of those of the types.

    Raises:
        ValueError: if a field is not one of the class, or one without default has a type that nothing is known for.
    """
    parameters = _parameters(cls)
    if unknown := sorted(set(fields) - set(parameters)):
        raise ValueError(
            f"{cls.__qualname__} has no field {', '.join(unknown)}; it has {', '.join(parameters)}."
        )
    hints, attributes = _hints(cls), _attributes(cls)
    required: dict[str, SearchStrategy[object]] = {}
    optional: dict[str, SearchStrategy[object]] = {}
    for name, parameter in parameters.items():
        has_default = parameter.default is not inspect.Parameter.empty
        drawn = fields.get(name)
        if drawn is None:
            drawn = _drawn(hints.get(name, inspect.Parameter.empty), attributes.get(name))
        if drawn is None and not has_default:
            raise ValueError(
                f"Nothing is known of the type of {cls.__qualname__}.{name}: pass {name}=<a strategy>."
            )
        if drawn is not None:
            (optional if has_default else required)[name] = drawn
    drawn_fields = st.fixed_dictionaries(required, optional=optional)
    return drawn_fields.map(lambda values: _made(cls, values)).filter(bool).map(lambda made: made[0])


def _made(cls: type[Cls], values: Mapping[str, object]) -> tuple[Cls, ...]:
    try:
        return (cls(**values),)
    except (ValueError, TypeError):  # the class's own validation
        return ()


def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    by_keyword = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    return {n: p for n, p in inspect.signature(cls).parameters.items() if p.kind in by_keyword}


def _hints(cls: type) -> dict[str, object]:
    # Those of __init__ come last: a converter's input is not what the field holds.
    found: dict[str, object] = {}
    for holder in (cls, inspect.getattr_static(cls, "__init__")):
        try:
            found |= get_type_hints(holder, globalns=_names(cls), include_extras=True)
        except (NameError, TypeError):  # a name that only type checkers see
            continue
    for attribute in _attributes(cls).values():
        if attribute.alias and attribute.name in found and attribute.alias not in found:
            found[attribute.alias] = found[attribute.name]
    return found


def _names(cls: type) -> dict[str, object]:
    return dict(vars(sys.modules[cls.__module__])) if cls.__module__ in sys.modules else {}


def _attributes(cls: type) -> dict[str, "attrs.Attribute[object]"]:
    if not attrs.has(cls):
        return {}
    return {field.alias or field.name: field for field in attrs.fields(cls)}


def _drawn(hint: object, attribute: "attrs.Attribute[object] | None") -> SearchStrategy[object] | None:
    of_type: SearchStrategy[object] | None
    if hint is inspect.Parameter.empty:
        of_type = _ANYTHING_SIMPLE
    else:
        try:
            of_type = st.from_type(cast("type[object]", hint))
            of_type.validate()
        except (ResolutionFailed, InvalidArgument):
            of_type = None
    if attribute is None or attribute.validator is None or getattr(attribute, "converter", None):
        return of_type
    return narrowed(of_type, hint, attribute)
