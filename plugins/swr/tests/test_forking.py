import gc
import os
from typing import Any

import pytest
from cqrs_swr.forking import watch_forks


class Watcher:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def before_fork(self) -> None:
        """Note it."""
        self.told.append("before")

    def after_fork_in_parent(self) -> None:
        """Note it."""
        self.told.append("parent")

    def after_fork_in_child(self) -> None:
        """Note it."""
        self.told.append("child")


def forked(told: list[str]) -> bytes:
    """What a real child says of what it was told."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, " ".join(told).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    said = os.read(reader, 100)
    os.close(reader)
    return said


# The child of this test ends at once, whatever threads its parent has.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_whoever_watches_is_told_on_both_sides() -> None:
    """Before the fork, and after it in the parent and in the child."""
    watcher = Watcher()
    watch_forks(watcher)

    assert forked(watcher.told) == b"before child"
    assert watcher.told == ["before", "parent"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_nobody_is_kept_alive_to_be_told() -> None:
    """A cache that is gone hears nothing more."""
    told: list[str] = []
    watcher: Any = Watcher()
    watcher.told = told
    watch_forks(watcher)
    del watcher
    gc.collect()

    assert forked(told) == b""
    assert told == []
