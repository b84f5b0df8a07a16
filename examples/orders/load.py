"""A seeded load: the same seed gives the same messages."""

from collections.abc import Iterator
from random import Random

from returns.result import Result

from cqrs import Command, CqrsApp, Query
from examples.orders.messages import CancelOrder, FindOrder, OrderId, PlaceOrder, RepriceOrder, SalesReport

ARTICLES = {"apple": (100_000, 45), "bread": (100_000, 320), "cheese": (60, 890), "date": (0, 75)}

LoadMessage = Command[object, object] | Query[object, object]


def messages(seed: int) -> Iterator[LoadMessage]:
    """Draw messages without end: mostly orders, some refused, a few that crash, now and then a slow report.

    Args:
        seed: decides everything.
    """
    random = Random(seed)
    placed = 0
    while True:
        kind = random.random()
        if kind < 0.45:
            placed += 1
            yield PlaceOrder(random.choices([*ARTICLES], (10, 6, 2, 1))[0], random.randint(1, 5))
        elif kind < 0.55:
            yield CancelOrder(OrderId(random.randint(1, placed + 10)))
        elif kind < 0.62:
            yield RepriceOrder(OrderId(random.randint(1, placed + 10)), random.choice((1, 2, 3, 6, 0)))
        elif kind < 0.99:
            yield FindOrder(OrderId(random.randint(1, placed + 10)))
        else:
            yield SalesReport()


async def send(app: CqrsApp, message: LoadMessage) -> Result[object, object]:
    """Dispatch a message on its bus.

    Args:
        app: the running app.
        message: a command or query.
    """
    if isinstance(message, Command):
        return await app.commands.execute(message)
    return await app.queries.execute(message)
