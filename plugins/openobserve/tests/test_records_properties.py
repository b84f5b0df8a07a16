"""No value that a user can log, return or raise changes a column's type or raises."""

import gzip
import json
import logging
import math
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import attrs
from cqrs_openobserve.columns import COLUMNS
from cqrs_openobserve.dispatch_facts import Thresholds
from cqrs_openobserve.feeds import Account, Batch
from cqrs_openobserve.instrument import DispatchInstrument
from cqrs_openobserve.log_handler import line_of
from cqrs_openobserve.log_lines import LogRows
from cqrs_openobserve.observation_encoder import ObservationEncoder
from cqrs_openobserve.observations import ObservationQueue
from cqrs_openobserve.payloads import Payload
from cqrs_openobserve.records import LEVELS, Anchor, RowBuilder
from cqrs_openobserve.service import Service
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from cqrs import MessageContext, Rejection
from cqrs.caching import CachePolicy
from cqrs.middleware import HandlerInfo

TYPES = {"Utf8": str, "Int64": int, "Float64": float, "Boolean": bool}
BY_NAME = {column.name: TYPES[column.type] for column in COLUMNS}
SERVICE = Service("s", None, None, "h")
ANCHOR = Anchor(10**18, 10**9)


class Raises:
    """An error whose every attribute raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class NameIsNoText(type):
    """A class whose name is no text."""

    @property
    def __name__(cls) -> int:  # type: ignore[override]  # on purpose
        return 5


class Odd(metaclass=NameIsNoText):
    """An instance of such a class."""


class UnwritableError(Exception):
    """An error that raises when it is written."""

    def __str__(self) -> str:
        raise RuntimeError


@attrs.frozen
class Order:
    """A message with a field of each type; hostile programs give them anything."""

    count: int
    price: float
    gift: bool
    note: object


FIELDS = {"field_count": int, "field_price": float, "field_gift": bool, "field_note": str}
OTHERS = {f"{name}_text": str for name in FIELDS}


def error_with(code: object, base: type) -> object:
    return type("Told", (base,), {"code": code})()


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=2_000),
    st.binary(),
    st.decimals(),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.complex_numbers(),
    st.integers(5_000, 6_000).map(lambda digits: 10**digits),
    st.builds(object),
    st.builds(Raises),
    st.sampled_from([int, len, logging, datetime, date, time, timedelta, Decimal]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(
            st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=5)), inner, max_size=3
        ),
        st.builds(Order, inner, inner, inner, inner),
    ),
    max_leaves=8,
)
errors = st.one_of(
    values,
    st.builds(error_with, values, st.sampled_from([object, Rejection, Exception])),
    st.builds(Raises),
    st.none().map(lambda _: Odd()),
    st.builds(UnwritableError),
    st.builds(ValueError, values),
    st.text(max_size=5).map(lambda name: type(name.replace("\0", "") or "E", (), {})()),
)
stops = st.one_of(
    st.builds(ValueError, values), st.builds(UnwritableError), st.builds(KeyboardInterrupt, values)
)
results = st.one_of(values.map(Success), errors.map(Failure), stops)
orders = st.builds(Order, values, values, values, values)
notes = st.dictionaries(st.sampled_from(["cache_status", "cache_hit", "cache_age_ms"]), values)


def rows_of(encode: Callable[[Batch[Any]], Iterable[Payload]], items: list[Any]) -> list[dict[str, Any]]:
    """Encode, and read as the server does: a NaN would be refused."""

    def refuse(literal: str) -> float:
        raise AssertionError(literal)

    account = Account()
    bodies = [gzip.decompress(payload.body) for payload in encode(Batch(items, ANCHOR, account))]
    rows = [row for body in bodies for row in json.loads(body, parse_constant=refuse)]
    assert len(rows) == len(items)
    assert not account.dropped
    return rows


@given(
    seen=st.lists(st.tuples(results, orders, notes), min_size=1, max_size=5),
    kind=st.sampled_from(["command", "query", "event"]),
    tenant=values,
)
def test_every_column_keeps_its_type(
    seen: list[tuple[Result[Any, Any], Order, dict[str, Any]]], kind: Any, tenant: Any
) -> None:
    """Whatever comes back, is noted or stands in a field: one row per dispatch, every value of its column's type."""
    queue = ObservationQueue(lambda: None)
    thresholds = Thresholds("INFO", {"command": 1, "query": 1, "event": 1}, error_texts=True)
    instrument = DispatchInstrument(queue, thresholds)
    handler = HandlerInfo(
        kind,
        Order,
        "M\ud800",
        "h",
        "f:1",
        "s",
        log_fields=("count", "price", "gift", "note"),
        cache=CachePolicy(ttl=1),
    )
    carried, finished = instrument.carried(handler), instrument.finished(handler)
    for result, order, noted in seen:
        context = MessageContext().begin()
        context.origin = attrs.evolve(context.origin, tenant=tenant)
        for name, value in noted.items():
            context.note(name, value)
        carried.value(context, order)
        finished(context, 0, 1, result)

    encode = ObservationEncoder({kind: "stream"}, RowBuilder(SERVICE, "i"), LEVELS["DEBUG"])
    known = BY_NAME | FIELDS | OTHERS
    for row in rows_of(encode, queue.take(10)):
        for name, value in row.items():
            assert type(value) is known[name], (name, value)
            assert not isinstance(value, float) or math.isfinite(value)


@given(
    message=st.one_of(values, st.just("%s %d")),
    arguments=st.lists(values, max_size=3),
    extra=st.dictionaries(st.text(max_size=8).map("x".__add__), values, max_size=4),
    error=st.one_of(st.none(), st.builds(ValueError, values), st.builds(UnwritableError)),
)
def test_every_column_of_a_log_line_keeps_its_type(
    message: Any, arguments: list[Any], extra: dict[str, Any], error: BaseException | None
) -> None:
    """Whatever is logged: one row, in which all is a text but the time and the line."""
    info = None if error is None else (type(error), error, None)
    record = logging.LogRecord("app", logging.INFO, "f.py", 1, message, tuple(arguments), info)
    vars(record).update(extra)

    (row,) = rows_of(LogRows("stream", SERVICE, "i"), [line_of(record)])
    for name, value in row.items():
        assert type(value) is (int if name in {"_timestamp", "code_line"} else str), (name, value)
