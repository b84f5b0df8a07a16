"""What the engine's state machine drives: two caches, as two processes have them, and handlers that end when told."""

import asyncio
from typing import Final, cast, final

import attrs
from returns.result import Failure, Success

from cqrs import MessageContext, Query, Rejection
from cqrs.caching import AnyResult, CacheControl, CachePolicy, InvalidationMode, asking
from cqrs.context import cqrs_context, current
from cqrs.middleware import HandlerInfo, Next
from cqrs_swr.memory_store import MemoryStore
from cqrs_swr.rows import Row, unpack
from cqrs_swr.running import Running
from cqrs_swr.settings import Settings
from cqrs_swr.state import State
from cqrs_swr.testing.clocks import SetChance, SteppedClock
from cqrs_swr.testing.model import Ending, Key

MACHINE: Final = b"machine."
NEGATIVE_SECONDS: Final = 2.0
GONE_SECONDS: Final = 1e6  # longer than a run: computations end when they are told, whatever the clock says


@final
@attrs.frozen
class Missing(Rejection):
    """An error that the policy keeps for a while."""


@final
@attrs.frozen
class Gone(Rejection):
    """An error that is an answer."""


@final
@attrs.frozen
class Unreachable:
    """An error that will pass."""

    transient: bool = True


@attrs.frozen
class Find(Query[str, object]):
    """The query that is cached."""

    order: int


@attrs.frozen
class Look(Query[str, object]):
    """The query whose policy says that it is not."""

    order: int


POLICY: Final = CachePolicy(
    ttl=4.0,
    stale=4.0,
    fail_safe=16.0,
    negative={Missing: NEGATIVE_SECONDS},
    jitter=0.5,
    hard_timeout=GONE_SECONDS,
    backoff=(1.0, 4.0),
    lease=False,
    tags=lambda query: (f"order:{getattr(query, 'order', None)}",),
)

RESULTS: Final = {
    "answer": Failure(Gone()),
    "negative": Failure(Missing()),
    "transient": Failure(Unreachable()),
}


@final
@attrs.define(eq=False)
class Execution:
    """One execution of the handler.

    Attributes:
        number: its number.
        process: where it runs.
        key: what for, as the handler sees it.
        ended: takes how it ends.
    """

    number: int
    process: int
    key: Key
    ended: asyncio.Future[Ending]


@final
@attrs.define(eq=False)
class Call:
    """One call of the query bus.

    Attributes:
        task: the caller.
        context: its message context, where the cache leaves its notes.
    """

    task: asyncio.Task[AnyResult]
    context: list[MessageContext]

    @property
    def status(self) -> object:
        """How the cache says that it was answered."""
        return self.context[0].notes.get("cache_status")


