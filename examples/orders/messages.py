"""What the order service is told, asked, and tells."""

from typing import NewType

import attrs

from cqrs import Command, Event, Query, Rejection

OrderId = NewType("OrderId", int)


@attrs.frozen
class OutOfStock(Rejection):
    """There is not enough left."""

    sku: str


@attrs.frozen
class UnknownOrder(Rejection):
    """There is no such order."""

    order: OrderId


@attrs.frozen
class MailError:
    """The receipt could not be sent."""

    reason: str


@attrs.frozen
class Order:
    """An order as people see it."""

    order: OrderId
    sku: str
    quantity: int
    cents: int


@attrs.frozen
class PlaceOrder(Command[OrderId, OutOfStock]):
    """Order some of an article."""

    sku: str
    quantity: int


@attrs.frozen
class CancelOrder(Command[None, UnknownOrder]):
    """Take an order back."""

    order: OrderId


@attrs.frozen
class RepriceOrder(Command[int, UnknownOrder]):
    """Split an order's price into instalments; gives the cents of each."""

    order: OrderId
    instalments: int


@attrs.frozen
class FindOrder(Query[Order, UnknownOrder]):
    """Look an order up."""

    order: OrderId


@attrs.frozen
class SalesReport(Query[tuple[tuple[str, int], ...], str]):
    """Sum up what was sold, by article."""


@attrs.frozen
class OrderPlaced(Event):
    """An order was placed."""

    order: OrderId
    sku: str
    quantity: int
