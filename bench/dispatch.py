"""What a dispatch costs: ratios to a bare handler that returns ``Success``, all in one run.

Run with ``just bench dispatch``; with ``--check`` it exits with 1 if a bar is missed. Each round times every variant once, in a random order, so that a machine
that slows down slows all of them; printed are the median ratio over the rounds and its spread.
"""

import argparse
import asyncio
import logging
import random
import statistics
import subprocess
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
    CommandBus,
    CqrsApp,
    CqrsModule,
    Event,
    Fault,
    Feature,
    HandlerInfo,
    Instrument,
    Message,
    Middleware,
    Next,
)
from cqrs.dispatch import guard
from cqrs.plugins import Plugin
from cqrs.unanswered import Gate
from examples.orders.demo.server import Server, local_server

Shot = Callable[[], Awaitable[object]]

BARE = "bare handler"
BY_HAND = "the same, keywords by hand"
GATHERED = "asyncio.gather of the ten"


@attrs.frozen
class Bar:
    """The most that a variant may cost.

    Attributes:
        ratio: to the other.
        to: the other variant.
    """

    ratio: float
    to: str = BARE


BARS = {
    "no middleware": Bar(1.35),
    "three middlewares": Bar(2.0),
    "context on": Bar(1.9),
    "logs on": Bar(2.8),
    "two dependencies": Bar(1.1, BY_HAND),
    "event, one subscriber": Bar(1.2, "no middleware"),
    "event, ten subscribers": Bar(1.3, GATHERED),
}
IMPORTS = {
    "its dependencies": "import returns.result, attrs, cattrs, anyio, punq",
    "cqrs": "import cqrs",
    # ``import cqrs`` loads a name's module when the name is asked for: this is what a program with all of them pays.
    "cqrs, all its names": "from cqrs import *",
}
MOST_IMPORT = 1.2


@attrs.frozen
class Place(Command[int, str]):
    """The message; built anew in each shot."""

    sku: str
    quantity: int


async def place(command: Place) -> Result[int, str]:
    """The handler: as little as a handler can do."""
    return Success(command.quantity)


class Stock:
    """A dependency."""


class Prices:
    """Another one."""


async def place_with(command: Place, *, stock: Stock, prices: Prices) -> Result[int, str]:
    """The handler with two dependencies."""
    del stock, prices
    return Success(command.quantity)


@attrs.frozen
class Placed(Event):
    """An event of one subscriber, as large as the command."""

    sku: str
    quantity: int


@attrs.frozen
class Told(Event):
    """An event of ten subscribers."""

    sku: str
    quantity: int


async def hear(event: Event) -> Result[int, str]:
    """A subscriber: as little as a subscriber can do."""
    del event
    return Success(1)


def asking(next: Next, handler: HandlerInfo) -> Next:
    """A middleware that is in no pipeline and needs the context: what the context alone costs."""
    del handler
    return next


asking.needs_context = True  # type: ignore[attr-defined]  # how a middleware says so


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
    handler: Callable[..., Any] = place,
) -> CqrsApp:
    """An app with the one handler, one event of one subscriber and one of ten."""
    feature = Feature("bench")
    feature.handles(Place)(handler)
    feature.provides(Stock)
    feature.provides(Prices)
    feature.subscribes(Placed, name="one")(hear)
    for number in range(10):
        feature.subscribes(Told, name=f"one of ten, {number}")(hear)
    return CqrsModule.for_root(
        feature, middleware=middleware, instruments=instruments, plugins=plugins, env=env
    )


def bus_shot(running: CqrsApp) -> Shot:
    """One dispatch through a bus."""
    execute = running.commands.execute
    return lambda: execute(Place("sku-1", 2))


def event_shots(running: CqrsApp) -> dict[str, Shot]:
    """Publishing, and what else one would write for ten subscribers."""
    publish = running.events.publish

    async def gathered() -> object:
        event = Told("sku-1", 2)
        return await asyncio.gather(*(hear(event) for _ in range(10)))

    return {
        "event, one subscriber": lambda: publish(Placed("sku-1", 2)),
        "event, ten subscribers": lambda: publish(Told("sku-1", 2)),
        GATHERED: gathered,
    }


