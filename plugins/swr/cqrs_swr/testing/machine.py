"""The state machine of the engine: two processes, few keys, a clock that stands still, starts and ends apart."""

import asyncio
from typing import Final

from hypothesis import strategies as st

from cqrs.caching import BYPASS, REFRESH, CacheControl
from cqrs.testing import AsyncMachine, hold
from cqrs.testing.machines import initialize, invariant, rule
from cqrs_swr.testing.expectations import KEYS, WINDOWS, Expectations, Waiting
from cqrs_swr.testing.model import Ending, Invalidated, Key, Mode, Run

_KEYS: Final = st.sampled_from(KEYS)
_PROCESSES: Final = st.sampled_from((0, 1))
_ENDINGS: Final[st.SearchStrategy[Ending]] = st.sampled_from(
    ("success", "success", "answer", "negative", "transient")
)
_MODES: Final[st.SearchStrategy[Mode]] = st.sampled_from(("expire", "remove"))


class EngineMachine(AsyncMachine):
    """Drives two caches through anything that may happen to them; every step is foretold by a model.

    Let pytest collect ``EngineMachine.TestCase``. ``I1`` to ``I20`` in what it says are the invariants of the design.
    """

    def __init__(self) -> None:
        super().__init__()
        self.expected = Expectations()

    @initialize(coherence=st.sampled_from((0.0, 3600.0)))
    async def open(self, coherence: float) -> None:
        """Start both processes; either each look-up asks what the other has made invalid, or hits need not."""
        self.expected = Expectations(coherence)
        await self.expected.subject.open()
        self.expected.read_clocks()

    @rule(process=_PROCESSES, key=_KEYS)
    async def ask(self, process: int, key: Key) -> None:
        """Ask the query."""
        await self.expected.ask(process, key)

    @rule(
        process=_PROCESSES,
        key=_KEYS,
        endings=st.lists(_ENDINGS, min_size=1, max_size=3),
        elsewhere=st.booleans(),
    )
    async def ask_until_answered(
        self, process: int, key: Key, endings: list[Ending], *, elsewhere: bool
    ) -> None:
        """Ask, end what has begun, look at what there is, perhaps in both processes, and again in the next phase."""
        for ending in endings:
            await self.expected.ask(process, key)
            await self._end(self.expected.model.flights[process].get(key), ending)
            await self.expected.ask(process, key)
            if elsewhere:
                await self.expected.ask(1 - process, key)
            await self._age(process, key)
        await self.expected.ask(process, key)

    @rule(process=_PROCESSES, key=_KEYS, control=st.sampled_from((BYPASS, REFRESH)))
    async def ask_with_a_control(self, process: int, key: Key, control: CacheControl) -> None:
        """Ask past the cache, or for a new answer: what is held, and what is under way, is not enough."""
        await self._ask_with(process, key, control)

    @rule(process=_PROCESSES, key=_KEYS, ending=_ENDINGS, newer_first=st.booleans())
    async def overtake(self, process: int, key: Key, ending: Ending, *, newer_first: bool) -> None:
        """Start a computation, then a newer one, and end them in either order: the older one changes nothing (I15)."""
        older = await self._ask_with(process, key, REFRESH)
        newer = await self._ask_with(process, key, REFRESH)
        for run in (newer, older) if newer_first else (older, newer):
            await self._end(run, ending if run is older else "success")
            await self.expected.ask(process, key)

    @rule(process=_PROCESSES, key=_KEYS, ending=_ENDINGS)
    async def change_ones_mind(self, process: int, key: Key, ending: Ending) -> None:
        """Compute an answer, then another outcome, and ask in the other process, which holds nothing (I6)."""
        await self._end(await self._ask_with(process, key, REFRESH), "success")
        await self._end(await self._ask_with(process, key, REFRESH), ending)
        self._forget(1 - process)
        await self.expected.ask(1 - process, key)

    async def _ask_with(self, process: int, key: Key, control: CacheControl) -> Run:
        expected = self.expected
        expected.model.step += 1
        call = expected.subject.call(process, key, control)
        await expected.subject.settle()
        run = expected.begins(process, key, is_flight=control is REFRESH)
        status = "miss" if control is REFRESH else "bypass"
        expected.waits(Waiting(call, process, key, expected.model.step, run, status))
        return run

    @rule(process=_PROCESSES, key=_KEYS)
    async def ask_what_is_not_cached(self, process: int, key: Key) -> None:
        """Ask a query whose ttl is 0: every call is an execution, and nothing is kept (I4)."""
        subject = self.expected.subject
        before, memory = len(subject.executions), subject.running[process].state.memory
        entries = len(memory)
        call = subject.call(process, key, cached=False)
        await subject.settle()
        hold(call.task.done() and call.status is None, "I4: a query that is not cached waits or is looked up")
        hold(len(subject.executions) == before + 1, "I4: executions are not calls")
        hold(len(memory) == entries, "I4: something was kept")

    @rule(data=st.data(), ending=_ENDINGS, again=st.booleans())
    async def end(self, data: st.DataObject, ending: Ending, *, again: bool) -> None:
        """End an execution, and perhaps ask at once."""
        expected = self.expected
        under_way = [run for run in expected.runs.values() if not run.ended]
        if under_way:
            run = data.draw(st.sampled_from(under_way))
            await self._end(run, ending)
            if again:
                await expected.ask(run.process, run.key)

    @rule(seconds=st.sampled_from((0.25, 1.0, 2.0, 4.0)))
    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.expected.subject.clock.advance(seconds)
        self.expected.read_clocks()

    @rule(process=_PROCESSES, key=_KEYS)
    async def ask_at_the_next_boundary(self, process: int, key: Key) -> None:
        """Let time pass until what is held enters its next phase, to the instant, and ask."""
        await self._age(process, key)
        await self.expected.ask(process, key)

    @rule(draw=st.sampled_from((0.0, 0.5, 0.75)))
    async def change_chance(self, draw: float) -> None:
        """Let jitter and back-off be others."""
        self.expected.subject.chance.draw = draw

    @rule(
        process=_PROCESSES,
        key=_KEYS,
        scope=st.sampled_from(("key", "tag", "type", "tenant", "all")),
        mode=_MODES,
        again=st.booleans(),
    )
    async def invalidate(self, process: int, key: Key, scope: str, mode: Mode, *, again: bool) -> None:
        """Make something invalid, and perhaps ask at once."""
        self.expected.model.step += 1
        covered = {
            "key": (key,),
            "tag": tuple(other for other in KEYS if other[1] == key[1]),
            "tenant": tuple(other for other in KEYS if other[0] == key[0]),
        }
        await self.expected.subject.invalidate(process, key, scope, mode)
        keys = frozenset(covered.get(scope, KEYS))
        self.expected.model.invalidated.append(Invalidated(self.expected.model.step, keys, mode))
        if again:
            await self.expected.ask(process, key)

    @rule(data=st.data())
    async def cancel_a_caller(self, data: st.DataObject) -> None:
        """Cancel one who waits: nobody else notices (I10)."""
        waiting = self.expected.waiting
        cancellable = [each for each in waiting if each.run.is_flight]
        if cancellable:
            cancelled = data.draw(st.sampled_from(cancellable))
            waiting.remove(cancelled)
            cancelled.call.task.cancel()
            await self.expected.subject.settle()
            hold(cancelled.call.task.cancelled(), "I10: a caller who was cancelled was answered")
            hold(not any(w.call.task.done() for w in waiting), "I10: others were cancelled with it")

    @rule(
        process=_PROCESSES,
        key=_KEYS,
        what=st.sampled_from(("forget", "crash", "damage", "clock")),
        amount=st.integers(0, 3199),
    )
    async def disturb(self, process: int, key: Key, what: str, amount: int) -> None:
        """Do what happens to programs: it costs latency, never a wrong answer (I16, I17, I19)."""
        expected = self.expected
        if what == "forget":
            self._forget(process)
        elif what == "crash":
            expected.crashed(process)
            await expected.subject.settle()
            await expected.subject.crash(process)
        elif what == "damage":
            if await expected.subject.flip(key, amount // 8, amount % 8):
                expected.model.shared.pop(key, None)
        else:
            expected.subject.clock.step((-3600.0, -2.0, 2.0, 3600.0)[amount % 4])
            expected.read_clocks()

    def _forget(self, process: int) -> None:
        self.expected.subject.running[process].state.memory.clear()
        self.expected.model.held[process].clear()

    @invariant()
    def everything_is_counted(self) -> None:
        """Look-ups and executions add up (I12)."""
        self.expected.everything_is_counted()

    async def finish(self) -> None:
        """Close both: whoever still waits is answered, and nothing is left (I9, I10)."""
        waiting = list(self.expected.waiting)
        await self.expected.subject.close()
        await self.expected.subject.settle()
        hold(all(each.call.task.done() for each in waiting), "I10: a caller was never answered")
        hold(len(asyncio.all_tasks()) == 1, f"I9: tasks are left: {asyncio.all_tasks()}")

    async def _end(self, run: Run | None, ending: Ending) -> None:
        if run is not None and not run.ended:
            expected = self.expected
            expected.model.step += 1
            expected.subject.executions[run.number].ended.set_result(ending)
            await expected.subject.settle()
            expected.ended(run, ending)

    async def _age(self, process: int, key: Key) -> None:
        model = self.expected.model
        held = model.held[process].get(key)
        if held is None:
            return
        ended = held.at + held.fresh
        boundaries = (ended, ended + WINDOWS.stale, ended + WINDOWS.fail_safe, held.next_refresh)
        later = min((at for at in boundaries if at > model.now), default=model.now)
        self.expected.subject.clock.advance(later - model.now)
        self.expected.read_clocks()
