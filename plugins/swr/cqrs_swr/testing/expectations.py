"""What the state machine expects of two caches, told by the model, and the invariants that every answer is held against."""

from typing import Final, final

import attrs
from returns.result import Success

from cqrs.testing import hold
from cqrs_swr.freshness import Windows
from cqrs_swr.launch import MOST_BACKGROUND
from cqrs_swr.testing.clocks import WALL_START
from cqrs_swr.testing.model import Ending, Held, Key, Mode, Model, Run
from cqrs_swr.testing.subject import GONE_SECONDS, NEGATIVE_SECONDS, POLICY, RESULTS, Call, Subject

KEYS: Final[tuple[Key, ...]] = (("a", 0), ("a", 1), ("b", 0))
JITTER: Final = 0.5
WINDOWS: Final = Windows(4.0, 4.0, 16.0, 0.0, 0.0, 1.0, 4.0)


@attrs.define(eq=False)
class Waiting:
    """A call that has not been answered yet.

    Attributes:
        call: the call.
        process: where.
        key: what for.
        step: the number of the step in which it was made.
        run: what it waits for.
        status: what it will be told if that succeeds.
        fallback: whether an old answer may be served if it does not.
    """

    call: Call
    process: int
    key: Key
    step: int
    run: Run
    status: str
    fallback: bool = False


