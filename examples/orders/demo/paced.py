"""Sending a seeded load at a steady rate."""

from collections.abc import Callable
from typing import Final

import anyio

from cqrs import CqrsApp
from examples.orders.load import LoadMessage, messages, send

_AT_ONCE: Final = 64
_STEP_SECONDS: Final = 1.0


async def send_load(
    app: CqrsApp,
    seed: int,
    rate: float,
    goes_on: Callable[[float], bool],
    progress: Callable[[int, float], None],
) -> int:
    """Send messages on a schedule, however long each of them takes; wait for the last.

    Args:
        app: the running app.
        seed: decides the messages.
        rate: messages per second.
        goes_on: says, given the seconds since the start, whether another message is to be sent.
        progress: told about once a second how many were sent, and the seconds since the start.

    Returns:
        How many were sent.
    """
    started, told, sent = anyio.current_time(), 0.0, 0
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def one(message: LoadMessage) -> None:
        async with limiter:
            await send(app, message)

    async with anyio.create_task_group() as group:
        for message in messages(seed):
            await anyio.sleep_until(started + sent / rate)
            elapsed = anyio.current_time() - started
            if not goes_on(elapsed):
                break
            group.start_soon(one, message)
            sent += 1
            if elapsed - told >= _STEP_SECONDS:
                told = elapsed
                progress(sent, elapsed)
    return sent
