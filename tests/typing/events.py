"""Events: sequences, strategies, names, what publishing answers."""

import attrs
from returns.result import Failure, Result, Success
from typing_extensions import assert_type

from cqrs import (
    AppClosed,
    BusDisabled,
    Command,
    CqrsApp,
    CqrsModule,
    Event,
    EventBus,
    Feature,
    PublishReport,
    PublishStrategy,
    QueueFull,
    RetryPolicy,
    cases,
    type_id,
)
from cqrs.dead_letter import DeadLetterQueue, LetterFilter, MemoryDeadLetterQueue
from cqrs.dead_letter_store import SqliteDeadLetterQueue
from cqrs.replay import ReplayReport


@type_id("shop.Placed", aliases=("old.Placed",))
@attrs.frozen
class Placed(Event):
    order: int


@attrs.frozen
class Cancelled(Event):
    order: int
    reason: str


class Place(Command[int, str]): ...


type_id("shop.Place")(Place)  # refused

orders = Feature("orders")
assert_type(Placed(1), Placed)


@orders.subscribes(Placed, sequence=lambda event: event.order, retry=RetryPolicy(3))
async def hears(event: Placed) -> Result[None, str]:
    return Success(None)


@orders.subscribes(Placed, Cancelled, sequence=lambda event: event.order, retry=None)
async def hears_both(event: Placed | Cancelled) -> Result[None, str]:
    return Success(None)


orders.subscribes(Placed, sequence=lambda event: event.customer)  # refused
orders.subscribes(Placed, Cancelled, sequence=lambda event: event.reason)  # refused
orders.subscribes(Placed, retry=3)  # refused
orders.publishes(Placed, strategy=PublishStrategy.SEQUENTIAL)
orders.publishes(Place)  # refused
orders.publishes(Placed, strategy=3)  # refused

CqrsModule.for_root(orders, dead_letters=MemoryDeadLetterQueue())
CqrsModule.for_root(orders, dead_letters=SqliteDeadLetterQueue("letters.db"))
CqrsModule.for_root(orders, dead_letters="sqlite:letters.db")  # refused


async def publishing(events: EventBus, app: CqrsApp) -> None:
    assert_type(await events.publish(Placed(1)), PublishReport)
    match cases(await events.publish_later(Placed(1))):
        case Success(value):
            assert_type(value, None)
        case Failure(fault):
            assert_type(fault, QueueFull | AppClosed | BusDisabled)
    assert_type(app.dead_letters.queue, DeadLetterQueue)
    assert_type(await app.dead_letters.replay(LetterFilter(sequence="ann")), ReplayReport)
    await events.publish(Place())  # refused
