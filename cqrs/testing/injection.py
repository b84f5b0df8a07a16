"""Faults of what is outside: the n-th call of an operation fails."""

from typing import final

import attrs
from returns.result import Failure


class InjectedFault(OSError):  # noqa: N818 - what it is, not what it is an error of
    """What a call of a seam raises if nothing else is said."""


@final
@attrs.frozen
class NthFault:
    """One call of a seam that fails; made by ``fail_nth``.

    Attributes:
        op: the seam and its method, ``store.put``; ``*`` stands for anything.
        n: which call, from 1.
        error: an exception is raised, a ``Failure`` is answered.
        persistent: whether every later call fails too.
    """

    op: str
    n: int
    error: Exception | Failure[object]
    persistent: bool

    def strikes(self, call: int) -> bool:
        """Tell whether a call fails.

        Args:
            call: its number, from 1.
        """
        return call >= self.n if self.persistent else call == self.n


def fail_nth(
    op: str, n: int, error: Exception | Failure[object] | None = None, *, persistent: bool = False
) -> NthFault:
    """Let the n-th call of a seam fail.

    Args:
        op: the seam and its method, ``store.put``; ``store.*`` for any of its methods.
        n: which call, from 1.
        error: an exception is raised, a ``Failure`` is answered; an ``InjectedFault`` is raised if not given.
        persistent: whether every later call fails too.
    """
    return NthFault(op, n, error or InjectedFault(f"call {n} of {op} was made to fail"), persistent)
