"""Bounded queues between callers, who never wait, and the worker; what does not fit is counted."""

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Generic, Protocol, TypeVar, final

Item = TypeVar("Item")


@final
class Tally:
    """Counts without a lock from any number of threads; read by one thread at a time."""

    __slots__ = ("_counter", "_reads")

    def __init__(self) -> None:
        self._counter = count()
        self._reads = 0

    def add(self) -> None:
        """Count one."""
        next(self._counter)

    def value(self) -> int:
        """Give the count; the caller holds a lock."""
        # Reading takes one from the counter as well, and that is subtracted again.
        self._reads += 1
        return next(self._counter) - self._reads + 1


class AnyQueue(Protocol):
    """What the pipeline needs of a queue, whatever lies in it.

    Attributes:
        trigger: how many waiting items wake the worker; 0 until the worker runs and once closed.
        taken: how many items of each lane were taken so far.
        full: items dropped because their lane was full.
        late: items that came after ``close``.
    """

    trigger: int
    taken: tuple[int, ...]
    full: Tally
    late: Tally

    def mark(self) -> tuple[int, ...]:
        """Give what ``taken`` will be when all that waits now has been taken."""
        ...

    def close(self) -> None:
        """Take nothing more."""
        ...

    def forget(self) -> int:
        """Empty it in place; says how many were dropped."""
        ...

    def reset(self) -> None:
        """Begin anew in a forked child: empty, with counts of zero."""
        ...

    def __len__(self) -> int: ...


@final
class BoundedQueue(Generic[Item]):
    """One lane; a full one drops the newest item.

    Args:
        bound: the most that may wait.
        wake: called on a caller's thread; must not block.

    Attributes:
        trigger, taken, full, late: as every queue's.
    """

    __slots__ = ("_bound", "_closed", "_items", "_wake", "full", "late", "taken", "trigger")

    def __init__(self, bound: int, wake: Callable[[], None]) -> None:
        self._bound = bound
        self._items: deque[Item] = deque()
        self._wake = wake
        self._closed = False
        self.trigger = 0
        self.taken: tuple[int, ...] = (0,)
        self.full = Tally()
        self.late = Tally()

    def offer(self, item: Item) -> None:
        """Take an item, or count it as dropped.

        Args:
            item: may not change any more.
        """
        if self._closed:
            self.late.add()
            return
        if len(self._items) >= self._bound:
            self.full.add()
        else:
            self._items.append(item)
        if len(self._items) >= self.trigger:
            self._wake()

    def take(self, most: int) -> list[Item]:
        """Take the oldest items.

        Args:
            most: how many at most.
        """
        found = popped(self._items, most)
        self.taken = (self.taken[0] + len(found),)
        return found

    def mark(self) -> tuple[int, ...]:
        """Give what ``taken`` will be when all that waits now has been taken."""
        return (self.taken[0] + len(self._items),)

    def close(self) -> None:
        """Take nothing more."""
        self._closed = True
        self.trigger = 0

    def forget(self) -> int:
        """Empty it in place; says how many were dropped."""
        return len(self.take(len(self._items)))

    def reset(self) -> None:
        """Begin anew in a forked child: empty, with counts of zero."""
        self._items.clear()
        self.full, self.late = Tally(), Tally()
        self.trigger, self.taken = 0, (0,)

    def __len__(self) -> int:
        return len(self._items)


def popped(lane: deque[Item], most: int) -> list[Item]:
    """Take the oldest items of a lane.

    Args:
        lane: others append to it meanwhile.
        most: how many at most.
    """
    return [lane.popleft() for _ in range(min(len(lane), most))]
