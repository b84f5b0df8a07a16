"""Group G of the fault catalogue: hostile values in messages, errors, log lines, spans and metrics, looked at on the wire.

Each test is named by its row. A program with all observers runs against a server that keeps every byte.
"""

import asyncio
import json
import logging
import math
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest
from cqrs_openobserve import OpenObserve, Telemetry
from cqrs_openobserve.columns import COLUMNS
from cqrs_openobserve.metric_catalogue import DURATIONS, MOST_SERIES
from cqrs_openobserve.metric_cells import MetricCells
from cqrs_openobserve.testing import FaultServer
from cqrs_openobserve.wire_forms import text_of
from opentelemetry import metrics, trace
from returns.result import Failure, Result

from cqrs import Command, CqrsModule, Feature

LOGGER = logging.getLogger("test_group_g")
TYPES = {"Utf8": str, "Int64": int, "Float64": float, "Boolean": bool}
KNOWN = {column.name: TYPES[column.type] for column in COLUMNS}
SECRETS = (
    "bob@example.com",
    "+49 171 1234567",
    "4111 1111 1111 1111",
    "hunter2",
    "eyJhbGci.eyJzdWIi.c2lnbmF0",
)


@attrs.frozen
class Send(Command[int, object]):
    """A command that carries anything; its handler fails with it, logs it, traces it and counts it."""

    value: object
    number: int = 0


feature = Feature("hostile")


@feature.handles(Send, log_fields=("value", "number"))
async def send(command: Send) -> Result[int, object]:
    text = command.value if isinstance(command.value, str) else "other"
    with trace.get_tracer("test_group_g").start_as_current_span(f"to {text[:300]}") as span:
        span.set_attribute("value", text)
    LOGGER.warning("sending %s", text, extra={"value": command.value})
    metrics.get_meter("test_group_g").create_counter("test_group_g.sent").add(1, {"to": text[:300]})
    return Failure(command.value)


async def sent(server: FaultServer, *messages: Send) -> tuple[list[dict[str, Any]], Telemetry]:
    """Run the program; gives the records of its commands. Nothing may raise, be lost, or have a type of its own."""
    plugin = OpenObserve(
        url=server.url,
        token="user:x",
        spool_dir="none",
        tracing_sampling_rate="1",
        stream_logs="app-logs",
        log_error_messages="true",
    )
    async with CqrsModule.for_root(feature, plugins=(plugin,), env={}) as app:
        for message in messages:
            answer = await app.commands.execute(message)
            assert answer.failure() is message.value
        telemetry: Telemetry = app.container.resolve(Telemetry)
    for signal in ("logs", "metrics", "traces"):
        books = telemetry.ledger(signal)  # type: ignore[arg-type]  # one of the three
        assert books.accepted == books.delivered, str(books)
    rows = [
        row
        for each in server.received
        if each.path.endswith("/cqrs_commands/_json")
        for row in json.loads(each.body)
    ]
    assert len(rows) == len(messages)
    for row in rows:
        for name, value in row.items():
            own = int if name == "field_number" else str if name.startswith("field_") else KNOWN[name]
            assert type(value) is own, (name, value)
    return rows, telemetry


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
async def test_g1_numbers_that_json_has_not_are_texts(server: FaultServer, value: float, text: str) -> None:
    """The batch is valid, and a metric's sample that is none of the app's business is left out."""
    metrics.get_meter("test_group_g").create_gauge("test_group_g.level").set(value)
    (row,), _ = await sent(server, Send(value))

    assert (row["field_value"], row["error_message"]) == (text, text)


@pytest.mark.parametrize("value", [2**63, 2**64, -(2**63) - 1, 10**5_000], ids=int.bit_length)
async def test_g2_integers_that_do_not_fit_are_texts(server: FaultServer, value: int) -> None:
    """In a column of integers they go to the text column beside it."""
    (row,), _ = await sent(server, Send("x", value))

    assert "field_number" not in row
    assert row["field_number_text"].startswith(("0x", str(2**63)[:4], "184", "-922"))


