"""A small world in one thread: its time, chance, tasks and faults come from a seed, so that a run can be repeated."""

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from fnmatch import fnmatchcase
from itertools import count
from random import Random
from typing import Any, Final, TypeVar, cast, final

import anyio
from anyio.abc import TaskGroup
from returns.result import Failure

from cqrs.testing.doubles import FakeClock
from cqrs.testing.injection import NthFault, fail_nth
from cqrs.testing.interruption import suspended
from cqrs.testing.virtual_time import VirtualLoop

Answer = TypeVar("Answer")
Target = TypeVar("Target")

_MOST_FAULTS: Final = 10_000
# Between two steps of a task, others get to run up to this many times.
_MOST_TURNS: Final = 3


def fail_each(
    scenario: Callable[["World"], Coroutine[Any, Any, object]],
    op: str,
    *,
    error: Exception | Failure[object] | None = None,
    persistent: bool = False,
    seed: int = 0,
) -> int:
    """Run a scenario with its first call of a seam failing, then its second, until a run has no such call left.

    Args:
        scenario: an async function of a world; whatever it asserts has to hold under every fault.
        op: the seam and its method, ``store.put``; ``store.*`` for any of its methods.
        error: as for ``fail_nth``.
        persistent: whether every later call fails too.
        seed: of every world.

    Returns:
        How many faults there were.

    Raises:
        RuntimeError: if it does not come to an end.
    """
    for n in range(1, _MOST_FAULTS):
        world = World(seed, faults=[fail_nth(op, n, error, persistent=persistent)])
        try:
            world.run(scenario)
        except BaseException as failed:
            failed.add_note(f"With call {n} of {op} failing, in World({seed}).")
            raise
        if not world.struck:
            return n - 1
    raise RuntimeError(f"After {_MOST_FAULTS} faults there are still calls of {op}.")


@final
class World:
    """Owns time, chance, tasks and faults of a scenario: the same seed gives the same trace.

    Time is virtual: while nothing can run, it jumps to the next moment at which something wakes, of ``clock`` as of
    ``anyio.sleep`` and every timeout. What waits for threads, processes or sockets is not simulated.

    Args:
        seed: of everything random.
        faults: which calls of seams fail.

    Attributes:
        clock: for ``for_root(clock=…)``.
        random: where chance comes from.
        trace: what happened, each with its time in ns.
        struck: the faults that were met, each by the operation.
    """

    def __init__(self, seed: int = 0, *, faults: Iterable[NthFault] = ()) -> None:
        self.seed = seed
        self.clock: FakeClock = FakeClock()
        self.random: Random = Random(seed)  # noqa: S311 - no secret
        self.trace: list[tuple[int, str]] = []
        self.struck: list[str] = []
        self._faults = tuple(faults)
        self._calls: Counter[str] = Counter()
        self._group: TaskGroup | None = None

    def run(self, scenario: Callable[["World"], Coroutine[Any, Any, Answer]]) -> Answer:
        """Run a scenario to its end, its spawned tasks included, in an event loop of this world's.

        Args:
            scenario: an async function of this world.
        """
        return anyio.run(
            self._main, scenario, backend="asyncio", backend_options={"loop_factory": self.new_event_loop}
        )

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Make an asyncio event loop whose time is this world's."""
        return VirtualLoop(self.clock)

    def note(self, what: str) -> None:
        """Write into the trace.

        Args:
            what: what happened.
        """
        self.trace.append((self.clock.monotonic_ns(), what))

    def spawn(self, name: str, function: Callable[..., Coroutine[Any, Any, object]], *args: object) -> None:
        """Run a function at the same time; after each of its steps others get their turn, as the seed will have it.

        Args:
            name: stands in the trace at each of its steps.
            function: an async function.
            args: what it is called with.

        Raises:
            RuntimeError: outside of ``run``.
        """
        if self._group is None:
            raise RuntimeError("Tasks are spawned while a scenario runs: in World.run.")
        self._group.start_soon(self._scheduled, name, function, args)

    def seam(self, name: str, target: Target) -> Target:
        """Give an object whose methods are in the trace and fail as the faults of this world say.

        Args:
            name: the first part of the operations: ``name.method``.
            target: what the calls go to.
        """
        return cast("Target", _Seam(self, name, target))

    def strike(self, op: str) -> Failure[object] | None:
        """Write a call of an operation into the trace, and fail if it is to.

        Args:
            op: the operation; for what is no method of a seam.

        Returns:
            The ``Failure`` to answer, if it is to be answered; None to go on.
        """
        self.note(op)
        for fault in self._faults:
            if fnmatchcase(op, fault.op):
                self._calls[fault.op] += 1
                if fault.strikes(self._calls[fault.op]):
                    self.struck.append(op)
                    if isinstance(fault.error, Exception):
                        raise fault.error
                    return fault.error
        return None

    async def _main(self, scenario: Callable[["World"], Coroutine[Any, Any, Answer]]) -> Answer:
        answers: list[Answer] = []
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                answers.append(await scenario(self))
        except BaseExceptionGroup as group_error:
            if len(group_error.exceptions) == 1:
                raise group_error.exceptions[0] from None
            raise
        finally:
            self._group = None
        return answers[0]

    async def _scheduled(
        self, name: str, function: Callable[..., Coroutine[Any, Any, object]], args: tuple[object, ...]
    ) -> None:
        await _Scheduled(self, name, function(*args))


@final
class _Scheduled(Awaitable[object]):
    def __init__(self, world: World, name: str, coroutine: Coroutine[Any, Any, object]) -> None:
        self._world = world
        self._name = name
        self._coroutine = coroutine

    def __await__(self) -> Generator[object, object, object]:
        coroutine: Coroutine[object, object, object] = self._coroutine
        sent: object = None
        thrown: BaseException | None = None
        for step in count():
            for _ in range(self._world.random.randrange(_MOST_TURNS)):
                if thrown is None:
                    _, thrown = yield from suspended(None)
            self._world.note(f"{self._name} {step}")
            try:
                waiting_for = coroutine.send(sent) if thrown is None else coroutine.throw(thrown)
            except StopIteration as end:
                return cast("object", end.value)
            sent, thrown = yield from suspended(waiting_for)
        return None


@final
class _Seam:
    def __init__(self, world: World, name: str, target: object) -> None:
        self._world = world
        self._name = name
        self._target = target

    def __getattr__(self, name: str) -> object:
        found: object = getattr(self._target, name)
        if not callable(found):
            return found
        op = f"{self._name}.{name}"
        return self._awaited(op, found) if inspect.iscoroutinefunction(found) else self._called(op, found)

    def _called(self, op: str, call: Callable[..., object]) -> Callable[..., object]:
        def struck(*args: object, **options: object) -> object:
            failure = self._world.strike(op)
            return call(*args, **options) if failure is None else failure

        return struck

    def _awaited(self, op: str, call: Callable[..., object]) -> Callable[..., Awaitable[object]]:
        async def struck(*args: object, **options: object) -> object:
            failure = self._world.strike(op)
            return await cast("Awaitable[object]", call(*args, **options)) if failure is None else failure

        return struck
