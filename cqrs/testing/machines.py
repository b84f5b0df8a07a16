"""State machines whose rules may be async: hypothesis draws the steps, one task of one event loop takes them."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import wraps
from typing import ClassVar, Protocol, cast, final

import anyio
import attrs
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import stateful
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.strategies import SearchStrategy

from cqrs.testing.laws import Backend
from cqrs.testing.world import World

Step = Callable[..., object]
Call = Callable[[], object]


class AsyncMachine(RuleBasedStateMachine):
    """A hypothesis state machine whose rules and invariants may be ``async def``: use the decorators of this module.

    All steps run in one task, so that an app or task group that one rule enters may be left by another::

        class Orders(AsyncMachine):
            @initialize()
            async def open(self) -> None:
                self.app = await compose().__aenter__()

            @rule(number=st.integers())
            async def place(self, number: int) -> None: ...

            async def finish(self) -> None:
                await self.app.__aexit__(None, None, None)

        TestOrders = Orders.TestCase

    Attributes:
        backend: the event loop, ``asyncio`` or ``trio``.
        virtual: whether time is that of ``world`` (asyncio only), which jumps while nothing can run.
        world: of this run; its chance is the same in each.
    """

    backend: ClassVar[Backend] = "asyncio"
    virtual: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.world: World = World()
        if self.virtual and self.backend != "asyncio":
            raise ValueError("Time is virtual on asyncio only.")
        factory = self.world.new_event_loop if self.virtual else None
        self._host: _Host = _AsyncioHost(factory) if self.backend == "asyncio" else _PortalHost(self.backend)

    async def finish(self) -> None:
        """Close what the rules have opened; called once at the end of each run, also after a failure."""

    def teardown(self) -> None:
        """Run ``finish``, then close the event loop."""
        try:
            self.step(self.finish)
        finally:
            self._host.close()

    def step(self, call: Call) -> object:
        """Call a function inside the event loop, and wait for what it gives if that can be awaited.

        Args:
            call: the function.
        """
        return self._host.run(call)


def _stepping(function: Step) -> Step:
    @wraps(function)
    def step(self: AsyncMachine, *args: object, **drawn: object) -> object:
        return self.step(lambda: function(self, *args, **drawn))

    return step


def rule(
    *, target: SearchStrategy[object] | None = None, **draws: SearchStrategy[object]
) -> Callable[[Step], Step]:
    """Make a step of an ``AsyncMachine``, as ``hypothesis.stateful.rule`` does; the function may be async.

    Args:
        target: the bundle that what it returns goes into.
        draws: the strategy of each argument.
    """
    options = draws if target is None else {**draws, "target": target}
    decorate = cast("Callable[[Step], Step]", cast("Callable[..., object]", stateful.rule)(**options))
    return lambda function: decorate(_stepping(function))


def initialize(**draws: SearchStrategy[object]) -> Callable[[Step], Step]:
    """Make a first step of an ``AsyncMachine``; the function may be async.

    Args:
        draws: the strategy of each argument.
    """
    decorate = cast("Callable[[Step], Step]", cast("Callable[..., object]", stateful.initialize)(**draws))
    return lambda function: decorate(_stepping(function))


def invariant() -> Callable[[Step], Step]:
    """Make a check of an ``AsyncMachine`` that runs after each step; the function may be async."""
    decorate = cast("Callable[[Step], Step]", stateful.invariant())
    return lambda function: decorate(_stepping(function))


@final
@attrs.define(eq=False)
class _Asked:
    call: Call
    done: anyio.Event = attrs.field(factory=anyio.Event)
    answer: object = None
    error: BaseException | None = None


class _Host(Protocol):
    def run(self, call: Call) -> object: ...
    def close(self) -> None: ...


async def _called(call: Call) -> object:
    answer = call()
    return await cast("Awaitable[object]", answer) if inspect.isawaitable(answer) else answer


@final
class _AsyncioHost:
    """One task that takes the calls; the loop stands still between them."""

    def __init__(self, factory: Callable[[], asyncio.AbstractEventLoop] | None) -> None:
        self._runner = asyncio.Runner(loop_factory=factory)
        self._loop = self._runner.get_loop()
        self._calls: asyncio.Queue[tuple[Call, asyncio.Future[object]] | None] = asyncio.Queue()
        self._task = self._loop.create_task(self._serve())

    def run(self, call: Call) -> object:
        answer: asyncio.Future[object] = self._loop.create_future()
        self._calls.put_nowait((call, answer))
        return self._loop.run_until_complete(answer)

    def close(self) -> None:
        self._calls.put_nowait(None)
        try:
            self._loop.run_until_complete(self._task)
        finally:
            self._runner.close()

    async def _serve(self) -> None:
        while (asked := await self._calls.get()) is not None:
            call, answer = asked
            try:
                answer.set_result(await _called(call))
            except BaseException as error:  # noqa: BLE001 - raised where the step was asked for
                answer.set_exception(error)


@final
class _PortalHost:
    """One task in the event loop of a thread."""

    def __init__(self, backend: Backend) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal = self._stack.enter_context(start_blocking_portal(backend))
        self._send, self._receive = anyio.create_memory_object_stream[_Asked]()
        self._task = self._portal.start_task_soon(self._serve)

    def run(self, call: Call) -> object:
        return self._portal.call(self._ask, call)

    def close(self) -> None:
        try:
            self._portal.call(self._send.aclose)
            self._task.result()
        finally:
            self._stack.close()

    async def _ask(self, call: Call) -> object:
        asked = _Asked(call)
        await self._send.send(asked)
        await asked.done.wait()
        if asked.error is not None:
            raise asked.error
        return asked.answer

    async def _serve(self) -> None:
        async with self._receive:
            async for asked in self._receive:
                try:
                    asked.answer = await _called(asked.call)
                except BaseException as error:  # noqa: BLE001 - raised where the step was asked for
                    asked.error = error
                asked.done.set()