def by_hand() -> Shot:
    """A bus over a pipeline in which the dependencies are passed on by hand."""
    stock, prices = Stock(), Prices()
    info = HandlerInfo("command", Place, "Place", "bench.place_with", "")
    pipeline = guard(lambda command: place_with(command, stock=stock, prices=prices), info)
    execute = CommandBus({Place: pipeline}, Gate(None)).execute
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
    """An app whose dispatches are logged (`just bench telemetry` has the other signals), batches larger than a round: what is timed is the caller's side alone."""
    given = {"batch_size": 10_000, "flush_interval": 600_000}
    switches = {"OPENOBSERVE_TRACING_ENABLED": "false", "OPENOBSERVE_METRICS_ENABLED": "false"}
    return app(plugins=(OpenObserve(**given),), env={**server.variables, **switches})


async def main() -> int:
    """Measure and print; with ``--check`` gives 1 if a bar is missed."""
    arguments = _arguments()
    logging.getLogger("cqrs").setLevel(logging.CRITICAL)
    missed = [] if _print_imports(imports(arguments.imports)) else ["import cqrs"]
    with tempfile.TemporaryDirectory() as folder, local_server(Path(folder)) as server:
        apps = {
            "no middleware": app(),
            "three middlewares": app(middleware=(passing, passing, passing)),
            "context on": app(middleware=(asking,)),
            "two dependencies": app(handler=place_with),
            "observed, idle instrument": app(instruments=(Watching(),)),
            "logs on": logged_app(server),
        }
        async with AsyncExitStack() as stack:
            running = {name: await stack.enter_async_context(each) for name, each in apps.items()}
            telemetry: Telemetry = running["logs on"].container.resolve(Telemetry)
            shots: dict[str, Shot] = {BARE: lambda: place(Place("sku-1", 2)), BY_HAND: by_hand()}
            shots |= {name: bus_shot(each) for name, each in running.items()}
            shots |= event_shots(running["no middleware"])
            seconds = await measure(shots, telemetry.aflush, arguments.rounds, arguments.calls)
            _print(seconds)
            print(telemetry.ledger())
    missed += [name for name in BARS if not _kept(name, seconds)]
    print(f"bars missed: {', '.join(missed) or 'none'}")
    return int(arguments.check and bool(missed))


def _print(seconds: Mapping[str, list[float]]) -> None:
    bare = statistics.median(seconds[BARE])
    print(f"Python {sys.version.split()[0]}; bare handler: median {bare * 1e9:.0f} ns")
    print(f"{'variant':<28}{'to bare':>9}{'p10':>8}{'p90':>8}   bar")
    for name, column in seconds.items():
        low, ratio, high = _ratios(column, seconds[BARE])
        print(f"{name:<28}{ratio:>9.2f}{low:>8.2f}{high:>8.2f}   {_held(name, seconds)}")


def _ratios(column: Sequence[float], base: Sequence[float]) -> tuple[float, float, float]:
    ratios = sorted(own / other for own, other in zip(column, base, strict=True))
    tenth = len(ratios) // 10
    return ratios[tenth], statistics.median(ratios), ratios[-1 - tenth]


def _held(name: str, seconds: Mapping[str, list[float]]) -> str:
    bar = BARS.get(name)
    if bar is None:
        return "-"
    ratio = _ratios(seconds[name], seconds[bar.to])[1]
    return f"{ratio:.2f} of {bar.ratio:.2f} to {bar.to}"


def imports(rounds: int) -> dict[str, list[float]]:
    """Time the imports, each in fresh interpreters, in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, statement in IMPORTS.items():
            code = (
                f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
            )
            command = [sys.executable, "-I", "-c", code]
            seconds[name].append(float(subprocess.run(command, capture_output=True, check=True).stdout))
    return seconds


def _kept(name: str, seconds: Mapping[str, list[float]]) -> bool:
    return _ratios(seconds[name], seconds[BARS[name].to])[1] <= BARS[name].ratio


def _print_imports(seconds: Mapping[str, list[float]]) -> bool:
    """Print them; tells whether the bar is kept. It is that of ``import cqrs``, which is lazy: both are shown."""
    for name in [name for name in seconds if name != "its dependencies"]:
        low, ratio, high = _ratios(seconds[name], seconds["its dependencies"])
        print(f"import of {name}: {ratio:.2f} to its dependencies together (p10 {low:.2f}, p90 {high:.2f})")
    _, ratio, _ = _ratios(seconds["cqrs"], seconds["its dependencies"])
    print(f"bar: {ratio:.2f} of {MOST_IMPORT:.2f} for the import of cqrs")
    return ratio <= MOST_IMPORT


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60, help="rounds; each times every variant once")
    parser.add_argument("--calls", type=int, default=3_000, help="calls per variant and round")
    parser.add_argument("--imports", type=int, default=15, help="fresh interpreters per import")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    return parser.parse_args()


sys.exit(asyncio.run(main()))
