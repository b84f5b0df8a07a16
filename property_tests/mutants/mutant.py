"""Wrong implementations, each with the law that has to find it."""

import pkgutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any
from unittest import mock

import attrs

from cqrs.testing import Law, LawBroken


@attrs.frozen(eq=False)
class Mutant:
    """A wrong implementation.

    Attributes:
        name: in a few words, what is wrong.
        killed_by: the law that has to find it.
        subject: what the suite looks at.
        patch: makes the core wrong while a law runs; nothing if the subject itself is wrong.
        dies_of: what is raised when a law finds it; anything else is a mistake of the mutant's or of the law's.
    """

    name: str
    killed_by: str
    subject: Any
    patch: Callable[[], AbstractContextManager[object]] = nullcontext
    dies_of: type[BaseException] = LawBroken


@attrs.frozen(eq=False)
class Suite:
    """A suite of laws, what keeps them, and what does not.

    Attributes:
        name: of the suite.
        laws: all of them.
        subjects: right ones, each of which keeps every law.
        mutants: wrong ones, each of which breaks at least one.
        examples: how many the table gives a law to find a mutant that another law is there for; few where each takes
            threads and sockets.
    """

    name: str
    laws: tuple[Law[Any], ...]
    subjects: tuple[Any, ...]
    mutants: tuple[Mutant, ...]
    examples: int = 100


def replaced(target: str, make: Callable[[Any], object]) -> Callable[[], AbstractContextManager[object]]:
    """Replace something of the core by something wrong that is made of it.

    Args:
        target: its dotted name.
        make: given the right one, gives the wrong one.
    """

    def patch() -> AbstractContextManager[object]:
        module, _, name = target.rpartition(".")
        owner: Any = pkgutil.resolve_name(module)
        return mock.patch.object(owner, name, make(getattr(owner, name)))

    return patch


def together(
    *patches: Callable[[], AbstractContextManager[object]],
) -> Callable[[], AbstractContextManager[object]]:
    """Make several things wrong at once."""

    def patch() -> AbstractContextManager[object]:
        with ExitStack() as stack:
            for each in patches:
                stack.enter_context(each())
            return stack.pop_all()

    return patch


def named(suites: Iterable[Suite]) -> list[tuple[Suite, Mutant]]:
    """Every mutant with its suite."""
    return [(suite, mutant) for suite in suites for mutant in suite.mutants]
