"""No value that a user can return as an error changes a column's type or raises."""

import asyncio
import gzip
import json
import math
from typing import Any

from cqrs_openobserve.batches import record_encoder
from cqrs_openobserve.columns import COLUMNS
from cqrs_openobserve.feeds import Account, Batch
from cqrs_openobserve.instrument import DispatchInstrument, Thresholds
from cqrs_openobserve.observations import ObservationQueue
from cqrs_openobserve.records import Anchor, RowBuilder
from cqrs_openobserve.service import Service
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from cqrs import MessageContext, Rejection
from cqrs.context import current
from cqrs.middleware import HandlerInfo

TYPES = {"Utf8": str, "Int64": int, "Float64": float, "Boolean": bool}
BY_NAME = {column.name: column.type for column in COLUMNS}


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


def error_with(code: object, base: type) -> object:
    return type("Told", (base,), {"code": code})()


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=2_000),
    st.binary(),
    st.lists(st.integers(), max_size=3),
    st.just(10**5_000),
    st.builds(object),
)
errors = st.one_of(
    values,
    st.builds(error_with, values, st.sampled_from([object, Rejection, Exception])),
    st.builds(Raises),
    st.builds(Odd),
    st.text(max_size=5).map(lambda name: type(name.replace("\0", "") or "E", (), {})()),
)
results = st.one_of(values.map(Success), errors.map(Failure))


@given(results=st.lists(results, min_size=1, max_size=5), kind=st.sampled_from(["command", "query", "event"]))
def test_every_column_keeps_its_type(results: list[Result[Any, Any]], kind: Any) -> None:
    """Whatever comes back: one row per dispatch, every value of its column's type, JSON without NaN."""
    queue = ObservationQueue(lambda: None)
    instrument = DispatchInstrument(queue, Thresholds("INFO", {"command": 1, "query": 1, "event": 1}))
    remaining = iter(results)

    async def answer(_: Any) -> Any:
        return next(remaining)

    call = instrument.around(answer, HandlerInfo(kind, object, "M\ud800", "h", "f:1", "s"))

    async def all_of_them() -> None:
        for result in results:
            current.set(MessageContext().begin())
            assert await call(object()) is result  # type: ignore[arg-type]  # any message will do

    asyncio.run(all_of_them())
    rows = RowBuilder(Service("s", None, None, "h"), "i")
    batch = Batch(queue.take(10), Anchor(10**18, 10**9), Account())
    made = list(record_encoder({kind: "stream"}, rows)(batch))
    assert sum(payload.records for payload in made) == len(results)
    bodies = (gzip.decompress(payload.body) for payload in made)
    for row in (row for body in bodies for row in json.loads(body, parse_constant=lambda _: math.nan)):
        for name, value in row.items():
            assert type(value) is TYPES[BY_NAME[name]], (name, value)
            assert value == value  # noqa: PLR0124 - only NaN is not itself
