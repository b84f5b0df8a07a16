"""What the tests of the plugin share: an app with a cached query whose handler counts, on a clock that stands still."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
import attrs
import pytest
from cqrs_swr.plugin import Swr
from cqrs_swr.state import State
from cqrs_swr.testing import SteppedClock
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsApp, CqrsModule, Event, Feature, Query, Rejection
from cqrs.caching import SHARED, CacheControl, QueryCache
from cqrs.context import cqrs_context


@attrs.frozen
class NoOrder(Rejection):
    """A correct no."""


@attrs.frozen
class Unreachable:
    """A failure that will pass."""

    transient: bool = True


@attrs.frozen
class Find(Query[str, NoOrder | Unreachable]):
    """The query that is cached."""

    order: int


@attrs.frozen
class Plain(Query[str, str]):
    """A query without a policy."""

    order: int


@attrs.frozen
class Place(Command[int, NoOrder]):
    """A command that makes an answer invalid."""

    order: int


@attrs.frozen
class Placed(Event):
    """An event that makes an answer invalid."""

    order: int


class Shop:
    """A running app.

    Attributes:
        app: the app.
        executions: the queries that its handler was asked, in order.
        answer: what the handler answers, if it is not told otherwise.
        gate: what the handler waits for.
    """

    Find, Plain, Place, Placed, NoOrder, Unreachable = Find, Plain, Place, Placed, NoOrder, Unreachable

    def __init__(self) -> None:
        self.app: CqrsApp = None  # type: ignore[assignment]  # set when it runs
        self.executions: list[Any] = []
        self.answer: Callable[[int], Result[str, Any]] = lambda number: Success(f"answer {number}")
        self.gate: anyio.Event | None = None

    @property
    def cache(self) -> QueryCache:
        """The cache as handlers get it."""
        return self.app.container.resolve(QueryCache)

    @property
    def state(self) -> State:
        """What the cache consists of."""
        cache: Any = self.cache
        return cache._state

    async def find(
        self, order: int = 1, control: CacheControl | None = None, tenant: str | None = None
    ) -> Any:
        """Ask the query that is cached."""
        with cqrs_context(tenant=tenant):
            return await self.app.queries.execute(Find(order), cache=control)

    async def status(self, order: int = 1, control: CacheControl | None = None) -> str:
        """Ask the query that is cached, and give how the cache says that it was answered."""
        before = dict(self.cache.stats().lookups)
        await self.find(order, control)
        after = self.cache.stats().lookups
        (status,) = (name for name in after if after[name] != before.get(name, 0))
        return status

    def failing(self, error: Any = None) -> None:
        """From now on the handler answers with a failure."""
        failure = Failure(Unreachable() if error is None else error)
        self.answer = lambda _number: failure

    async def handle(self, query: Any) -> Result[str, Any]:
        """The handler."""
        self.executions.append(query)
        number = len(self.executions)
        if self.gate is not None:
            await self.gate.wait()
        return self.answer(number)


class OpenShop(Protocol):
    """Opens an app; keywords go to ``caches``."""

    def __call__(
        self,
        *,
        plugin: Swr | None = None,
        clock: SteppedClock | None = None,
        given: dict[str, Any] | None = None,
        invalidates: Callable[[Feature], None] | None = None,
        instruments: tuple[Any, ...] = (),
        **policy: Any,
    ) -> AbstractAsyncContextManager[Shop]:
        """Open it."""
        ...


@pytest.fixture
def clock() -> SteppedClock:
    """The clock of the app."""
    return SteppedClock()


@pytest.fixture
def open_shop(clock: SteppedClock) -> OpenShop:
    """Give what opens an app."""
    own = clock

    @asynccontextmanager
    async def open_it(
        *,
        plugin: Swr | None = None,
        clock: SteppedClock | None = None,
        given: dict[str, Any] | None = None,
        invalidates: Callable[[Feature], None] | None = None,
        instruments: tuple[Any, ...] = (),
        **policy: Any,
    ) -> AsyncIterator[Shop]:
        shop = Shop()
        feature = Feature("shop")
        feature.handles(Find)(shop.handle)
        feature.handles(Plain)(shop.handle)

        @feature.handles(Place)
        async def place(command: Place) -> Result[int, NoOrder]:
            return Success(command.order) if command.order else Failure(NoOrder())

        declared = {"ttl": 30, "jitter": 0, "scope": SHARED, "tags": lambda query: (f"order:{query.order}",)}
        feature.caches(Find, **{**declared, **policy})
        if invalidates is not None:
            invalidates(feature)
        swr = plugin or Swr(clock=clock or own, **(given or {}))
        shop.app = CqrsModule.for_root(feature, plugins=(swr,), instruments=instruments, env={})
        async with shop.app:
            yield shop

    return open_it


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for processes to share; it is not there yet."""
    return tmp_path / "cache"
