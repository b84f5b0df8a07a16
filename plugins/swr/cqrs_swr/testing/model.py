"""What a cache has to do, as simply as it can be said: the oracle of the engine's state machine.

It knows of every computation when it began and ended, of every invalidation what it covered, and nothing of how the
engine works.
"""

import math
from collections.abc import Iterable
from typing import Final, Literal, final

import attrs

from cqrs_swr.freshness import Windows

Ending = Literal["success", "answer", "negative", "transient"]
Phase = Literal["absent", "fresh", "stale", "error_only"]
Mode = Literal["expire", "remove"]
Key = tuple[str, int]  # tenant and order


@final
@attrs.define(eq=False)
class Run:
    """One execution of the handler.

    Attributes:
        number: its number; its value says it too.
        process: where it runs.
        key: what for.
        began: the number of the step in which it began.
        began_at: the time then.
        is_flight: whether the cache owns it; otherwise it is a caller's own.
        is_behind: whether it was started while its caller was answered with something older.
        ended: whether it has.
    """

    number: int
    process: int
    key: Key
    began: int
    began_at: float
    is_flight: bool
    is_behind: bool = False
    ended: bool = False


@final
@attrs.define(eq=False)
class Held:
    """What is held of a key.

    Attributes:
        run: what it was computed by.
        ending: what that came to; an answer is held as the knowledge that nothing older may be served.
        started: when the run began, as far as the clocks tell.
        at: when it ended.
        wall: the same on the wall clock.
        fresh: seconds of freshness.
        failures: refreshes that failed since.
        next_refresh: none before.
    """

    run: Run
    ending: Ending
    started: float
    at: float
    wall: float
    fresh: float
    failures: int = 0
    next_refresh: float = -math.inf


@final
@attrs.frozen
class Invalidated:
    """An invalidation.

    Attributes:
        step: the number of the step in which it returned.
        keys: what it covered.
        mode: whether old answers may still be served on errors.
    """

    step: int
    keys: frozenset[Key]
    mode: Mode


@final
@attrs.frozen
class Plan:
    """What a look-up has to do.

    Attributes:
        serves: what it is answered with at once; None if it waits.
        status: what it is told then.
        starts: whether an execution begins.
        fallback: whether an old answer may be served if what it waits for fails.
    """

    serves: Held | None
    status: str
    starts: bool
    fallback: bool


@final
class Model:
    """Two processes and what they share.

    Args:
        windows: the policy's numbers.
        negative: seconds that a listed failure is kept.
        gone: seconds that other processes know of an answer that is none any more.
    """

    def __init__(self, windows: Windows, negative: float, gone: float = 30.0) -> None:
        self.windows: Final = windows
        self.negative: Final = negative
        self.gone: Final = gone
        self.step = 0
        self.now = 0.0
        self.wall = 0.0
        self.held: list[dict[Key, Held]] = [{}, {}]
        self.shared: dict[Key, Held] = {}
        self.flights: list[dict[Key, Run]] = [{}, {}]
        self.invalidated: list[Invalidated] = []
        self.runs: list[Run] = []

    def behind(self, process: int) -> int:
        """Count the executions under way that nobody waited for when they began."""
        return sum(run.is_behind and not run.ended for run in self.runs if run.process == process)

    def covered(self, run: Run, modes: Iterable[Mode] = ("expire", "remove")) -> bool:
        """Tell whether something covered a run since it began."""
        return any(i.step > run.began and run.key in i.keys and i.mode in modes for i in self.invalidated)

    def phase(self, held: Held | None) -> Phase:
        """Tell the phase of what is held."""
        if held is None or held.ending == "answer" or self.covered(held.run, ("remove",)):
            return "absent"
        windows, valid, ended = self.windows, not self.covered(held.run), held.at + held.fresh
        if valid and self.now < ended:
            return "fresh"
        if held.ending == "negative":
            return "absent"
        if valid and self.now < ended + windows.stale:
            return "stale"
        return "error_only" if self.now < ended + windows.fail_safe else "absent"

    def joinable(self, process: int, key: Key) -> Run | None:
        """Give the run that whoever asks now may wait for."""
        run = self.flights[process].get(key)
        return None if run is None or self.covered(run) else run

    def look(self, process: int, key: Key) -> Plan:
        """Say what a look-up has to do."""
        plan = self._plan(process, key)
        joinable = self.joinable(process, key)
        if (plan.serves is None or plan.starts) and joinable is None:
            self.adopt(process, key)
            plan = self._plan(process, key)
        return attrs.evolve(plan, starts=plan.starts and joinable is None)

    def _plan(self, process: int, key: Key) -> Plan:
        held = self.held[process].get(key)
        phase = self.phase(held)
        if held is None or phase == "absent":
            return Plan(None, "", starts=True, fallback=False)
        due = self.now >= held.next_refresh
        if phase == "fresh":
            return Plan(
                held, "negative" if held.ending == "negative" else "fresh", starts=False, fallback=False
            )
        if phase == "stale":
            return Plan(held, "stale", starts=due, fallback=False)
        if not due:
            return Plan(held, "stale_error", starts=False, fallback=False)
        return Plan(None, "", starts=True, fallback=True)

    def adopt(self, process: int, key: Key) -> None:
        """Take over what the other process has computed since."""
        row, mine = self.shared.get(key), self.held[process].get(key)
        if row is None:
            return
        age = max(self.now - row.at, self.wall - row.wall)
        started = self.now - age - (row.at - row.started)
        if mine is not None and started <= mine.started:
            return
        if age >= self._life(row):
            return
        if not self.covered(row.run, ("remove",)):
            self.held[process][key] = attrs.evolve(
                row, started=started, at=self.now - age, failures=0, next_refresh=-math.inf
            )

    def end(self, run: Run, ending: Ending, draw: float, jitter: float) -> bool:
        """End a run: what it came to is held if nothing covered it, and if it still is the one to wait for.

        Returns:
            Whether that is so.
        """
        process, key = run.process, run.key
        run.ended = True
        is_current = self.flights[process].get(key) is run
        if is_current:
            del self.flights[process][key]
        if not run.is_flight or not is_current or self.covered(run):
            return False
        if ending == "transient":
            self._failed(process, key, draw)
            return True
        fresh = {"success": self.windows.ttl * (1 - jitter * draw), "negative": self.negative}.get(
            ending, 0.0
        )
        held = Held(run, ending, run.began_at, self.now, self.wall, fresh)
        self.held[process][key] = held
        if not self._is_older(held, self.shared.get(key)):
            # What is no success is shared as the knowledge that nothing older may be served.
            self.shared[key] = held if ending == "success" else attrs.evolve(held, ending="answer", fresh=0.0)
        return True

    def _is_older(self, held: Held, other: Held | None) -> bool:
        if other is None or self.covered(other.run):
            return False
        age = max(self.now - other.at, self.wall - other.wall)
        return age < self._life(other) and self.now - age - (other.at - other.started) > held.started

    def _life(self, row: Held) -> float:
        windows = self.windows
        return row.fresh + max(windows.stale, windows.fail_safe) if row.ending == "success" else self.gone

    def _failed(self, process: int, key: Key, draw: float) -> None:
        held = self.held[process].get(key)
        if held is not None:
            windows = self.windows
            wait = min(windows.shortest * 2.0**held.failures, windows.longest) * (0.5 + draw / 2)
            self.held[process][key] = attrs.evolve(
                held, failures=held.failures + 1, next_refresh=self.now + wait
            )