@pytest.mark.parametrize(
    "value", [b"\xff\x00", bytearray(b"\xff\x00"), memoryview(b"\xff\x00"), b"x" * 10**6]
)
async def test_g3_bytes_are_base64_within_a_cap(server: FaultServer, value: object) -> None:
    """Whatever they hold."""
    (row,), _ = await sent(server, Send(value))

    assert row["field_value"].startswith(("/wA=", "eHh4"))
    assert len(row["field_value"]) < 9_000


@pytest.mark.parametrize(
    "value", ["a\ud800b", "a\x00b", "a\u2028b", "a\u202eb\u200bc", "e" + "\u0301" * 10**6], ids=ascii
)
async def test_g4_texts_of_any_kind_are_one_record(server: FaultServer, value: str) -> None:
    """What UTF-8 has not becomes a question mark; length is capped."""
    (row,), _ = await sent(server, Send(value))

    assert row["field_value"][0] == value[0]
    assert "\ud800" not in row["field_value"]
    assert len(row["field_value"]) < 9_000


async def test_g5_what_has_no_end_has_a_form(server: FaultServer) -> None:
    """Cycles, depth and breadth, in little time."""
    cycle: list[object] = []
    cycle.append(cycle)
    deep: dict[str, object] = {}
    inner = deep
    for _ in range(100_000):
        inner["a"] = inner = {}
    rows, _ = await sent(server, Send(cycle), Send(deep), Send([0] * 1_000_000))
    began = time.process_time()
    text_of(cycle), text_of(deep)
    seconds = time.process_time() - began
    while deep:  # taken apart here: the interpreter would recurse over it
        deep = deep.popitem()[1]  # type: ignore[assignment]  # what was put in above

    assert min(row["field_value"] for row in rows) == '["<cycle>"]'
    assert any("deeper than 8" in row["field_value"] for row in rows)
    assert any("<999900 more>" in row["field_value"] for row in rows)
    assert seconds < 0.5


async def test_g6_what_is_long_is_cut_and_says_so(server: FaultServer) -> None:
    """With its length; a key too."""
    rows, _ = await sent(server, Send("x" * 10_000_000), Send({"k" * 10_000_000: 1}))

    assert any(row["field_value"].endswith("… (10000000 characters)") for row in rows)
    assert all(len(json.dumps(row)) < 64 * 1024 for row in rows)


class Lazy:
    """Whose only attribute must not be asked for."""

    @property
    def asked(self) -> int:
        """Not asked."""
        raise RuntimeError


KEYS = [
    "a.b",
    'a"b',
    "a\nb",
    "",
    "k" * 10_000,
    "_timestamp",
    "__proto__",
    "constructor",
    *map(str, range(1_500)),
]


async def test_g7_keys_of_any_kind_make_no_column(server: FaultServer) -> None:
    """A mapping is one text, however many keys it has; extras of log lines are prefixed and bounded."""
    (row,), _ = await sent(server, Send(dict.fromkeys(KEYS, 1)))

    assert {name for name in row if name not in KNOWN} == {"field_value", "field_number"}
    assert row["_timestamp"] > 10**15


def test_g7_extras_of_log_lines_stay_within_their_prefix() -> None:
    """One that is called like a column of ours is another column; the first of two that the server would merge wins."""
    from cqrs_openobserve.log_lines import LogLine, LogRows
    from cqrs_openobserve.service import Service

    first: dict[str, object] = {"a": 3, "A": 2, "level": "x", "_timestamp": 5}
    extra = first | {key: 1 for key in KEYS if key not in first}
    rows = LogRows("s", Service("s", None, None, "h"), "i")
    row = json.loads(rows.row(LogLine(0, "INFO", "l", "m", extra=extra), 7))

    assert (row["_timestamp"], row["level"], row["field__timestamp"], row["field_level"]) == (
        7,
        "INFO",
        "5",
        "x",
    )
    assert row["field_a"] == "3"
    assert len(row) <= 900


