"""What is wrong with an app or its settings, said as values: every problem at once, each with its fix."""

import inspect
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from types import FunctionType
from typing import cast, final

import attrs


class Code(StrEnum):
    """The stable code of a kind of problem; each has a page under ``docs/reference/errors/``."""

    DUPLICATE_HANDLER = "CQRS-001"
    MISSING_DEPENDENCY = "CQRS-002"
    BUS_DISABLED = "CQRS-003"
    AMBIGUOUS_DEPENDENCY = "CQRS-004"
    CYCLIC_DEPENDENCY = "CQRS-005"
    UNREADABLE_SIGNATURE = "CQRS-006"
    NOT_ASYNC = "CQRS-007"
    WRONG_KIND = "CQRS-008"
    DUPLICATE_SUBSCRIBER = "CQRS-009"
    DEPENDENCY_FAILED = "CQRS-010"
    CONTAINER_TAKEN = "CQRS-011"
    FOREIGN_PACKAGE = "CQRS-012"
    PLUGIN_FAILED = "CQRS-013"
    MIDDLEWARE_FAILED = "CQRS-014"
    CAPTIVE_DEPENDENCY = "CQRS-015"
    QUERY_EMITS = "CQRS-016"
    SHARED_TRANSIENT = "CQRS-017"
    NOT_FROZEN = "CQRS-018"
    UNKNOWN_FIELD = "CQRS-019"
    BAD_SETTING = "CQRS-020"
    MISSING_SETTING = "CQRS-021"
    CACHE_POLICY = "CQRS-030"
    DUPLICATE_CACHE_POLICY = "CQRS-031"
    TWO_STRATEGIES = "CQRS-040"
    DUPLICATE_TYPE_ID = "CQRS-041"
    DEAD_LETTER_STORE = "CQRS-042"


@final
@attrs.frozen
class Problem:
    """One thing that is wrong, where it is, and the change that mends it.

    Attributes:
        code: the stable kind, for look-up and for tools.
        text: what is wrong, naming the argument, variable or handler.
        fix: what to do about it.
        place: ``file:line`` of the definition concerned, empty where there is none.
    """

    code: Code
    text: str
    fix: str
    place: str = ""

    def __str__(self) -> str:
        """One line: place, code, what is wrong, what to do."""
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.code} {' '.join(f'{self.text} Fix: {self.fix}'.split())}"


@final
class CompositionError(Exception):
    """The app cannot start; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """A heading and one line per problem."""
        count = len(self.problems)
        heading = f"{count} problem{'' if count == 1 else 's'} found while composing the app:"
        return "\n".join([heading, *(f"  {problem}" for problem in self.problems)])


def place_of(definition: object) -> str:
    """Say where a function or class is defined.

    Args:
        definition: a function, class or any other object.

    Returns:
        ``file:line``, the file relative to the current directory where it lies below it;
        empty if the object has no source.
    """
    target: object = inspect.unwrap(definition) if callable(definition) else definition
    code = getattr(target, "__code__", None)
    if code is not None:
        return f"{_shorten(code.co_filename)}:{code.co_firstlineno}"
    try:
        # What neither has a source for raises the TypeError that is caught here.
        file = inspect.getsourcefile(cast("type", target))
        _, line = inspect.getsourcelines(cast("type", target))
    except (TypeError, OSError):
        return ""
    return f"{_shorten(file or '')}:{line}"


def place_of_call() -> str:
    """Say where the function that calls this one was called from, as ``place_of`` does."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = None if frame is None else frame.f_back
    return "" if frame is None else f"{_shorten(frame.f_code.co_filename)}:{frame.f_lineno}"


def name_of(definition: object) -> str:
    """Give the dotted name of a function or class, or of the type of any other object."""
    named = definition if hasattr(definition, "__qualname__") else type(definition)
    return f"{named.__module__}.{getattr(named, '__qualname__', '?')}"


def same_definition(first: object, second: object) -> bool:
    """Tell whether two functions or classes are one definition: the same object, or what an import anew made of it.

    Only what stands in a module by its own name is told by that: a function that another one makes is a new one each
    time.

    Args:
        first: a function, class or any other object.
        second: another.
    """
    if first is second:
        return True
    if isinstance(first, FunctionType) and isinstance(second, FunctionType):
        # Its own line too: a decorated function has the name and the place of the one that it decorates.
        alike = first.__code__.co_firstlineno == second.__code__.co_firstlineno
    else:
        alike = isinstance(first, type) and isinstance(second, type)
    if not alike or name_of(first) != name_of(second) or "<locals>" in name_of(first):
        return False
    return place_of(first) == place_of(second) != ""


def _shorten(file: str) -> str:
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file
