"""What a person sees on the first day: a program of its own, no plugin, logging as Python sets it up."""

import re
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
import anyio, attrs
from returns.result import Failure, Result, Success
from cqrs import Command, ConsoleInstrument, CqrsModule, Event, Feature, Query, Rejection


class OutOfStock(Rejection): ...


@attrs.frozen
class Place(Command[int, OutOfStock]):
    sku: str


@attrs.frozen
class Find(Query[int, str]): ...


@attrs.frozen
class Placed(Event): ...


orders = Feature("orders")


@orders.handles(Place)
async def place(command: Place) -> Result[int, OutOfStock]:
    if command.sku == "crash":
        raise OSError("no disk")
    return Success(1) if command.sku == "apple" else Failure(OutOfStock())


@orders.handles(Find)
async def find(query: Find) -> Result[int, str]:
    return Success(1)


@orders.subscribes(Placed, name="mail")
async def mail(event: Placed) -> Result[None, str]:
    return Failure("mailbox full")


app = CqrsModule.for_root(orders, plugins=(), instruments=[ConsoleInstrument(sys.stdout)])


async def main():
    async with app as bus:
        for sku in ("apple", "pear", "crash"):
            await bus.commands.execute(Place(sku))
        await bus.queries.execute(Find())
        await bus.events.publish(Placed())


anyio.run(main)
"""


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    (folder / "shop.py").write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, "shop.py"], cwd=folder, capture_output=True, text=True, check=True, timeout=18
    )


def test_a_crash_shows_its_traceback_without_any_plugin(tmp_path: Path) -> None:
    """Nobody set up logging: the message, the handler and the traceback down to the line stand on standard error."""
    ran = run(tmp_path)

    assert "command Place crashed in __main__.place (handler): builtins.OSError" in ran.stderr
    assert "Traceback (most recent call last):" in ran.stderr
    assert 'raise OSError("no disk")' in ran.stderr
    assert "OSError: no disk" in ran.stderr
    assert ran.stderr.count("Traceback") == 1


def test_the_console_prints_one_readable_line_per_message(tmp_path: Path) -> None:
    """Outcome, time, kind, message and error of each dispatch and delivery; no colour where there is no terminal."""
    lines = run(tmp_path).stdout.splitlines()

    assert [re.sub(r" +\d+\.\d\d ms", "", line) for line in lines] == [
        "success  command Place",
        "rejected  command Place  OutOfStock",
        "error  command Place  HandlerCrashed",
        "success  query   Find",
        "error  event   Placed → mail  str",
    ]
