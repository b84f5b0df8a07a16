"""The page of what telemetry holds: columns, metrics and wire forms, each read from the code that makes it."""  # noqa: INP001 - read by generate.py

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

import attrs
from cqrs_openobserve.columns import COLUMNS
from cqrs_openobserve.metric_catalogue import CATALOGUE, MOST_SERIES
from cqrs_openobserve.wire_forms import BROADEST, DEEPEST, MOST_PARTS, text_of

from cqrs.secret import Secret

HEAD: Final = """# What telemetry holds

## Columns of records

The streams of commands, queries and events are logs-type streams with these columns. A column has its type for ever: the
encoder leaves out a value of another type, because one such value would make the column text on the server for good.
A query finds each by these names; a subscriber's columns are in the stream of events only, a cache's in that of queries.

| column | type | what it holds |
|---|---|---|
"""
FIELDS: Final = """
With `handles(Message, log_fields=("sku", "quantity"))` fields of the message are columns too: `field_sku`. A field that
the message declares as `int`, `float` or `bool` (or that with `| None`) is a column of that type, any other is a text. A
value that is not of its column's type goes to a text column beside it, `field_quantity_text`. Two messages of one
stream that declare a name differently get two columns in the same way. All fields of a record stay within 48 KiB.

Lines of the program's own log (`CQRS_STREAM_LOGS`) have `level`, `message`, `logger`, `code_function`, `code_file`,
`code_line`, `thread_name`, `exception_type`, `exception_stacktrace`, the ids of trace, span, message and correlation,
the columns of the service, and a text column `field_…` for each `extra=`.
"""
FORMS: Final = f"""
## How a value is written

Every value has a form, and none of the user's code runs to find it: no property, no iterator, no `__str__`. A value that
is made of others becomes JSON, at most {DEEPEST} deep, {BROADEST} broad and {MOST_PARTS} parts. Texts are cut at 8 KiB, then
redacted: credentials in URLs, `password=…` and its like, bearer and basic credentials, JSON web tokens, e-mail addresses,
phone numbers, card numbers; and whatever stands under a name such as `password`, `token` or `api_key`.

| value | for example | written |
|---|---|---|
"""
METRICS: Final = f"""
## Metrics

Sent through OTLP, where each is a stream of its name with underscores for dots, and as rows of `CQRS_STREAM_METRICS`,
where a histogram is three: `….count`, `….sum` and `….max`. All are cumulative since the process began. At {MOST_SERIES}
series of a metric new names become `_OTHER`.

| metric | type | unit | attributes | what it tells |
|---|---|---|---|---|
"""


class Colour(Enum):
    """An enumeration."""

    RED = "#f00"


@attrs.frozen
class Line:
    """A class of attrs."""

    sku: str
    password: str = "hunter2"  # noqa: S105 - the example of a secret


EXAMPLES: Final[tuple[tuple[str, str, object], ...]] = (
    ("text", "'write to bob@example.com'", "write to bob@example.com"),
    ("a lone surrogate in a text", r"'a\ud800b'", "a\ud800b"),
    ("truth value", "True", True),
    ("integer of 64 bits", "7", 7),
    ("larger integer, as a text", "2**64", 2**64),
    ("number", "0.1", 0.1),
    ("no number, as a text", "nan, inf", float("nan")),
    ("bytes, as base64", r"b'\xff\x00'", b"\xff\x00"),
    ("moment", "datetime(2026, 1, 2, tzinfo=UTC)", datetime(2026, 1, 2, tzinfo=UTC)),
    ("day", "date(2026, 1, 2)", date(2026, 1, 2)),
    ("duration, in seconds", "timedelta(seconds=1.5)", timedelta(seconds=1.5)),
    ("decimal number, as a text", "Decimal('1.00')", Decimal("1.00")),
    ("UUID", "UUID(int=1)", UUID(int=1)),
    ("enumeration, by name", "Colour.RED", Colour.RED),
    ("path", "Path('/a/b')", PurePosixPath("/a/b")),
    ("list, tuple, set, deque", "[1, (2, {3})]", [1, (2, {3})]),
    ("mapping; keys are written alike", "{None: 1, 1: 'a', '1': 'b'}", {None: 1, 1: "a", "1": "b"}),
    ("attrs, dataclass, pydantic", "Line('apple', password='hunter2')", Line("apple")),
    ("`Secret`", "Secret('hunter2')", Secret("hunter2")),
    ("class", "Line", Line),
    ("anything else, by its class", "open('/dev/null'), a generator, a lock, an exception", ValueError("x")),
)


def page() -> str:
    """The page, without its note."""
    return "".join((HEAD, *_columns(), FIELDS, FORMS, *_forms(), METRICS, *_metrics()))


def _columns() -> Iterator[str]:
    for column in COLUMNS:
        yield f"| `{column.name}` | {column.type} | {column.doc} |\n"


def _forms() -> Iterator[str]:
    for what, example, value in EXAMPLES:
        written = str(text_of(value)).replace("|", "\\|")
        yield f"| {what} | `{example}` | `{written}` |\n"


def _metrics() -> Iterator[str]:
    for metric in CATALOGUE:
        attributes = ", ".join(f"`{name}`" for name in metric.attributes)
        yield f"| `{metric.name}` | {metric.type} | {metric.unit} | {attributes} | {metric.doc} |\n"
