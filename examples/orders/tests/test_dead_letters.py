"""The dead letters of the order service across processes that are killed: nothing is lost, and order is kept."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent.parent

# The service with one more subscriber, whose ledger can be closed, and which can be told to kill its process: before it
# has written, or when it has and nobody knows it yet.
SHOP = """
import os, signal
from pathlib import Path
from returns.result import Failure, Result, Success
from examples.orders.app import build
from examples.orders.handlers import orders
from examples.orders.messages import OrderPlaced

HERE = Path(__file__).parent


@orders.subscribes(OrderPlaced, name="book", sequence=lambda event: event.sku)
async def book(event: OrderPlaced) -> Result[None, str]:
    if (HERE / "kill").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if (HERE / "closed").exists():
        return Failure("the ledger is closed, token=hush")
    with (HERE / "ledger").open("a") as ledger:
        ledger.write(f"{event.sku} {event.order}\\n")
    if (HERE / "kill after").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return Success(None)


app = build()
"""

PLACE = """
import os, signal, sys
import anyio
from examples.orders.messages import PlaceOrder
from examples.orders.store import Orders
from shop import app

async def main():
    async with app as bus:
        await app.container.resolve(Orders).restock({"apple": (1_000_000, 1), "pear": (1_000_000, 1)})
        for number in range(int(sys.argv[1])):
            await bus.commands.execute(PlaceOrder(("apple", "pear")[number % 2], 1))
            print(number, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

anyio.run(main)
"""


class Shop(NamedTuple):
    """A folder with the service in it."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """What its processes are told."""
        return {
            **os.environ,
            "CQRS_DEAD_LETTERS": f"sqlite:{self.folder / 'letters.db'}",
            "CQRS_PLUGINS": "none",
            "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}",
        }

    def run(self, *arguments: str, killed: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run Python in a process of its own, which must not fail, or be killed if that is expected."""
        command = [sys.executable, *arguments]
        run = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert (run.returncode == -signal.SIGKILL) is killed, run.stderr
        return run

    def place_until_killed(self, least: int) -> int:
        """Place orders without end, kill that process once some have been placed, and tell how many it said it had."""
        with subprocess.Popen(
            [sys.executable, "-c", PLACE, "1000000"], cwd=self.folder, env=self.env, stdout=subprocess.PIPE
        ) as placing:
            assert placing.stdout is not None
            first = [placing.stdout.readline() for _ in range(least)]
            assert all(first)
            placing.kill()
            said = [*first, *placing.stdout.readlines()]
        # A line that the kill cut in two says nothing.
        return sum(line.endswith(b"\n") for line in said)

    def dlq(self, *arguments: str, killed: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run `cqrs dlq`."""
        command, *rest = arguments
        return self.run("-m", "cqrs", "dlq", command, *rest, "--app", "shop:app", killed=killed)

    def letters(self) -> list[Any]:
        """What `cqrs dlq list` says."""
        return list(json.loads(self.dlq("list", "--json").stdout))

    def ledger(self) -> list[str]:
        """What was booked."""
        file = self.folder / "ledger"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "closed").touch()
    return Shop(tmp_path)


@pytest.mark.timeout(120)
def test_letters_survive_every_kill_and_are_delivered_in_order(shop: Shop) -> None:
    """Placed, killed, listed, shown, replayed and killed in the middle, replayed after the fix, purged: none is missing."""
    shop.run("-c", PLACE, "6", killed=True)
    letters = shop.letters()
    assert [letter["sequence"] for letter in letters] == ["apple", "pear"] * 3
    assert [letter["attempts"] for letter in letters] == [1, 1, 0, 0, 0, 0]

    shown = shop.dlq("show", letters[0]["id"]).stdout
    assert all(part in shown for part in ("book", "apple", '"order": 1', "the ledger is closed"))
    assert "hush" not in shown

    (shop.folder / "kill").touch()
    shop.dlq("replay", killed=True)
    assert [letter["id"] for letter in shop.letters()] == [letter["id"] for letter in letters]

    (shop.folder / "kill").unlink()
    still = shop.dlq("replay")
    assert still.returncode == 1
    assert [letter["attempts"] for letter in shop.letters()] == [2, 2, 0, 0, 0, 0]
    assert shop.ledger() == []

    (shop.folder / "closed").unlink()
    replayed = shop.dlq("replay", "--sequence", "apple", "--json")
    assert json.loads(replayed.stdout)["delivered"] == [
        each["id"] for each in letters if each["sequence"] == "apple"
    ]
    assert shop.ledger() == ["apple 1", "apple 3", "apple 5"]
    assert len(shop.letters()) == 3

    assert shop.dlq("purge", "--id", letters[1]["id"]).stdout == "1 purged\n"
    assert shop.dlq("replay").returncode == 0
    assert shop.ledger()[3:] == ["pear 4", "pear 6"]
    assert shop.letters() == []


@pytest.mark.timeout(120)
def test_what_was_parked_when_the_process_was_killed_is_there(shop: Shop) -> None:
    """Killed between two parks or within one: every order that was answered waits, in order, and nothing else does."""
    answered = shop.place_until_killed(20)

    orders = [letter["sequence"] for letter in shop.letters() if letter["subscriber"] == "book"]

    assert len(orders) in {answered, answered + 1}
    assert orders == [("apple", "pear")[number % 2] for number in range(len(orders))]


@pytest.mark.timeout(120)
def test_killed_between_the_effect_and_its_letter_it_comes_twice_in_order(shop: Shop) -> None:
    """What took effect without being noted is delivered again, before what is behind it; nothing is lost or overtaken."""
    shop.run("-c", PLACE, "4", killed=True)
    (shop.folder / "closed").unlink()
    (shop.folder / "kill after").touch()
    for _ in range(2):
        shop.dlq("replay", killed=True)
    assert shop.ledger() == ["apple 1", "apple 1"]

    (shop.folder / "kill after").unlink()
    replayed = json.loads(shop.dlq("replay", "--json").stdout)

    assert len(replayed["delivered"]) == 4
    assert shop.ledger() == ["apple 1", "apple 1", "apple 1", "pear 2", "apple 3", "pear 4"]
    assert shop.letters() == []
