"""Run the order service for a number of seeded messages, one after the other, and print what became of them.

The same seed prints the same lines, whatever plugins are installed.
"""

import argparse
import logging
from collections import Counter
from itertools import islice

import anyio

from cqrs.instrumentation import outcome_of
from examples.orders.app import build
from examples.orders.load import ARTICLES, messages, send
from examples.orders.store import SqliteOrders


async def main(count: int, seed: int) -> None:
    """Send the messages and print how many of each type came to what."""
    store = SqliteOrders()
    outcomes: Counter[tuple[str, str]] = Counter()
    try:
        async with build(store) as app:
            await store.restock(ARTICLES)
            for message in islice(messages(seed), count):
                outcomes[type(message).__qualname__, outcome_of(await send(app, message))] += 1
    finally:
        store.close()
    for (name, outcome), number in sorted(outcomes.items()):
        print(f"{name:<14} {outcome:<9} {number:>6}")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 on")
    return int(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.orders", description=__doc__)
    parser.add_argument("--messages", type=_count, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="decides which")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    logging.getLogger("cqrs").setLevel(logging.CRITICAL)  # the crashes are there on purpose
    anyio.run(main, arguments.messages, arguments.seed)
