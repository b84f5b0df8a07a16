"""The threads of a pipeline: started together, and one that died is replaced."""

import threading
from collections.abc import Callable, Mapping
from typing import final

from cqrs_openobserve.lifecycle import Supervised


@final
class Crew:
    """A thread for each step; used from any thread.

    Args:
        steps: what each thread repeats until it says False, by name.
        failed: told of a step that raised.

    Attributes:
        restarts: threads that died and were replaced.
    """

    def __init__(
        self, steps: Mapping[str, Callable[[], bool]], failed: Callable[[BaseException], None]
    ) -> None:
        self._steps = steps
        self._failed = failed
        self._threads: dict[str, Supervised] = {}
        self._one_at_a_time = threading.RLock()  # a signal's handler may come here in the middle of a start
        self.restarts = 0

    @property
    def complete(self) -> bool:
        """Whether every thread lives."""
        return self.started and all(thread.alive for thread in list(self._threads.values()))

    @property
    def started(self) -> bool:
        """Whether every thread was started once."""
        return len(self._threads) == len(self._steps)

    def start(self) -> bool:
        """Start the threads that are missing; False if one cannot be started now."""
        with self._one_at_a_time:
            started = [self._started(name, step) for name, step in self._steps.items()]
        return all(started)

    def join(self, name: str, seconds: float) -> None:
        """Wait for the end of a thread, if there is one.

        Args:
            name: whose.
            seconds: how long at most.
        """
        thread = self._threads.get(name)
        if thread is not None:
            thread.join(seconds)

    def _started(self, name: str, step: Callable[[], bool]) -> bool:
        old = self._threads.get(name)
        if old is not None and old.alive:
            return True
        thread = Supervised(f"cqrs-openobserve-{name}", step, self._failed)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending: the next wake tries again
            return False
        self._threads[name] = thread
        self.restarts += old is not None
        return True
