"""Group C of the fault catalogue, what is kept: keys and values of all kinds, deploys, rows that somebody has forged."""

import sqlite3
import struct
import types
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
from cqrs_swr import Swr
from cqrs_swr.rows import MAGIC, Row, pack, unpack
from cqrs_swr.shared_store import LAYOUT
from cqrs_swr.testing import SteppedClock
from returns.result import Success

from cqrs import CqrsModule, Feature, Query
from cqrs.caching import SHARED, QueryCache

DATABASE = Path(LAYOUT) / "rows" / "cache.db"


@attrs.frozen
class Any_(Query[object, str]):  # noqa: N801 - any query
    """A query that takes anything."""

    field: Any


class Colour(Enum):
    """An enumeration."""

    RED = 1


class Asked:
    """An app with a query that answers with what it is told, any value."""

    def __init__(self, query: type, folder: Path | None = None, **policy: Any) -> None:
        self.executions = 0
        self.make: Callable[[], Any] = lambda: self.executions
        feature = Feature("asked")

        async def handle(_query: Any) -> Any:
            self.executions += 1
            return Success(self.make())

        handling: Any = feature.handles(query)
        handling(handle)
        feature.caches(query, **{"ttl": 30, "jitter": 0, "scope": SHARED, **policy})
        plugin = Swr(clock=SteppedClock()) if folder is None else Swr(dir=folder)
        self.app = CqrsModule.for_root(feature, plugins=(plugin,), env={})


NAN = float("nan")
EAST = timezone(timedelta(hours=2))
TOLD_APART: list[Any] = [
    1, 1.0, True, "1", b"1", None, "", (1,), [1], {1}, frozenset({1}), {1: 1}, {"1": 1}, Colour.RED, Decimal(1),
    0, False, 0.0, (), [], {}, "\ud800", NAN, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC),
    (1, "2"), ("1", 2), (("a", "b"),), ("a:b",), ("x y", "z"), ("x", "y z"), "x" * 10_000_000, "x" * 10_000_001,
]  # fmt: skip
AS_ONE: list[tuple[Any, Any]] = [
    (0.0, -0.0), (NAN, float("nan")), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ({3, 1, 2}, {2, 3, 1}),
    (("a", "a"), ("a", "ba"[1:])), (Decimal("1.0"), Decimal("1.00")), (Colour.RED, Colour(1)),
    (datetime(2026, 1, 1, 2, tzinfo=EAST), datetime(2026, 1, 1, tzinfo=UTC)), ([1, [2]], [1, [2]]),
]  # fmt: skip


async def test_c24_keys_that_must_not_collide() -> None:
    """Each of two questions that differ in value or type has an entry of its own."""
    asked = Asked(Any_)
    async with asked.app as bus:
        for value in TOLD_APART:
            await bus.queries.execute(Any_(value))
        assert asked.executions == len(TOLD_APART)
        answers = [(await bus.queries.execute(Any_(value))).unwrap() for value in TOLD_APART]
        assert answers == list(range(1, len(TOLD_APART) + 1))


async def test_c24_keys_that_must_agree() -> None:
    """Two questions that are equal share an entry."""
    asked = Asked(Any_)
    async with asked.app as bus:
        for one, other in AS_ONE:
            first = await bus.queries.execute(Any_(one))
            assert await bus.queries.execute(Any_(other)) == first
        assert asked.executions == len(AS_ONE)


@pytest.mark.parametrize(
    "value", [datetime(2026, 1, 1), object(), lambda: None, (1, object())], ids=["naive", "object", "function", "deep"]  # noqa: DTZ001 - on purpose
)  # fmt: skip
async def test_c24_keys_that_there_are_none_of(value: Any) -> None:
    """The handler answers each time, and it is counted."""
    asked = Asked(Any_)
    async with asked.app as bus:
        for number in (1, 2):
            assert await bus.queries.execute(Any_(value)) == Success(number)
        stats = bus.container.resolve(QueryCache).stats()
        assert (stats.unkeyable, stats.entries) == (2, 0)


@attrs.frozen
class Text(Query["str | None", str]):
    """A query whose answer may be nothing."""


@attrs.frozen
class Numbers(Query[list[int], str]):
    """A query whose answer can be changed."""


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "alone"])
async def test_c25_an_answer_that_is_nothing(folder: Path, value: Any, shared: object) -> None:
    """It is an answer like any other."""
    asked = Asked(Text, folder if shared else None)
    asked.make = lambda: value
    async with asked.app as bus:
        assert [await bus.queries.execute(Text()) for _ in range(3)] == [Success(value)] * 3
        assert asked.executions == 1


async def test_c25_an_answer_that_is_changed_after_it_was_returned(folder: Path) -> None:
    """Only its own caller sees that."""
    for shared in (True, False):
        asked = Asked(Numbers, folder if shared else None)
        asked.make = lambda: [1, 2]
        async with asked.app as bus:
            for _ in range(4):
                answer = (await bus.queries.execute(Numbers())).unwrap()
                assert answer == [1, 2]
                answer.append(3)
            assert asked.executions == 1


async def coroutine() -> None:
    """Something that can be awaited once."""


