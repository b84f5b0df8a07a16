from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

import attrs
import punq
import pytest
from returns.result import Result, Success

from cqrs import Command, CompositionError, Feature
from cqrs.problems import Code


@attrs.frozen
class Place(Command[Any, str]):
    """A command."""


class Pool:
    """A resource: open between entering and leaving."""

    def __init__(self) -> None:
        self.open = False

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *error: object) -> None:
        self.open = False


class Stock:
    """Needs the pool."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Optional:
    """Registered with punq, which looks for `Pool | None` by itself and finds nothing."""

    def __init__(self, pool: Pool | None = None, other: Stock | None = None) -> None:
        self.pool, self.other = pool, other


def taking(kind: type) -> Feature:
    feature = Feature("orders")

    async def place(_command: Place, *, needed: kind) -> Result[Any, str]:  # type: ignore[valid-type]  # a type that the test chooses
        return Success(needed)

    feature.handles(Place)(place)
    return feature


async def test_resources_open_in_the_order_of_dependency_and_close_in_reverse(compose_app: Any) -> None:
    """A function under @asynccontextmanager is a factory; what it needs is open before, and closed after."""
    journal: list[str] = []

    @asynccontextmanager
    async def pool() -> AsyncGenerator[Pool]:
        journal.append("open pool")
        yield Pool()
        journal.append("close pool")

    @asynccontextmanager
    async def stock(pool: Pool) -> AsyncGenerator[Stock]:
        journal.append("open stock")
        yield Stock(pool)
        journal.append("close stock")

    feature = taking(Stock)
    feature.provides(Stock, stock)
    feature.provides(Pool, pool)
    app = compose_app(feature)
    assert app.check().unwrap().handlers
    assert journal == []

    for _ in range(2):
        async with app as bus:
            answer = (await bus.commands.execute(Place())).unwrap()
            assert isinstance(answer, Stock)
            assert app.container.resolve(Stock) is answer
            assert journal == ["open pool", "open stock"]
        assert journal[2:] == ["close stock", "close pool"]
        journal.clear()


async def test_a_class_that_can_be_entered_is_a_resource(compose_app: Any) -> None:
    """A pool or an HTTP client provided as it is is open while the app runs, and closed after it."""
    feature = taking(Pool)
    feature.provides(Pool)

    async with compose_app(feature) as bus:
        pool = (await bus.commands.execute(Place())).unwrap()
        assert pool.open

    assert not pool.open


async def test_what_was_open_is_closed_if_another_cannot_be_opened(compose_app: Any) -> None:
    """A start that fails leaves nothing open, and says what failed."""
    opened: list[Pool] = []

    def pool() -> Pool:
        opened.append(Pool())
        return opened[0]

    @asynccontextmanager
    async def stock(pool: Pool) -> AsyncGenerator[Stock]:
        assert pool.open
        raise OSError("no route")
        yield Stock(pool)

    feature = taking(Stock)
    feature.provides(Pool, pool)
    feature.provides(Stock, stock)

    with pytest.raises(CompositionError) as refused:
        async with compose_app(feature):
            pass

    (problem,) = refused.value.problems
    assert problem.code is Code.DEPENDENCY_FAILED
    assert "OSError: no route" in problem.text
    assert [pool.open for pool in opened] == [False]


async def test_a_resource_that_cannot_be_closed_keeps_no_other_open(compose_app: Any) -> None:
    """Everything else is closed; the error is the user's own and reaches them."""
    pool = Pool()

    @asynccontextmanager
    async def stock(pool: Pool) -> AsyncGenerator[Stock]:
        yield Stock(pool)
        raise OSError("still busy")

    feature = taking(Stock)
    feature.provides(Pool, lambda: pool)
    feature.provides(Stock, stock)

    with pytest.raises(OSError, match="still busy"):
        async with compose_app(feature):
            assert pool.open

    assert not pool.open


async def test_an_optional_parameter_gets_what_is_registered(compose_app: Any) -> None:
    """`X | None = None` of a class that punq makes gets the registered X, provided or registered; else its default."""
    feature = taking(Optional)
    feature.provides(Pool)

    for _ in range(2):
        async with compose_app(feature, container=punq.Container().register(Optional)) as bus:
            answer = (await bus.commands.execute(Place())).unwrap()
            assert isinstance(answer.pool, Pool)
            assert answer.other is None

    container = punq.Container().register(Optional).register(Stock).register(Pool)
    async with compose_app(taking(Optional), container=container) as bus:
        answer = (await bus.commands.execute(Place())).unwrap()
        assert isinstance(answer.other, Stock)
