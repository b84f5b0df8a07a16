"""A cache in one run of an app: what hangs in the pipelines, and what is open while the app is."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol, TypeVar, cast, final, runtime_checkable

import anyio
from returns.result import Result, Success

from cqrs import Fault, Message
from cqrs.instrumentation import RefreshedDetails
from cqrs.middleware import HandlerInfo, Next
from cqrs_swr.cached_query import cached_query, windows_of
from cqrs_swr.encoding import Unkeyable
from cqrs_swr.engine import Engine
from cqrs_swr.forking import Forking, watch_forks
from cqrs_swr.hits import answering
from cqrs_swr.launch import Launcher
from cqrs_swr.notices import logger
from cqrs_swr.query_cache import SwrCache
from cqrs_swr.state import State

Value = TypeVar("Value")
Error = TypeVar("Error")

_UNKEYABLE: Final = (
    "Answers of %s are not cached: %s. Leave the field out of equality, or use values of known kinds."
)
_TAGS_FAILED: Final = "What %s makes invalid could not be told, so everything is invalid."


@runtime_checkable
class _Opening(Protocol):
    """A store that is opened with the app and closed with it."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...


@runtime_checkable
class _Forking(Forking, Protocol):
    """A store that has threads or files."""


def _nobody(details: RefreshedDetails) -> None:
    del details


@final
class Running:
    """The parts of one cache, put together.

    Args:
        state: what the cache consists of.
        tell: hears of computations that the cache has started on its own account.

    Attributes:
        state: see above.
        cache: what is injected as ``QueryCache``.
        problems: queries that cannot be cached, and why.
    """

    def __init__(self, state: State, tell: Callable[[RefreshedDetails], None] = _nobody) -> None:
        self.state: Final = state
        self.problems: Final[dict[str, str]] = {}
        self._launcher = Launcher(state, tell)
        self._engine = Engine(state, self._launcher)
        self.cache: Final = SwrCache(state, self._engine, self._launcher)
        watch_forks(self)

    def before_fork(self) -> None:
        """Let the thread that writes come to rest."""
        if isinstance(self.state.store, _Forking):
            self.state.store.before_fork()

    def after_fork_in_parent(self) -> None:
        """Let it go on."""
        if isinstance(self.state.store, _Forking):
            self.state.store.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Be closed, and hold nothing: computations, threads and databases are the parent's."""
        self._launcher.abandon()
        self.state.abandon()
        if isinstance(self.state.store, _Forking):
            self.state.store.after_fork_in_child()

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Answer from the cache until this is left."""
        async with self._opened(), anyio.create_task_group() as group:
            self._launcher.open(group)
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    await self._launcher.close()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[None]:
        store = self.state.store
        if not isinstance(store, _Opening):
            yield
            return
        await store.open()
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await store.close()

    def caching(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Hang the cache around a query that has a policy.

        Args:
            next: the rest of its pipeline.
            handler: what is known of its handler.
        """
        policy = handler.cache
        windows = None if policy is None else windows_of(policy, self.state.settings)
        if policy is None or windows is None:
            return next
        try:
            cached = cached_query(handler, next, policy, windows)
        except Unkeyable as error:
            self.problems[handler.message_type] = str(error)
            logger.error(_UNKEYABLE, handler.message_type, error)
            return next
        self.state.queries[handler.message] = cached
        return cast("Next", answering(self.state, cached, self._launcher, self._engine.answer))

    def invalidating(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Hang what was declared around a command or an event that makes something invalid.

        Args:
            next: the rest of its pipeline.
            handler: what is known of its handler, or of the event.
        """
        if not handler.invalidates:
            return next

        async def call(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
            result = await next(message)
            if handler.kind == "event":
                await self._invalidate(handler, message)
            elif isinstance(result, Success):
                await self._invalidate(handler, message, result.unwrap())
            return result

        return call

    async def _invalidate(self, handler: HandlerInfo, *told: object) -> None:
        # It has happened: whoever waits for the answer may give up, what is invalid stays invalid.
        with anyio.CancelScope(shield=True):
            for invalidation in handler.invalidates:
                try:
                    await self.cache.after(invalidation, *told)
                except Exception:
                    logger.exception(_TAGS_FAILED, handler.message_type)
                    await self.cache.invalidate(everything=True)
