"""Which events a handler's code names: what it may publish, read without running it."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import CodeType, FunctionType

from cqrs.messages import Event


def named_events(handler: object, known: Mapping[type[Event], str]) -> tuple[str, ...]:
    """List the event classes that a handler's code refers to by name.

    Args:
        handler: a function, or a class with an async ``__call__``.
        known: events with their names as people read them; another one is called by its class's name.
    """
    called: object = vars(handler).get("__call__") if isinstance(handler, type) else handler
    function = inspect.unwrap(called) if callable(called) else called
    if not isinstance(function, FunctionType):
        return ()
    values: dict[str, object] = {**function.__globals__, **dict(_enclosed(function))}
    found = [values.get(name) for name in _names(function.__code__)]
    events = [
        each for each in found if isinstance(each, type) and issubclass(each, Event) and each is not Event
    ]
    return tuple(dict.fromkeys(known.get(event, event.__qualname__) for event in events))


def _enclosed(function: FunctionType) -> Iterator[tuple[str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # a name that is not bound yet
            yield name, cell.cell_contents


def _names(code: CodeType) -> Iterator[str]:
    yield from (*code.co_names, *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