@pytest.mark.parametrize("kind", ["generator", "coroutine", "large", "list"])
async def test_c25_an_answer_that_cannot_be_kept(kind: str) -> None:
    """It is handed out, not kept, and that is counted; 50 MB are more than `max_bytes`."""
    makes: dict[str, Callable[[], Any]] = {
        "generator": lambda: (n for n in range(3)),
        "coroutine": coroutine,
        "large": lambda: "x" * 50_000_000,
        "list": lambda: [object()],
    }
    asked = Asked(Any_)
    asked.make = makes[kind]
    async with asked.app as bus:
        for _ in range(2):
            answer: Any = (await bus.queries.execute(Any_(1))).unwrap()
            if kind == "coroutine":
                answer.close()
        cache: Any = bus.container.resolve(QueryCache)
        assert (asked.executions, cache.stats().entries) == (2, 0)
        assert sum(cache._state.counters.uncached.values()) == 2


def deployed(version: int) -> tuple[Any, Any]:
    """A query as a release has it: its answer has another class in each."""
    fields = {"sku": attrs.field(type=str)} | (
        {"cents": attrs.field(type=int, default=0)} if version > 1 else {}
    )
    answer: Any = attrs.make_class("Price" if version < 3 else "Cost", fields, frozen=True)
    answer.__module__ = "shop" if version < 4 else "shop.prices"
    named = {"__type_id__": "shop.FindPrice"}
    query = types.new_class("FindPrice", (Query[answer, str],), exec_body=lambda body: body.update(named))
    return attrs.frozen(query), answer


async def test_c4_a_deploy_that_changes_the_answers_class(folder: Path) -> None:
    """A field more, a class renamed, a module moved: the row of the old release is no row, and no error."""
    for version in (1, 2, 3, 4):
        query, answer = deployed(version)
        asked = Asked(query, folder)
        asked.make = lambda answer=answer: answer("apple")
        for executions in (1, 1):
            async with asked.app as bus:
                assert await bus.queries.execute(query()) == Success(answer("apple"))
                errors = bus.container.resolve(QueryCache).stats().l2_errors
            assert (asked.executions, dict(errors)) == (executions, {}), version


def forge(folder: Path, change: Callable[[Row], bytes]) -> None:
    """Put another content into every row, as somebody would who can write the folder."""
    with sqlite3.connect(folder / DATABASE) as connection:
        for rowid, value in connection.execute("SELECT rowid, value FROM Cache").fetchall():
            row = unpack(value, value[9:25], value[25:33], 2**30)
            assert isinstance(row, Row)
            connection.execute("UPDATE Cache SET value = ? WHERE rowid = ?", (change(row), rowid))
    connection.close()


def bomb(row: Row) -> bytes:
    """A row whose few kilobytes grow to 200 MB, while it announces little."""
    content = bytearray(pack(attrs.evolve(row, payload=b"x" * 5000)))
    head = bytes(content[8 : len(content) - len(zlib.compress(b"x" * 5000, 1))])
    body = head + zlib.compress(b"\0" * 200_000_000, 1)
    return MAGIC + struct.pack(">I", zlib.crc32(body)) + body


FORGED: dict[str, tuple[str, Callable[[Row], bytes]]] = {
    "bomb": ("integrity", bomb),
    "announced bomb": ("too_large", lambda row: pack(attrs.evolve(row, payload=b"\0" * 50_000_000))),
    "bad utf-8": ("integrity", lambda row: pack(attrs.evolve(row, payload=b'"\xff\xfe"'))),
    "no json": ("integrity", lambda row: pack(attrs.evolve(row, payload=b"nonsense"))),
    "deep json": ("integrity", lambda row: pack(attrs.evolve(row, payload=b"[" * 100_000))),
    "pickle": ("integrity", lambda row: pack(attrs.evolve(row, payload=b"\x80\x04K\x01."))),
    "endless": ("clock", lambda row: pack(attrs.evolve(row, fresh=float("inf")))),
    "nan": ("clock", lambda row: pack(attrs.evolve(row, fresh=float("nan")))),
    "negative": ("clock", lambda row: pack(attrs.evolve(row, took=-1.0))),
    "of the future": ("clock", lambda row: pack(attrs.evolve(row, monotonic_ns=2**62))),
    "of another magic": ("integrity", lambda row: b"CSW1" + pack(row)[4:]),
}


@pytest.mark.parametrize("what", FORGED)
async def test_c11_a_row_that_was_forged(open_shop: Any, folder: Path, what: str) -> None:
    """With a right checksum: what does not hold water is no row; the answer is computed, and it is counted (S13)."""
    reason, change = FORGED[what]
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        await shop.find(1)
    forge(folder, change)
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        shop.answer = lambda _number: Success("computed")
        assert await shop.find(1) == Success("computed")
        assert shop.cache.stats().l2_errors == {reason: 1}


async def test_c11_a_row_with_a_huge_life(open_shop: Any, folder: Path) -> None:
    """What the policy says now limits what a row says of itself: a second is not a century."""
    async with open_shop(plugin=Swr(dir=folder), ttl=3600) as shop:
        await shop.find(1)
    forge(
        folder,
        lambda row: pack(
            attrs.evolve(row, fresh=3e9, stale=3e9, fail_safe=3e9, wall_ns=row.wall_ns - 10**11)
        ),
    )
    async with open_shop(plugin=Swr(dir=folder), ttl=60, stale=0) as shop:
        assert await shop.status() == "miss"
