"""The order service itself: the same with and without plugins, so only the core is imported here."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path

import pytest
from returns.result import Failure, Success

from cqrs import CqrsApp, HandlerCrashed
from examples.orders.app import app, build
from examples.orders.handlers import SUPPLIER_SECONDS
from examples.orders.load import ARTICLES, messages
from examples.orders.messages import (
    CancelOrder,
    FindOrder,
    Order,
    OrderId,
    OrderPlaced,
    OutOfStock,
    PlaceOrder,
    RepriceOrder,
    SalesReport,
    UnknownOrder,
)
from examples.orders.store import SqliteOrders

ROOT = Path(__file__).parents[3]
SEED_7 = """\
CancelOrder    rejected      12
CancelOrder    success       25
FindOrder      rejected      47
FindOrder      success      101
PlaceOrder     rejected      10
PlaceOrder     success      180
RepriceOrder   error          1
RepriceOrder   rejected       8
RepriceOrder   success       13
SalesReport    success        3
"""


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[CqrsApp]:
    """The running service on an SQLite file, no plugins."""
    store = SqliteOrders(str(tmp_path / "orders.sqlite"))
    try:
        async with build(store, env={"CQRS_PLUGINS": "none"}) as running:
            await store.restock(ARTICLES)
            yield running
    finally:
        store.close()


async def test_an_order_is_placed_found_and_cancelled(service: CqrsApp) -> None:
    """A placed order can be found until it is cancelled."""
    placed = await service.commands.execute(PlaceOrder("apple", 2))
    assert placed == Success(OrderId(1))
    assert await service.queries.execute(FindOrder(OrderId(1))) == Success(Order(OrderId(1), "apple", 2, 90))
    assert await service.commands.execute(CancelOrder(OrderId(1))) == Success(None)
    assert await service.queries.execute(FindOrder(OrderId(1))) == Failure(UnknownOrder(OrderId(1)))


async def test_what_is_not_in_stock_is_refused(service: CqrsApp) -> None:
    """An article that is out of stock answers a rejection and changes nothing."""
    assert await service.commands.execute(PlaceOrder("date", 1)) == Failure(OutOfStock("date"))
    assert await service.queries.execute(SalesReport()) == Success(())


async def test_the_bug_on_purpose_is_a_value(service: CqrsApp, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that divides by zero answers HandlerCrashed and logs its traceback."""
    await service.commands.execute(PlaceOrder("bread", 1))
    result = await service.commands.execute(RepriceOrder(OrderId(1), 0))
    crash = result.failure()
    assert isinstance(crash, HandlerCrashed)
    assert crash.exception_type == "builtins.ZeroDivisionError"
    assert "ZeroDivisionError" in caplog.text


async def test_every_eleventh_receipt_fails_and_no_sale_is_lost(service: CqrsApp) -> None:
    """A subscriber that fails stops neither its sibling nor the publisher."""
    for _ in range(11):
        await service.commands.execute(PlaceOrder("apple", 1))
    report = await service.events.publish(OrderPlaced(OrderId(22), "apple", 1))
    assert [delivery.ok for delivery in report.deliveries] == [True, False]
    assert await service.queries.execute(SalesReport()) == Success((("apple", 12),))


async def test_the_slow_query_is_slow(service: CqrsApp) -> None:
    """There is something slow to see: the report takes longer than the default threshold of 300 ms."""
    assert SUPPLIER_SECONDS > 0.3
    assert await service.queries.execute(SalesReport()) == Success(())


def test_a_seed_gives_its_messages() -> None:
    """The same seed draws the same messages, another one does not."""
    first, again, other = (list(islice(messages(seed), 50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_app_has_no_problem() -> None:
    """`app`, as `cqrs check` finds it, starts."""
    assert isinstance(app.check(), Success)


def test_it_prints_the_same_with_no_plugin() -> None:
    """Run as a program without plugins it prints the figures of its seed, and no warning."""
    env = {**os.environ, "CQRS_PLUGINS": "none", "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "examples.orders", "--messages", "400", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == SEED_7
    assert done.stderr == ""
