"""What a caller gets is inferred where it calls, `Fault` included; inlined forms are accepted."""

from typing import assert_type

from returns.result import Failure, Result, Success

from cqrs import CommandBus, CqrsApp, EventBus, Fault, HandlerCrashed, PublishReport, QueryBus, TimedOut
from cqrs import cases, fold, is_err, is_ok
from tests.typing.messages import Cancel, Find, Forbidden, OutOfStock, Place, Placed


async def inferred(commands: CommandBus, queries: QueryBus, events: EventBus) -> None:
    assert_type(await commands.execute(Place("a")), Result[int, OutOfStock | Fault])
    assert_type(await queries.execute(Find(1)), Result[str, Forbidden | Fault])
    assert_type(await events.publish(Placed(1)), PublishReport)


async def returned_inline(commands: CommandBus) -> Result[int, OutOfStock | Fault]:
    return await commands.execute(Place("a"))


async def returned_wider(commands: CommandBus) -> Result[int | str, OutOfStock | Fault | str]:
    return await commands.execute(Place("a"))


async def matched_inline(commands: CommandBus) -> int:
    match cases(await commands.execute(Place("a"))):
        case Success(order):
            assert_type(order, int)
            return order
        case Failure(OutOfStock(sku)):
            assert_type(sku, str)
            return 0
        case Failure(Fault() as fault):
            assert_type(fault, Fault)
            return -1
        case Failure(other):
            assert_type(other, OutOfStock | Fault)
            return -2


async def narrowed(commands: CommandBus) -> str:
    match cases(await commands.execute(Place("a"))):
        case Failure(HandlerCrashed() as crash):
            return crash.traceback
        case Failure(TimedOut(handler=handler)):
            return handler
        case Failure(error):
            assert_type(error, OutOfStock | Fault)
            return "another"
        case Success(order):
            return str(order)


async def exhaustive(commands: CommandBus) -> int:
    match cases(await commands.execute(Cancel(1))):
        case Success():
            return 1
        case Failure():
            return 0


async def not_exhaustive(commands: CommandBus) -> int:  # refused
    match cases(await commands.execute(Cancel(1))):  # refused by pyright
        case Success():
            return 1


async def guarded(commands: CommandBus) -> int:
    result = await commands.execute(Place("a"))
    if is_err(result):
        assert_type(result.failure(), OutOfStock | Fault)
        return 0
    assert_type(result.unwrap(), int)
    return result.unwrap()


async def folded(commands: CommandBus) -> str:
    result = await commands.execute(Place("a"))
    if is_ok(result):
        assert_type(result.unwrap(), int)
    return fold(result, lambda order: str(order), lambda error: type(error).__name__)


async def mistaken(app: CqrsApp) -> None:
    await app.commands.execute(Find(1))  # refused
    await app.queries.execute(Place("a"))  # refused
    await app.commands.execute(Placed(1))  # refused
    await app.events.publish(Place("a"))  # refused
    await app.commands.execute("Place")  # refused


async def mistaken_value(commands: CommandBus) -> Result[str, OutOfStock | Fault]:
    return await commands.execute(Place("a"))  # refused


async def forgotten_fault(commands: CommandBus) -> Result[int, OutOfStock]:
    return await commands.execute(Place("a"))  # refused


async def used_as_value(commands: CommandBus) -> int:
    return await commands.execute(Place("a"))  # refused
