"""Orders on SQLite."""

import sqlite3
from collections.abc import Callable
from typing import Protocol, TypeVar, final

import anyio
import anyio.to_thread

from examples.orders.messages import Order, OrderId

Answer = TypeVar("Answer")

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, sku TEXT NOT NULL, quantity INTEGER NOT NULL, cents INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS sales (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL);
"""


class Orders(Protocol):
    """What the handlers need of a store of orders."""

    async def place(self, sku: str, quantity: int) -> OrderId | None:
        """Take from stock and note an order; None if there is not enough."""
        ...

    async def find(self, order: OrderId) -> Order | None:
        """Look an order up."""
        ...

    async def remove(self, order: OrderId) -> bool:
        """Delete an order and give its articles back; False if there is none."""
        ...

    async def count_sale(self, sku: str, quantity: int) -> None:
        """Add to the sales of an article."""
        ...

    async def sales(self) -> tuple[tuple[str, int], ...]:
        """The sales of each article, best first."""
        ...


@final
class SqliteOrders:
    """Orders in an SQLite file; one connection, used by one worker thread at a time.

    Args:
        path: the file, or ``:memory:``.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.executescript(SCHEMA)
        self._one_at_a_time = anyio.CapacityLimiter(1)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    async def restock(self, articles: dict[str, tuple[int, int]]) -> None:
        """Set what is in stock.

        Args:
            articles: quantity and price in cents, by article.
        """
        rows = [(sku, quantity, cents) for sku, (quantity, cents) in articles.items()]
        await self._run(lambda db: db.executemany("INSERT OR REPLACE INTO stock VALUES (?, ?, ?)", rows))

    async def place(self, sku: str, quantity: int) -> OrderId | None:
        """Take from stock and note an order; None if there is not enough."""

        def work(db: sqlite3.Connection) -> OrderId | None:
            taken = db.execute(
                "UPDATE stock SET quantity = quantity - :quantity WHERE sku = :sku AND quantity >= :quantity"
                " RETURNING cents * :quantity",
                {"sku": sku, "quantity": quantity},
            ).fetchone()
            if taken is None:
                return None
            noted = db.execute(
                "INSERT INTO orders (sku, quantity, cents) VALUES (?, ?, ?)", (sku, quantity, *taken)
            )
            return OrderId(noted.lastrowid or 0)

        return await self._run(work)

    async def find(self, order: OrderId) -> Order | None:
        """Look an order up."""
        row = await self._run(lambda db: db.execute("SELECT * FROM orders WHERE id = ?", (order,)).fetchone())
        return None if row is None else Order(*row)

    async def remove(self, order: OrderId) -> bool:
        """Delete an order and give its articles back; False if there is none."""

        def work(db: sqlite3.Connection) -> bool:
            gone = db.execute("DELETE FROM orders WHERE id = ? RETURNING quantity, sku", (order,)).fetchone()
            if gone is not None:
                db.execute("UPDATE stock SET quantity = quantity + ? WHERE sku = ?", gone)
            return gone is not None

        return await self._run(work)

    async def count_sale(self, sku: str, quantity: int) -> None:
        """Add to the sales of an article."""
        upsert = (
            "INSERT INTO sales VALUES (:sku, :quantity)"
            " ON CONFLICT (sku) DO UPDATE SET quantity = quantity + :quantity"
        )
        await self._run(lambda db: db.execute(upsert, {"sku": sku, "quantity": quantity}))

    async def sales(self) -> tuple[tuple[str, int], ...]:
        """The sales of each article, best first."""
        query = "SELECT sku, quantity FROM sales ORDER BY quantity DESC, sku"
        return tuple(await self._run(lambda db: db.execute(query).fetchall()))

    async def _run(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        def transaction() -> Answer:
            with self._connection as db:
                return work(db)

        return await anyio.to_thread.run_sync(transaction, limiter=self._one_at_a_time)
