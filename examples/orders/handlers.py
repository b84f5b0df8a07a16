"""The order service's handlers: errors are values, dependencies come by type."""

import anyio
from returns.result import Failure, Result, Success

from cqrs import EventBus, Feature
from cqrs.caching import SHARED
from examples.orders.messages import (
    CancelOrder,
    FindOrder,
    MailError,
    Order,
    OrderId,
    OrderPlaced,
    OutOfStock,
    PlaceOrder,
    RepriceOrder,
    SalesReport,
    UnknownOrder,
)
from examples.orders.store import Orders

orders = Feature("orders")

SUPPLIER_SECONDS = 0.35


@orders.handles(PlaceOrder, timeout=2.0)
async def place_order(command: PlaceOrder, *, store: Orders, events: EventBus) -> Result[OrderId, OutOfStock]:
    """Take from stock, note the order, tell everybody."""
    order = await store.place(command.sku, command.quantity)
    if order is None:
        return Failure(OutOfStock(command.sku))
    await events.publish(OrderPlaced(order, command.sku, command.quantity))
    return Success(order)


@orders.handles(CancelOrder)
async def cancel_order(command: CancelOrder, *, store: Orders) -> Result[None, UnknownOrder]:
    """Give the articles back."""
    return Success(None) if await store.remove(command.order) else Failure(UnknownOrder(command.order))


@orders.handles(RepriceOrder)
async def reprice_order(command: RepriceOrder, *, store: Orders) -> Result[int, UnknownOrder]:
    """Split the price; a bug on purpose: zero instalments crash, and the caller gets a ``HandlerCrashed``."""
    order = await store.find(command.order)
    if order is None:
        return Failure(UnknownOrder(command.order))
    return Success(order.cents // command.instalments)


@orders.handles(FindOrder)
async def find_order(query: FindOrder, *, store: Orders) -> Result[Order, UnknownOrder]:
    """Look an order up."""
    order = await store.find(query.order)
    return Failure(UnknownOrder(query.order)) if order is None else Success(order)


@orders.handles(SalesReport)
async def sales_report(query: SalesReport, *, store: Orders) -> Result[tuple[tuple[str, int], ...], str]:
    """Sum up the sales; the wait stands for a supplier's slow service, so that there is something slow to see."""
    del query
    await anyio.sleep(SUPPLIER_SECONDS)
    return Success(await store.sales())


@orders.subscribes(OrderPlaced, name="count-sale")
async def count_sale(event: OrderPlaced, *, store: Orders) -> Result[None, str]:
    """Keep the sales up to date."""
    await store.count_sale(event.sku, event.quantity)
    return Success(None)


@orders.subscribes(OrderPlaced, name="send-receipt")
async def send_receipt(event: OrderPlaced) -> Result[None, MailError]:
    """Send a receipt; every eleventh customer's mailbox is full."""
    return Failure(MailError("mailbox full")) if event.order % 11 == 0 else Success(None)


orders.caches(FindOrder, ttl=30, stale=300, scope=SHARED, tags=lambda query: (f"order:{query.order}",))
orders.invalidates(CancelOrder, tags=lambda command, _nothing: (f"order:{command.order}",))