async def test_g8_keys_that_are_no_texts_do_not_collide(server: FaultServer) -> None:
    """None, 1 and "1", a tuple, NaN and an object are keys of their own."""
    value = {None: 1, 1: 2, "1": 3, (1, 2): 4, math.nan: 5, object(): 6}
    (row,), _ = await sent(server, Send(value))

    assert json.loads(row["field_value"]) == {"null": 1, "1": 2, "1_": 3, "[1,2]": 4, "NaN": 5, "<object>": 6}


async def test_g12_a_field_that_changes_its_type_changes_no_column(server: FaultServer) -> None:
    """Each value is in the column of its type."""
    values: list[Any] = [1, "two", [3], 4, None, 5.5, True]
    rows, _ = await sent(server, *(Send("x", value) for value in values))

    assert [row.get("field_number", row.get("field_number_text")) for row in rows] == [
        1,
        "two",
        "[3]",
        4,
        None,
        "5.5",
        "true",
    ]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "wrap",
    [
        str,
        lambda secret: json.dumps({"inner": json.dumps({"password": "hunter2", "of": secret})}),
        lambda secret: f"https://user:hunter2@h/?to={secret}",
        lambda secret: {"deep": [{"of": secret, "password": "hunter2"}]},
        lambda secret: ValueError(f"no {secret}"),
    ],
    ids=["text", "json in json", "url", "mapping", "exception"],
)
async def test_g13_nothing_personal_or_secret_is_on_the_wire(
    server: FaultServer, secret: str, wrap: Callable[[str], object]
) -> None:
    """In no request of any signal: field, error text, log line, extra, span name, attribute, label."""
    value = wrap(secret if secret != "hunter2" else "password=hunter2")
    await sent(server, Send(value))

    wire = b"".join(received.body for received in server.received)
    for hidden in (secret, "hunter2"):
        assert hidden.encode() not in wire
        assert json.dumps(hidden).strip('"').encode() not in wire


async def test_g15_values_of_pythons_library_have_a_documented_form(server: FaultServer) -> None:
    """The whole table is in test_wire_forms.py; here is one that arrives."""
    (row,), _ = await sent(server, Send({"price": Decimal("1.00")}))
    assert row["field_value"] == '{"price":"1.00"}'


async def test_g16_what_can_be_read_once_is_not_read(server: FaultServer) -> None:
    """Generators, files, locks and coroutines are named; a property is not asked."""
    generator, coroutine = (number for number in (1, 2)), asyncio.sleep(0)
    with open(__file__) as file:  # noqa: ASYNC230, PTH123 - the file is the value
        values = [generator, coroutine, file, threading.Lock(), Lazy()]
        rows, _ = await sent(server, *map(Send, values))
        assert file.tell() == 0
    coroutine.close()

    assert sorted(row["field_value"] for row in rows) == sorted(
        ["<generator>", "<coroutine>", "<TextIOWrapper>", "<lock>", "<Lazy>"]
    )
    assert list(generator) == [1, 2]


def test_g17_fifty_thousand_labels_are_two_thousand_series() -> None:
    """And no value is lost."""
    cells = MetricCells()
    for number in range(50_000):
        cells.cell(DURATIONS["command"], "Place", "error", f"E{number}").add(1)

    assert len(list(cells.series())) <= MOST_SERIES + 1
    assert sum(series.cell.count for series in cells.series()) == 50_000


def test_g18_message_classes_without_end_are_two_thousand_series() -> None:
    """As a program makes them that builds classes while it runs."""
    cells = MetricCells()
    for number in range(100_000):
        cells.cell(DURATIONS["command"], f"Message{number}", "success", "").add(1)

    assert len(list(cells.series())) <= MOST_SERIES + 1