@final
class Subject:
    """Two processes with a cache each.

    Args:
        policy: the policy of ``Find``.
        coherence: seconds within which a process asks what the other has made invalid; here, it hears of it at once.

    Attributes:
        clock: the machine's clocks.
        chance: where jitter and back-off come from.
        executions: every execution of the handler so far.
        is_closing: whether handlers end by themselves.
    """

    def __init__(self, policy: CachePolicy = POLICY, coherence: float = 0.0) -> None:
        self.clock: Final = SteppedClock()
        self.chance: Final = SetChance()
        self.store: Final = MemoryStore(most_rows=64, clock=self.clock)
        self.executions: list[Execution] = []
        self.is_closing = False
        self._policy = policy
        self._coherence = coherence
        self._hosts: list[asyncio.Future[None]] = []
        self._closing = asyncio.Event()
        self.running: dict[int, Running] = {}
        self._pipelines: dict[int, dict[type, Next]] = {}

    async def open(self) -> None:
        """Start both processes."""
        for process in (0, 1):
            await self._start(process)

    async def crash(self, process: int) -> None:
        """End a process without a word, and start it again: what it held, and what it computed, is gone."""
        await self._start(process)

    async def close(self) -> None:
        """End both processes."""
        self.is_closing = True
        for execution in self.executions:
            if not execution.ended.done():
                execution.ended.set_result("success")
        self._closing.set()
        await asyncio.gather(*self._hosts)

    def call(
        self, process: int, key: Key, control: CacheControl | None = None, *, cached: bool = True
    ) -> Call:
        """Ask, as a caller of its own.

        Args:
            process: where.
            key: what for.
            control: what is asked of the cache.
            cached: whether the query is the one that is cached.
        """
        contexts: list[MessageContext] = []
        query: Find | Look = Find(key[1]) if cached else Look(key[1])
        pipeline = self._pipelines[process][type(query)]
        return Call(asyncio.ensure_future(self._asked(pipeline, key, query, control, contexts)), contexts)

    async def invalidate(self, process: int, key: Key, scope: str, mode: InvalidationMode) -> None:
        """Make something invalid.

        Args:
            process: where.
            key: what is named, or in what is named.
            scope: ``key``, ``tag``, ``type``, ``tenant`` or ``all``.
            mode: what becomes of old answers.
        """
        cache = self.running[process].cache
        with cqrs_context(tenant=key[0]):
            await cache.invalidate(
                *([Find(key[1])] if scope == "key" else ()),
                tags=(f"order:{key[1]}",) if scope == "tag" else (),
                types=(Find,) if scope == "type" else (),
                tenant=key[0] if scope == "tenant" else None,
                everything=scope == "all",
                mode=mode,
            )
        for number, other in self.running.items():
            if number != process:
                other.state.epochs.ask_soon()

    async def flip(self, key: Key, position: int, bit: int) -> bool:
        """Flip a bit of the row of a key; say whether there is one that is whole: flipped twice, it is again.

        Args:
            key: which.
            position: which byte, from the start and around.
            bit: which bit of it.
        """
        cached = self.running[0].state.queries[Find]
        shared_key = cached.keys.shared(Find(key[1]), (key[0],))
        row = await self.store.get(shared_key)
        fingerprint = b"" if cached.codec is None else cached.codec.fingerprint
        if row is None or not isinstance(unpack(row, shared_key, fingerprint, len(row)), Row):
            return False
        place = position % len(row)
        damaged = row[:place] + bytes([row[place] ^ (1 << bit)]) + row[place + 1 :]
        await self.store.put(shared_key, damaged, 3600.0)
        return True

    async def settle(self) -> None:
        """Let everything run that can."""
        for _ in range(12):
            await asyncio.sleep(0)

    async def _start(self, process: int) -> None:
        state = State(
            Settings(coherence=self._coherence),
            lambda _clock, _counters, _notices: self.store,
            clock=self.clock,
            machine=MACHINE,
            chance=self.chance,
        )
        running = Running(state)
        opened = asyncio.Event()
        self._hosts.append(asyncio.ensure_future(self._host(running, opened)))
        await opened.wait()
        handler = self._handler(process)
        self._pipelines[process] = {
            Find: running.caching(handler, _info(Find, self._policy)),
            Look: running.caching(handler, _info(Look, CachePolicy(ttl=0))),
        }
        self.running[process] = running

    async def _host(self, running: Running, opened: asyncio.Event) -> None:
        """Keep a process open in a task of its own, as an app does."""
        async with running.lifespan():
            opened.set()
            await self._closing.wait()

    def _handler(self, process: int) -> Next:
        async def handle(query: object) -> AnyResult:
            context = current.get()
            tenant = "" if context is None or context.tenant is None else context.tenant
            order = query.order if isinstance(query, Find | Look) else -1
            ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
            execution = Execution(len(self.executions), process, (tenant, order), ended)
            self.executions.append(execution)
            if self.is_closing or isinstance(query, Look):
                ended.set_result("success")
            ending = await ended
            return RESULTS.get(ending, Success(str(execution.number)))

        return cast("Next", handle)

    async def _asked(
        self,
        pipeline: Next,
        key: Key,
        query: Find | Look,
        control: CacheControl | None,
        told: list[MessageContext],
    ) -> AnyResult:
        with cqrs_context(tenant=key[0]):
            edge = current.get()
            context = MessageContext().begin() if edge is None else MessageContext().follow(edge)
            told.append(context)
            token = current.set(context)
            try:
                return await (pipeline(query) if control is None else asking(control, pipeline, query))
            finally:
                current.reset(token)


def _info(query: type, policy: CachePolicy) -> HandlerInfo:
    return HandlerInfo("query", query, query.__name__, "handler", "machine", cache=policy)
