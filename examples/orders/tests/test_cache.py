"""The query cache in the example: seen when its plugin is there, and nothing else changes when it is not."""

import re
from collections.abc import Sequence
from typing import Any, get_args

import attrs
from cqrs_openobserve.provision.queries import HIT_RATE, LOOKED_UP
from cqrs_swr import Swr
from cqrs_swr.freshness import Status
from returns.result import Failure

from cqrs import CqrsModule, Feature, current_context
from cqrs.caching import HITS, QueryCache
from cqrs.plugins import Plugin
from examples.orders.app import build
from examples.orders.handlers import orders
from examples.orders.load import ARTICLES
from examples.orders.messages import CancelOrder, FindOrder, OrderId, PlaceOrder, UnknownOrder
from examples.orders.store import Orders, SqliteOrders

ONLY_NONE = {"CQRS_PLUGINS": "none"}


async def conversation(app: Any, store: SqliteOrders) -> list[Any]:
    """Place an order, look at it three times, cancel it, look again."""
    async with app as bus:
        await store.restock(ARTICLES)
        order: OrderId = (await bus.commands.execute(PlaceOrder(next(iter(ARTICLES)), 1))).unwrap()
        answers = [await bus.queries.execute(FindOrder(order)) for _ in range(3)]
        answers.append(await bus.commands.execute(CancelOrder(order)))
        answers.append(await bus.queries.execute(FindOrder(order)))
        return [*answers, bus.container.resolve(QueryCache).stats().lookups]


def composed(store: SqliteOrders, plugins: Sequence[Plugin]) -> Any:
    import punq

    container = punq.Container()
    container.register(Orders, instance=store)
    feature = Feature("shop")
    feature.imports(orders)
    return CqrsModule.for_root(feature, container=container, plugins=plugins, env={})


async def test_with_and_without_the_plugin_the_answers_are_the_same() -> None:
    """And with it, the second look is a hit, until the order is cancelled."""
    results: list[list[Any]] = []
    for plugins in ((), (Swr(),)):
        store = SqliteOrders()
        try:
            results.append(await conversation(composed(store, plugins), store))
        finally:
            store.close()
    (*without, nothing), (*cached, lookups) = results

    assert without == cached
    order = cached[0].unwrap().order
    assert cached[-1] == Failure(UnknownOrder(order))
    assert (nothing, lookups) == ({}, {"miss": 2, "fresh": 2})


async def test_the_declarations_are_inert_where_no_plugin_is() -> None:
    """The example as it stands starts without one."""
    async with build(env=ONLY_NONE) as bus:
        assert attrs.asdict(bus.container.resolve(QueryCache).stats())["lookups"] == {}
        assert current_context() is None


def test_dashboards_count_as_hits_what_the_cache_says_is_one() -> None:
    """Every status that the cache notes is a hit, a look-up without one, or a bypass that is left out."""
    counted = set(re.findall(r"'(\w+)'", HIT_RATE)) - {"hit"}  # `hit` is what other caches write

    assert counted == set(HITS)
    assert set(get_args(Status)) - counted == {"miss", "collapsed", "bypass"}
    assert "cache_status <> 'bypass'" in LOOKED_UP
