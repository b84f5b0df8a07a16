"""What a dispatch costs: ratios to a bare handler that returns ``Success``, all in one run.

Run with ``just bench dispatch``. Each round times every variant once, in a random order, so that a machine
that slows down slows all of them; printed are the median ratio over the rounds and its spread.
"""

import argparse
import asyncio
import logging
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import attrs
from cqrs_openobserve import OpenObserve, Telemetry
from returns.result import Result, Success

from cqrs import (
    Command,
    CqrsApp,
    CqrsModule,
    Fault,
    Feature,
    HandlerInfo,
    Instrument,
    Message,
    Middleware,
    Next,
)
from cqrs.plugins import Plugin
from examples.orders.demo.server import Server, local_server

Shot = Callable[[], Awaitable[object]]

BARS = {
    "no middleware": 1.35,
    "three middlewares": 2.0,
    "logs on": 2.8,
}


@attrs.frozen
class Place(Command[int, str]):
    """The message; built anew in each shot."""

    sku: str
    quantity: int


async def place(command: Place) -> Result[int, str]:
    """The handler: as little as a handler can do."""
    return Success(command.quantity)


def passing(next: Next, handler: HandlerInfo) -> Next:
    """A middleware that does nothing."""
    del handler

    async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
        return await next(message)

    return call


class Watching(Instrument):
    """An instrument that does nothing: what the core itself adds for being observed."""

    def around(self, next: Next, handler: HandlerInfo, /) -> Next:
        """Only pass on."""
        return passing(next, handler)


def app(
    middleware: Sequence[Middleware] = (),
    instruments: Sequence[Instrument] = (),
    plugins: Sequence[Plugin] = (),
    env: Mapping[str, str] | None = None,
) -> CqrsApp:
    """An app with the one handler."""
    feature = Feature("bench")
    feature.handles(Place)(place)
    return CqrsModule.for_root(
        feature, middleware=middleware, instruments=instruments, plugins=plugins, env=env
    )


def bus_shot(running: CqrsApp) -> Shot:
    """One dispatch through a bus."""
    execute = running.commands.execute
    return lambda: execute(Place("sku-1", 2))


async def timed(shot: Shot, calls: int) -> float:
    """Seconds per call."""
    started = time.perf_counter()
    for _ in range(calls):
        await shot()
    return (time.perf_counter() - started) / calls


async def measure(shots: Mapping[str, Shot], settle: Shot, rounds: int, calls: int) -> dict[str, list[float]]:
    """Time every variant once per round, in a random order, and let the worker threads settle after each."""
    seconds: dict[str, list[float]] = {name: [] for name in shots}
    for _ in range(rounds + 1):
        for name in random.sample(list(shots), len(shots)):
            seconds[name].append(await timed(shots[name], calls))
            await settle()
    return {name: column[1:] for name, column in seconds.items()}


def logged_app(server: Server) -> CqrsApp:
    """An app whose dispatches are logged, batches larger than a round: what is timed is the caller's side alone."""
    given = {"batch_size": 10_000, "flush_interval": 600_000}
    return app(plugins=(OpenObserve(**given),), env=server.variables)


async def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    logging.getLogger("cqrs").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, local_server(Path(folder)) as server:
        apps = {
            "no middleware": app(),
            "three middlewares": app(middleware=(passing, passing, passing)),
            "observed, idle instrument": app(instruments=(Watching(),)),
            "logs on": logged_app(server),
        }
        async with AsyncExitStack() as stack:
            running = {name: await stack.enter_async_context(each) for name, each in apps.items()}
            telemetry: Telemetry = running["logs on"].container.resolve(Telemetry)
            shots: dict[str, Shot] = {"bare handler": lambda: place(Place("sku-1", 2))}
            shots |= {name: bus_shot(each) for name, each in running.items()}
            _print(await measure(shots, telemetry.aflush, arguments.rounds, arguments.calls))
            print(telemetry.ledger())


def _print(seconds: Mapping[str, list[float]]) -> None:
    base = seconds["bare handler"]
    print(f"Python {sys.version.split()[0]}; bare handler: median {statistics.median(base) * 1e9:.0f} ns")
    print(f"{'variant':<28}{'ratio':>8}{'p10':>8}{'p90':>8}   bar")
    for name, column in seconds.items():
        ratios = sorted(own / bare for own, bare in zip(column, base, strict=True))
        tenth = len(ratios) // 10
        bar = f"{BARS[name]:.2f}" if name in BARS else "-"
        print(
            f"{name:<28}{statistics.median(ratios):>8.2f}{ratios[tenth]:>8.2f}{ratios[-1 - tenth]:>8.2f}   {bar}"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60, help="rounds; each times every variant once")
    parser.add_argument("--calls", type=int, default=3_000, help="calls per variant and round")
    return parser.parse_args()


asyncio.run(main())
