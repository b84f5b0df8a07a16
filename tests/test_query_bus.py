from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import AppClosed, BusDisabled, Command, Feature, HandlerNotFound, Query
from cqrs.caching import BYPASS, ONLY_IF_CACHED, REFRESH, CacheControl, max_age


@attrs.frozen
class Find(Query[str, str]):
    """A query."""

    order: int


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@pytest.fixture
def orders() -> Feature:
    """A feature that answers the query."""
    feature = Feature("orders")

    @feature.handles(Find)
    async def find(query: Find) -> Result[str, str]:
        return Success(f"order {query.order}") if query.order else Failure("no such order")

    return feature


async def test_a_query_goes_to_its_handler(compose_app: Any, orders: Feature) -> None:
    """Both sides of the handler's answer come back."""
    async with compose_app(orders) as bus:
        assert await bus.queries.execute(Find(3)) == Success("order 3")
        assert await bus.queries.execute(Find(0)) == Failure("no such order")


async def test_the_buses_do_not_answer_for_one_another(compose_app: Any, orders: Feature) -> None:
    """A command on the query bus, or a query on the command bus, finds no handler."""
    async with compose_app(orders) as bus:
        assert isinstance((await bus.queries.execute(Place())).failure(), HandlerNotFound)
        assert isinstance((await bus.commands.execute(Find(3))).failure(), HandlerNotFound)


async def test_a_bus_answers_before_and_after_its_app_runs(compose_app: Any, orders: Feature) -> None:
    """Outside of `async with` every query is answered with AppClosed."""
    app = compose_app(orders)

    assert await app.queries.execute(Find(1)) == Failure(AppClosed("query"))
    async with app as bus:
        assert await bus.queries.execute(Find(1)) == Success("order 1")
    assert await app.queries.execute(Find(1)) == Failure(AppClosed("query"))


async def test_a_disabled_bus_says_so(compose_app: Any) -> None:
    """A bus that is switched off answers BusDisabled while the app runs."""
    async with compose_app(enable_query_bus=False) as bus:
        assert await bus.queries.execute(Find(1)) == Failure(BusDisabled("query"))


@pytest.mark.parametrize("control", [BYPASS, REFRESH, ONLY_IF_CACHED, max_age(0)], ids=lambda each: each.kind)
async def test_what_is_asked_of_a_cache_has_no_effect_without_one(
    compose_app: Any, orders: Feature, control: CacheControl
) -> None:
    """A caller may always say it: where nothing caches, the handler answers."""
    app = compose_app(orders)

    assert await app.queries.execute(Find(1), cache=control) == Failure(AppClosed("query"))
    async with app as bus:
        assert await bus.queries.execute(Find(1), cache=control) == Success("order 1")
        assert await bus.queries.execute(Find(0), cache=control) == Failure("no such order")