@final
class Expectations:
    """Two caches and the model of them, side by side.

    Args:
        coherence: seconds within which a process asks what the other has made invalid.

    Attributes:
        subject: the caches.
        model: what they have to do.
        runs: every execution so far, by number.
        waiting: the calls that are not answered yet.
    """

    def __init__(self, coherence: float = 0.0) -> None:
        self.subject: Final = Subject(POLICY, coherence)
        self.model: Final = Model(WINDOWS, NEGATIVE_SECONDS, GONE_SECONDS)
        self.runs: Final[dict[int, Run]] = {}
        self.waiting: Final[list[Waiting]] = []
        self._answers = [0, 0]
        self._executed = [0, 0]
        self._served: dict[tuple[int, Key], list[tuple[int, Run]]] = {}

    def read_clocks(self) -> None:
        """Take the time."""
        self.model.now = self.subject.clock.monotonic / 1e9
        # From its start: that many nanoseconds since 1970 are no exact float.
        self.model.wall = (self.subject.clock.wall - WALL_START) / 1e9

    async def ask(self, process: int, key: Key) -> None:
        """Ask the query, and see that what was foretold happens.

        Args:
            process: where.
            key: what for.
        """
        self.model.step += 1
        plan = self.model.look(process, key)
        if plan.serves is not None and plan.starts and self.model.behind(process) >= MOST_BACKGROUND:
            plan = attrs.evolve(plan, starts=False)  # there is no room for one more
        before = len(self.subject.executions)
        call = self.subject.call(process, key)
        await self.subject.settle()
        began = len(self.subject.executions) - before
        hold(began == plan.starts, f"I3, I7, I8: {began} executions began where {int(plan.starts)} had to")
        is_behind = plan.serves is not None
        run = (
            self.begins(process, key, is_behind=is_behind)
            if plan.starts
            else self.model.joinable(process, key)
        )
        status = "miss" if plan.starts else "collapsed"
        if plan.serves is None and run is not None:
            self.waits(Waiting(call, process, key, self.model.step, run, status, plan.fallback))
        elif plan.serves is not None:
            waiting = Waiting(call, process, key, self.model.step, plan.serves.run, plan.status)
            self._is_served(waiting, plan.serves, plan.status)

    def begins(self, process: int, key: Key, *, is_flight: bool = True, is_behind: bool = False) -> Run:
        """See that an execution has begun, and note it.

        Args:
            process: where.
            key: what for.
            is_flight: whether others may wait for it.
            is_behind: whether nobody does yet.
        """
        execution = self.subject.executions[-1]
        hold((execution.process, execution.key) == (process, key), "I5: the handler runs for somebody else")
        model = self.model
        run = Run(execution.number, process, key, model.step, model.now, is_flight, is_behind)
        self.runs[run.number] = run
        self._executed[process] += 1
        model.runs.append(run)
        if is_flight:
            model.flights[process][key] = run
        return run

    def waits(self, waiting: Waiting) -> None:
        """See that a call is not answered yet, and note it.

        Args:
            waiting: the call.
        """
        hold(not waiting.call.task.done(), "a caller was answered where nothing can be served")
        self.waiting.append(waiting)

    def ended(self, run: Run, ending: Ending) -> None:
        """See that everybody who waited for a run is answered.

        Args:
            run: the run.
            ending: what it came to.
        """
        is_current = self.model.end(run, ending, self.subject.chance.draw, JITTER)
        for waiting in [each for each in self.waiting if each.run is run]:
            self.waiting.remove(waiting)
            held = self.model.held[run.process].get(run.key)
            phase = self.model.phase(held)
            is_kept = held is not None and held.ending == "success" and phase != "absent"
            if ending == "transient" and waiting.fallback and held is not None and is_kept:
                self._is_served(waiting, held, "fresh" if phase == "fresh" else "stale_error")
            else:
                self._is_told(waiting, ending)
                if ending == "success" and is_current:
                    self._goes_on(waiting, run)

    def crashed(self, process: int) -> None:
        """Forget what a process held and computed.

        Args:
            process: which.
        """
        for waiting in [each for each in self.waiting if each.process == process]:
            self.waiting.remove(waiting)
            waiting.call.task.cancel()
        for run in [each for each in self.runs.values() if each.process == process]:
            run.ended = True
        self.model.held[process].clear()
        self.model.flights[process].clear()
        self._answers[process] = self._executed[process] = 0
        self._served = {at: told for at, told in self._served.items() if at[0] != process}

    def everything_is_counted(self) -> None:
        """See that statuses are answers, and executions flights and bypasses (I12)."""
        for process, running in self.subject.running.items():
            counters = running.state.counters
            bypassing = sum(1 for w in self.waiting if w.process == process and not w.run.is_flight)
            hold(
                sum(counters.lookups.values()) == self._answers[process] + bypassing,
                "I12: statuses are not look-ups",
            )
            hold(
                counters.executions == self._executed[process], "I12: executions are not flights and bypasses"
            )

    def _is_told(self, waiting: Waiting, ending: Ending) -> None:
        expected = RESULTS.get(ending, Success(str(waiting.run.number)))
        hold(waiting.call.task.done(), "I10: a waiter was lost")
        hold(waiting.call.task.result() == expected, "I10: a waiter got another outcome")
        hold(waiting.call.status == waiting.status, f"it is told {waiting.call.status}, not {waiting.status}")
        self._answers[waiting.process] += 1

    def _is_served(self, waiting: Waiting, held: Held, status: str) -> None:
        hold(waiting.call.task.done(), f"I7: a caller waits although {status} can be served")
        result = waiting.call.task.result()
        expected = RESULTS.get(held.ending, Success(str(held.run.number)))
        hold(result == expected, f"I1, I6: {result} was served, and {expected} is held")
        hold(waiting.call.status == status, f"it is told {waiting.call.status}, not {status}")
        self._answers[waiting.process] += 1
        model, run, windows = self.model, held.run, self.model.windows
        limits = {"fresh": windows.ttl, "negative": model.negative, "stale": windows.ttl + windows.stale}
        limit = limits.get(status, windows.ttl + windows.fail_safe)
        hold(model.now - held.at < limit, "I1, I14: an answer is served beyond its window")
        modes: tuple[Mode, ...] = ("remove",) if status == "stale_error" else ("expire", "remove")
        steps = [i.step for i in model.invalidated if run.key in i.keys and i.mode in modes]
        hold(not any(run.began < at < waiting.step for at in steps), "I2: what was made invalid is served")
        hold(run.key == waiting.key, "I5: somebody else's answer is served")
        self._goes_on(waiting, run)

    def _goes_on(self, waiting: Waiting, run: Run) -> None:
        told = self._served.setdefault((waiting.process, waiting.key), [])
        older = [at for at, other in told if at < waiting.step and _is_before(run, other)]
        hold(not older, "I13: an older answer came back")
        told.append((self.model.step, run))


def _is_before(run: Run, other: Run) -> bool:
    """Tell whether a run began before another; of two that began at one instant in two processes, neither did."""
    if run.process == other.process:
        return run.began < other.began
    return run.began_at < other.began_at
