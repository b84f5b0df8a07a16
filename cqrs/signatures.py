"""Reading what a handler or factory asks for: its injected parameters, by type."""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Final, Union, final, get_args, get_origin, get_type_hints

import attrs
from returns.result import Failure, Result, Success

from cqrs.problems import Code, Problem, name_of, place_of

_CONSTRUCTOR: Final = "__init__"


@final
@attrs.frozen
class Parameter:
    """A parameter that is injected.

    Attributes:
        name: its name.
        service: the type that it asks for; ``X`` for ``X | None``.
        optional: whether it has a default, which is kept if nothing is registered for the type.
    """

    name: str
    service: object
    optional: bool


def injected(target: Callable[..., object], *, takes_message: bool) -> Result[tuple[Parameter, ...], Problem]:
    """Read the parameters of a function or of a class's constructor.

    Args:
        target: the function or class.
        takes_message: whether the first positional parameter is the message, which is not injected.

    Returns:
        The parameters, or what makes them unreadable.
    """
    try:
        signature = inspect.signature(target)
        hints = get_type_hints(_annotated(target))
    except (NameError, TypeError, ValueError, AttributeError) as error:
        return Failure(_unreadable(target, f"its annotations cannot be read ({error})"))
    named = [p for p in signature.parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if takes_message and (not named or named[0].kind is inspect.Parameter.KEYWORD_ONLY):
        return Failure(_unreadable(target, "it takes no message as its first parameter"))
    wanted = named[1:] if takes_message else named
    return _checked(target, wanted, hints)


def defaulted(target: Callable[..., object]) -> frozenset[str]:
    """Name the parameters that have a default; none if the target has no readable signature.

    Args:
        target: a function or class.
    """
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(p.name for p in parameters if p.default is not p.empty)


def _annotated(target: Callable[..., object]) -> Callable[..., object]:
    constructor: Callable[..., object] = getattr(target, _CONSTRUCTOR)
    return constructor if isinstance(target, type) else inspect.unwrap(target)


def _checked(
    target: Callable[..., object], wanted: list[inspect.Parameter], hints: Mapping[str, object]
) -> Result[tuple[Parameter, ...], Problem]:
    for parameter in wanted:
        if parameter.default is not parameter.empty:
            continue
        if parameter.name not in hints:
            return Failure(_unreadable(target, f"its parameter {parameter.name!r} has no annotation"))
        if parameter.kind is parameter.POSITIONAL_ONLY:
            return Failure(_unreadable(target, f"its parameter {parameter.name!r} is positional-only"))
    return Success(
        tuple(
            Parameter(p.name, service_of(hints[p.name]), p.default is not p.empty)
            for p in wanted
            if p.name in hints and p.kind is not p.POSITIONAL_ONLY
        )
    )


def service_of(hint: object) -> object:
    """Give what an annotation asks for: ``X`` for ``X | None``, else the annotation itself.

    Args:
        hint: the annotation.
    """
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else hint


def _unreadable(target: object, why: str) -> Problem:
    return Problem(
        Code.UNREADABLE_SIGNATURE,
        f"{name_of(target)} cannot be called: {why}.",
        "the message comes first; annotate each other parameter with a type that is registered, or give it a default.",
        place_of(target),
    )
