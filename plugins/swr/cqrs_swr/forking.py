"""Forks: a child has the memory of its parent, but none of its threads; what it must not go on with is put down there."""

import os
import weakref
from typing import Final, Protocol


class Forking(Protocol):
    """Has something that must not live on in a forked child."""

    def before_fork(self) -> None:
        """Come to rest: nothing that another thread is in the middle of may be copied."""
        ...

    def after_fork_in_parent(self) -> None:
        """Go on."""
        ...

    def after_fork_in_child(self) -> None:
        """Put down what is the parent's."""
        ...


_forking: Final[weakref.WeakSet[Forking]] = weakref.WeakSet()


def watch_forks(who: Forking) -> None:
    """Tell somebody of every fork from now on, for as long as there is anybody.

    Args:
        who: is told; not kept alive by this.
    """
    _forking.add(who)


def _before() -> None:
    for each in tuple(_forking):
        each.before_fork()


def _in_parent() -> None:
    for each in tuple(_forking):
        each.after_fork_in_parent()


def _in_child() -> None:
    for each in tuple(_forking):
        each.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
